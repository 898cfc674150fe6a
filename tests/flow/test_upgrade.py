"""An upgrade in the middle of an export: it goes on where it was, or begins anew, and is never half of each."""

from dataclasses import fields
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


def test_what_lies_in_a_spool_is_what_its_format_says() -> None:
    """Who changes these fields raises `_FORMAT`: a spool of the version before would be read wrongly."""
    found = {kind.__name__: [field.name for field in fields(kind)] for kind in _KINDS}
    assert (spool._FORMAT, found) == (1, _FIELDS)


_KINDS = (spool.Room, spool.Medium, spool.Added, spool.Category)
_FIELDS = {
    "Room": ["number", "room_id", "name", "membership", "encrypted", "missing", "alias", "join_rule"],
    "Medium": ["number", "url", "media_type", "size", "name", "created_at", "sha256", "missing"],
    "Added": ["number", "name", "media_type", "size", "sha256", "missing"],
    "Category": ["category", "title", "records", "truncated", "missing"],
}
