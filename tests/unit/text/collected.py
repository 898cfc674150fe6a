"""All samples of this folder: those of ``samples.py`` and of each ``samples_*.py``."""

import pkgutil
from importlib import import_module
from typing import Any

from tests.unit import text


def collected() -> dict[str, list[dict[str, Any]]]:
    """Return template -> sets of values with which it can be rendered; no template may be sampled in two modules."""
    found: dict[str, list[dict[str, Any]]] = {}
    for module in pkgutil.iter_modules(text.__path__):
        if module.name == "samples" or module.name.startswith("samples_"):
            samples = import_module(f"{text.__name__}.{module.name}").SAMPLES
            assert not found.keys() & samples.keys(), f"sampled twice: {found.keys() & samples.keys()}"
            found |= samples
    return found


SAMPLES = collected()
