"""The configuration from one process to its successor: checked before, and read without what checks it.

A worker that waits should hold little memory, and the library that checks configurations is a good part of it.
"""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from dpobot.config import Config


def hand_over(config: "Config") -> int:
    """Return a file descriptor that a program which this process becomes can `take_over` the configuration from."""
    descriptor = os.memfd_create("dpobot configuration")  # in memory, and gone with the last process that has it
    text = config.model_dump_json()
    with os.fdopen(os.dup(descriptor), "w", encoding="utf-8") as file:
        file.write(text)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.set_inheritable(descriptor, True)
    return descriptor


def take_over(descriptor: int) -> str:
    """Return the text of the configuration, and close its descriptor."""
    with os.fdopen(descriptor, "r", encoding="utf-8") as file:
        return file.read()


def outline(text: str) -> "Config":
    """Return what a worker reads of a configuration while it waits; everything in it has the name that it has there."""
    raw = json.loads(text)
    data = raw["data"]
    for key in ("directory", "seal_key_file", "receipt_key_file"):
        data[key] = None if data[key] is None else Path(data[key])
    raw["database_url"] = data["database_url"]
    return cast("Config", _named(raw))


def whole(text: str) -> "Config":
    """Return all of it."""
    from dpobot.config import Config

    return Config.model_validate_json(text)


def _named(value: Any) -> Any:
    return SimpleNamespace(**{key: _named(each) for key, each in value.items()}) if isinstance(value, dict) else value
