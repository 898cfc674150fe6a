"""A stage for each story, on SQLite; the tables' behaviour on PostgreSQL is the store's tests' matter.

After each story its log and its database are searched for what people wrote: nothing of it may be there in clear.
"""

import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from dpobot import log
from dpobot.download import token
from dpobot.model import typed_code
from dpobot.model.ids import UserId
from dpobot.receipt import codes
from dpobot.store.database import Database
from tests.fakes.matrix import FakeServer
from tests.flow.planted import DISPLAY_NAME, FILE_NAME, PLANTED
from tests.flow.stage import Stage, StageHomeserver, play
from tests.flow.team import STAFF, Team

ANNA = UserId("@anna:dpobot.test")
BERT = UserId("@bert:dpobot.test")


@pytest.fixture
def server() -> FakeServer:
    """The Matrix side of the world."""
    return FakeServer()


@pytest.fixture
def homeserver(server: FakeServer) -> StageHomeserver:
    """The admin's side of the world."""
    return world(server)


def world(server: FakeServer) -> StageHomeserver:
    """Make a homeserver on which Anna and Bert have accounts, with a profile and a file."""
    made = StageHomeserver(server)
    for person in (ANNA, BERT):
        made.add_account(person)
        made.hold("profile", person, {"field": "displayname", "value": DISPLAY_NAME})
        made.upload(person, f"bytes of {person}".encode(), FILE_NAME)
    return made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The bot's data folder."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
async def stage(
    sqlite_database: Database, data: Path, server: FakeServer, homeserver: StageHomeserver
) -> AsyncIterator[Stage]:
    """The bot, ready."""
    async with play(sqlite_database, data, server, homeserver) as opened:
        yield opened


@pytest.fixture
def sections() -> dict[str, Any]:
    """What a story changes in the configuration of its team's bot."""
    return {}


@pytest.fixture
async def team(
    sqlite_database: Database,
    data: Path,
    server: FakeServer,
    homeserver: StageHomeserver,
    sections: dict[str, Any],
) -> AsyncIterator[Team]:
    """The bot with a staff room, and two people of the DPO team in it; its stage is `team.stage`."""
    staff = STAFF | sections.get("staff", {})
    async with play(sqlite_database, data, server, homeserver, **{**sections, "staff": staff}) as opened:
        yield await Team.gather(opened)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[str]]:
    """Every line that a story logs, as the code asked for it and as it was written; none may hold planted words."""
    handlers, level, before = logging.root.handlers[:], logging.root.level, structlog.get_config()
    written, asked = io.StringIO(), list[str]()

    def spy(_logger: object, _method: str, event: Any) -> Any:
        asked.append(str({name: value for name, value in event.items() if name != "exc_info"}))
        return event

    log.configure("DEBUG", "json", written)
    structlog.configure(processors=[spy, *structlog.get_config()["processors"]])
    yield asked
    structlog.configure(**before)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    text = "\n".join([*asked, written.getvalue()])
    assert [word for word in PLANTED if word in text] == []


@pytest.fixture(autouse=True)
def given_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every code and every link's secret that a story makes."""
    made: list[str] = []
    for module, name in ((typed_code, "new"), (codes, "new_code"), (token, "new_token")):
        monkeypatch.setattr(module, name, _noted(getattr(module, name), made))
    return made


def _noted(make: Callable[[], str], made: list[str]) -> Callable[[], str]:
    def noted() -> str:
        made.append(make())
        return made[-1]

    return noted


@pytest.fixture(autouse=True)
def at_rest(sqlite_database: Database, tmp_path: Path, given_out: list[str]) -> Iterator[None]:
    """No byte of a story's database, while it is open and has its write-ahead log, holds in clear what was planted.

    Nor any code, nor the secret of any link.
    """
    yield
    files = [path for path in tmp_path.rglob("*") if ".sqlite" in path.name]
    assert files != []
    secret = [*PLANTED, *given_out]
    found = [(path.name, word) for path in files for word in secret if word.encode() in path.read_bytes()]
    assert found == []
