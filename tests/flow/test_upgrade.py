"""An upgrade in the middle of an export: it goes on where it was, or begins anew, and is never half of each."""

from pathlib import Path

import pytest

from dpobot.archive import spool
from dpobot.errors import Unavailable
from dpobot.model.ids import RoomId
from dpobot.store.database import Database
from tests.fakes.matrix import FakeServer
from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import StageHomeserver, play

BODIES = [f"{BODY} {number}" for number in range(50)]


async def _half_done(database: Database, data: Path, server: FakeServer, homeserver: StageHomeserver) -> RoomId:
    """Let the version before collect three of five pages and stop there."""
    room = homeserver.add_room(RoomId("!books:dpobot.test"), None)
    homeserver.set_membership(room, ANNA, "join")
    for body in BODIES:
        homeserver.say(room, ANNA, body)
    homeserver.after("own_events", 3, Unavailable("http_502"))
    async with play(database, data, server, homeserver, export={"page_events": 10}) as stage:
        room_id = await stage.meet(ANNA)
        await stage.ask(room_id, ANNA, "export messages")
        assert await stage.states() == ["working"]
    return room_id


@pytest.mark.parametrize(("format_", "asked"), [(1, 6), (2, 4 + 5)])
async def test_an_upgrade_while_an_export_runs(
    sqlite_database: Database,
    data: Path,
    server: FakeServer,
    homeserver: StageHomeserver,
    monkeypatch: pytest.MonkeyPatch,
    format_: int,
    asked: int,
) -> None:
    """Code that reads spools alike asks for the page that failed and the last; other code for all five once more."""
    room_id = await _half_done(sqlite_database, data, server, homeserver)
    monkeypatch.setattr(spool, "_FORMAT", format_)
    async with play(sqlite_database, data, server, homeserver, export={"page_events": 10}) as stage:
        await stage.pass_time(seconds=10)
        assert await stage.states() == ["delivered"]
        assert stage.own_words(room_id) == BODIES
        assert homeserver.calls.count("own_events") == asked
        assert len(stage.files(room_id)) == 1
        assert stage.spooled() == []
