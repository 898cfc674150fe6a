"""The categories of personal data that a Synapse holds, one file each; a new file is found by itself.

`CATEGORIES` is in the order of the archive: what can be had by name, then what can't, by name. Events and media have
methods of their own (`BEYOND`).
"""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType

from dpobot.homeserver.category import Category

# personal data that does not fit in memory and so is no category: the methods of `Homeserver` that give it
BEYOND: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"events": ("rooms", "own_events"), "media": ("media", "media_bytes")}
)


def _found() -> Iterator[Category]:
    for module in pkgutil.iter_modules(__path__):
        content = import_module(f"{__name__}.{module.name}")
        yield from getattr(content, "CATEGORIES", None) or (content.CATEGORY,)


CATEGORIES: Mapping[str, Category] = MappingProxyType(
    {category.name: category for category in sorted(_found(), key=lambda each: (each.missing is not None, each.name))}
)
