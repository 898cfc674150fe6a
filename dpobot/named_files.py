"""The files that a configuration names: relative paths, and credentials of systemd."""

from pathlib import Path
from typing import Any

from dpobot import credentials
from dpobot.errors import ConfigurationError

PATHS = (
    ("matrix", "password_file"),
    ("matrix", "recovery_key_file"),
    ("homeserver", "admin_token_file"),
    ("homeserver", "config_files"),
    ("homeserver.mas", "client_secret_file"),
    ("data", "directory"),
    ("data", "seal_key_file"),
    ("data", "receipt_key_file"),
    ("notices", "ca_file"),
)


def locate(raw: object, folder: Path) -> list[str]:
    """Replace paths by whole ones, which count from ``folder``, and ``credential:NAME`` by the file's.

    Returns what is wrong with them, one line each; what is no path stays, for others to complain about.
    """
    problems = []
    for section, key in PATHS:
        part = _section(raw, section)
        if part is None or key not in part:
            continue
        try:
            part[key] = _whole(folder, part[key], may_be_handed=key.endswith("_file"))
        except ConfigurationError as error:
            problems += [f"{section}.{key}: {problem}" for problem in error.problems]
    return problems


def _whole(folder: Path, value: object, *, may_be_handed: bool) -> object:
    if isinstance(value, list):
        return [_whole(folder, each, may_be_handed=may_be_handed) for each in value]
    if not isinstance(value, str):
        return value
    if may_be_handed and value.startswith(credentials.PREFIX):
        return str(credentials.located(value))
    try:
        return str((folder / value).resolve())
    except (ValueError, OSError, RuntimeError) as error:  # a NUL, a name that is too long, links in a circle
        raise ConfigurationError(["that can't be a path"]) from error


def _section(raw: object, name: str) -> dict[str, Any] | None:
    for part in name.split("."):
        raw = raw.get(part) if isinstance(raw, dict) else None
    return raw if isinstance(raw, dict) else None
