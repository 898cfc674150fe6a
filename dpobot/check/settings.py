"""The homeserver's settings, read as Synapse reads them: files and folders one after the other, later keys replace.

Only the keys that a check asks for are kept: the files hold secrets, too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

KEYS = frozenset(
    {
        "backup_media_store_path",
        "enable_search",
        "forgotten_room_retention_period",
        "media_retention",
        "media_storage_providers",
        "redaction_allowed_period",
        "redaction_retention_period",
        "retention",
        "track_puppeted_user_ips",
        "user_ips_max_age",
    }
)
_DURATION = re.compile(r"(\d+)([smhdwy]?)")
_UNITS = {"": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}


class SettingsError(Exception):
    """The settings can't be read; the text says which file, and why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the files say of `KEYS`; what they don't say is Synapse's default."""

    values: Mapping[str, Any]

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key; raises `KeyError` for one that is not in `KEYS`."""
        if key not in KEYS:
            raise KeyError(key)
        return self.values.get(key, default)

    def duration(self, key: str, default: str | None = None) -> timedelta | None:
        """Return the duration that a key holds, None for none. Raises `ValueError` if it is no duration."""
        return duration(self.get(key, default))


def duration(value: object) -> timedelta | None:
    """Return a duration as Synapse understands it: a number of milliseconds, or a number and one of s, m, h, d, w, y.

    Raises `ValueError` for anything else.
    """
    if value is None:
        return None
    match = _DURATION.fullmatch(value if isinstance(value, str) else str(value))
    if match is None or isinstance(value, bool):
        raise ValueError("not a duration")
    try:
        return timedelta(milliseconds=int(match[1]) * _UNITS[match[2]])
    except OverflowError:
        return timedelta.max


def read(paths: Sequence[Path]) -> Settings:
    """Return the settings of these files and folders. Raises `SettingsError`."""
    values: dict[str, Any] = {}
    for path in paths:
        for file in _files(path):
            values |= {key: value for key, value in _parsed(file).items() if key in KEYS}
    return Settings(values)


def _files(path: Path) -> Iterator[Path]:
    try:
        if path.is_dir():
            yield from sorted(file for file in path.iterdir() if file.suffix == ".yaml" and file.is_file())
        else:
            yield path
    except OSError as error:
        raise SettingsError(f"{path} can't be read ({error.strerror})") from error


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        parsed = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} can't be read ({error.strerror})") from error
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        # the error's own text would quote the line, and a secret may stand there
        raise SettingsError(f"{path} is not YAML") from error
    return parsed if isinstance(parsed, dict) else {}
