"""A place for checks to look at: settings as they stand in a file, a real database, a homeserver that nobody asks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dpobot import config
from dpobot.check.finding import Answer, Check, Place, warning
from dpobot.check.settings import Settings
from dpobot.homeserver.http import Http
from dpobot.store.database import Database
from dpobot.store.seal import Seal
from tests.test_shape import example

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing answers


class Stopped:
    """A clock that stands still."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return when it stopped."""
        return self._now


_UNOPENED = Database("sqlite+aiosqlite://", Seal({"test": bytes(32)}, "test"))


def configured(**operator: Any) -> config.Config:
    """Return the example configuration, with other values of ``[operator]``."""
    raw = example()
    section = raw["operator"]
    assert isinstance(section, dict)
    return config.parse(raw | {"operator": section | operator})


def place(
    settings: Settings | Answer | Mapping[str, Any] | None = None,
    database: Database = _UNOPENED,
    http: Http | None = None,
    **operator: Any,
) -> Place:
    """Return where to look."""
    known = settings if isinstance(settings, Settings | Answer) else Settings(settings or {})
    bot = warning("no device", "make one")
    return Place(configured(**operator), known, http or Http(NOWHERE, "token", 0), database, Stopped(), bot)


def named(checks: tuple[Check, ...], name: str) -> Check:
    """Return the check of a name."""
    [found] = [check for check in checks if check.name == name]
    return found


def written(folder: Path, name: str, text: str) -> Path:
    """Write a file of settings."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path
