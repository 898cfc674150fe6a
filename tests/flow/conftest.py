"""A stage for each story, on SQLite; the tables' behaviour on PostgreSQL is the store's tests' matter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dpobot.model.ids import UserId
from dpobot.store.database import Database
from tests.fakes.matrix import FakeServer
from tests.flow.stage import Stage, StageHomeserver, play

ANNA = UserId("@anna:dpobot.test")


@pytest.fixture
async def stage(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    """The bot, ready, with Anna's account on the homeserver."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    server = FakeServer()
    homeserver = StageHomeserver(server)
    homeserver.add_account(ANNA)
    async with play(sqlite_database, data, server, homeserver) as opened:
        yield opened
