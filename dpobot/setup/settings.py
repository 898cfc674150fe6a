"""The configuration that `dpobot init` writes: the text of bot.example.toml, with other values in its lines."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import dpobot
from dpobot import config
from dpobot.errors import ConfigurationError

Value = str | int | tuple[str, ...] | Mapping[str, str]
_SECTION = re.compile(r"\[(?P<name>[\w.]+)\]$")
_LINE = re.compile(r"(?:# )?(?P<key>\w+) = \S")


def example() -> str:
    """Return the text of bot.example.toml: top level of a checkout, or inside the installed package."""
    package = Path(dpobot.__file__).resolve().parent
    installed = package / "_bot.example.toml"
    return (installed if installed.is_file() else package.parent / "bot.example.toml").read_text("utf-8")


def filled(text: str, values: Mapping[str, Value | None]) -> str:
    """Return the example with other values, by dotted path; None makes a line a comment, comments stay as they are.

    Raises `KeyError` with the paths that the example has no line for.
    """
    left, section, lines = dict(values), "", []
    for line in text.splitlines():
        if found := _SECTION.match(line):
            section = found["name"]
        match = _LINE.match(line)
        path = f"{section}.{match['key']}" if match else ""
        lines.append(_line(line, path, left.pop(path)) if path in left else line)
    if left:
        raise KeyError(*sorted(left))
    return "\n".join(lines) + "\n"


def _line(line: str, path: str, value: Value | None) -> str:
    return f"# {line.removeprefix('# ')}" if value is None else f"{path.rpartition('.')[2]} = {toml(value)}"


def toml(value: Value) -> str:
    """Return a value as TOML writes it (TOML 1.0, "String": JSON's escapes are among its own)."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def problem(path: str, value: Value) -> str | None:
    """Return what is wrong with a value for one key of the configuration, None if nothing is."""
    raw = tomllib.loads(example())
    *sections, key = path.split(".")
    part = raw
    for name in sections:
        part = part.setdefault(name, {})
    part[key] = list(value) if isinstance(value, tuple) else value
    try:
        config.parse(raw)
    except ConfigurationError as error:
        named = [each.partition(": ")[2] for each in error.problems if each.startswith((f"{path}:", f"{path}."))]
        return named[0] if named else None
    return None
