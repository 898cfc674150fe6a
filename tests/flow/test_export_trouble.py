"""An export meets trouble: it waits, goes on where it stopped, and loses nothing."""

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest

from dpobot.errors import Unavailable
from dpobot.model.ids import RoomId
from dpobot.store.database import Database
from tests.fakes.matrix import FakeServer
from tests.flow.conftest import ANNA, BERT
from tests.flow.planted import BODY
from tests.flow.stage import Stage, StageHomeserver, play

BODIES = [f"{BODY} {number}" for number in range(50)]


@pytest.fixture
async def room_id(sqlite_database: Database, stage: Stage) -> RoomId:
    """A chat of Anna with the bot; she is in a room of five pages."""
    return await stage.meet(ANNA)


@pytest.fixture
def paged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten events a page: the room of `fill` has five."""
    monkeypatch.setattr("tests.flow.stage.EXPORT", {"page_events": 10})


def fill(homeserver: StageHomeserver) -> None:
    """Let Anna have said fifty things in a room."""
    room = homeserver.add_room(RoomId("!books:dpobot.test"), None)
    homeserver.set_membership(room, ANNA, "join")
    for body in BODIES:
        homeserver.say(room, ANNA, body)


async def test_finished_pages_are_not_asked_for_again(
    paged: None, sqlite_database: Database, data: Path, server: FakeServer, homeserver: StageHomeserver
) -> None:
    """The server goes away after three pages: the fourth is the next one that is asked for."""
    fill(homeserver)
    homeserver.after("own_events", 3, Unavailable("http_502"))
    async with play(sqlite_database, data, server, homeserver) as stage:
        room_id = await stage.meet(ANNA)
        await stage.ask(room_id, ANNA, "export messages")
        assert await stage.states() == ["working"]
        await stage.pass_time(seconds=10)
        assert await stage.states() == ["delivered"]
        assert stage.own_words(room_id) == BODIES
        assert homeserver.calls.count("own_events") == 6


async def test_a_storm_of_429s_is_sat_out(stage: Stage, room_id: RoomId) -> None:
    """Never earlier than the server asks for; in the end everything is there."""
    stage.room("books", ANNA, "one")
    stage.homeserver.fault("own_events", *[Unavailable("rate_limited", 120) for _ in range(5)])
    await stage.ask(room_id, ANNA, "export messages")
    for count in range(1, 6):
        assert stage.homeserver.calls.count("own_events") == count
        await stage.pass_time(seconds=110)
        assert stage.homeserver.calls.count("own_events") == count
        await stage.pass_time(seconds=11)
    assert await stage.states() == ["delivered"]
    assert stage.own_words(room_id) == [f"{BODY} one"]


async def test_a_medium_that_breaks_off_is_fetched_again(stage: Stage, room_id: RoomId) -> None:
    """Half a file is not a file."""
    whole = bytes(range(256)) * 1024
    stage.homeserver.upload(ANNA, whole, "whole.bin")
    stage.homeserver.fault("media_bytes", Unavailable("connection"), Unavailable("connection"))
    await stage.ask(room_id, ANNA, "export media")
    for _ in range(3):
        await stage.pass_time(minutes=1)
    with stage.archive(room_id) as archive:
        assert [name for name in archive.namelist() if archive.read(name) == whole] != []


async def test_a_lost_spool_starts_again(
    paged: None, sqlite_database: Database, data: Path, server: FakeServer, homeserver: StageHomeserver
) -> None:
    """Another machine, another disk: finished steps of a lost folder don't count."""
    fill(homeserver)
    homeserver.after("own_events", 3, Unavailable("http_502"))
    async with play(sqlite_database, data, server, homeserver) as stage:
        room_id = await stage.meet(ANNA)
        await stage.ask(room_id, ANNA, "export messages")
        assert stage.spooled() != []
    shutil.rmtree(data / "spool")
    async with play(sqlite_database, data, server, homeserver) as stage:
        await stage.pass_time(seconds=10)
        assert await stage.states() == ["delivered"]
        assert stage.own_words(room_id) == BODIES


async def test_a_full_disk_is_waited_for(stage: Stage, room_id: RoomId, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case stays, others are answered, and once there is room again everything is delivered."""
    stage.room("books", ANNA, "one")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("dpobot.archive.spool._settle", full)
        await stage.ask(room_id, ANNA, "export messages")
        assert await stage.states() == ["working"]
        assert [job["error"] for job in await stage.rows("job")] == ["disk_full"]
        assert len(await stage.ask(await stage.meet(BERT), BERT, "rights")) == 1
    await stage.pass_time(minutes=20)
    assert await stage.states() == ["delivered"]
    assert stage.own_words(room_id) == [f"{BODY} one"]


async def test_a_cancelled_export_leaves_nothing(stage: Stage, room_id: RoomId) -> None:
    """Cancelled while it waits for the homeserver: no folder, no file, no archive later."""
    stage.room("books", ANNA, "one")
    stage.homeserver.fault("own_events", Unavailable("http_502"))
    await stage.ask(room_id, ANNA, "export")
    assert stage.spooled() != []
    (answer,) = await stage.ask(room_id, ANNA, "cancel")
    assert "taken back" in answer
    await stage.pass_time(minutes=20)
    assert (await stage.states(), stage.spooled(), stage.files(room_id)) == (["withdrawn"], [], [])


async def test_cancelled_after_the_upload(stage: Stage, room_id: RoomId) -> None:
    """The bytes are on the server, the message is not sent: they are deleted."""
    stage.server.faults["send"] = []
    spoiled: list[int] = []
    send = stage.bot.matrix.send

    async def away(room: RoomId, content: dict[str, object], **more: Any) -> object:
        if content.get("msgtype") == "m.file":
            spoiled.append(1)
            raise Unavailable("http_502")
        return await send(room, content, **more)

    stage.bot.matrix.send = away  # type: ignore[method-assign, assignment] # one request of many is to fail
    await stage.ask(room_id, ANNA, "export")
    assert (len(spoiled), len(stage.server.media)) == (1, 1)
    await stage.ask(room_id, ANNA, "cancel")
    await stage.pass_time(minutes=1)
    assert (await stage.states(), stage.server.media, stage.spooled()) == (["withdrawn"], {}, [])


async def test_an_archive_that_nobody_confirms_is_deleted_in_time(stage: Stage, room_id: RoomId) -> None:
    """After the promised days the server's copy is gone, and the case is closed."""
    await stage.ask(room_id, ANNA, "export")
    await stage.pass_time(days=6, hours=23)
    assert len(stage.files(room_id)) == 1
    await stage.pass_time(hours=2)
    assert (stage.files(room_id), stage.server.media) == ([], {})
    assert await stage.states() == ["closed"]


async def test_received_twice_and_too_early(stage: Stage, room_id: RoomId) -> None:
    """Each is answered with a sentence, and neither does harm."""
    (early,) = await stage.ask(room_id, ANNA, "received")
    assert "no files here" in early
    await stage.ask(room_id, ANNA, "export")
    (first,) = await stage.ask(room_id, ANNA, "received")
    (second,) = await stage.ask(room_id, ANNA, "received")
    assert "being deleted" in first
    assert "no files here" in second
    assert await stage.states() == ["closed"]


async def test_a_server_that_is_away_when_the_copy_is_to_go(stage: Stage, room_id: RoomId) -> None:
    """`received` is a promise: it is kept once the server is back."""
    await stage.ask(room_id, ANNA, "export")
    stage.homeserver.fault("delete_media", Unavailable("http_502"))
    await stage.ask(room_id, ANNA, "received")
    assert len(stage.server.media) == 1
    await stage.pass_time(minutes=1)
    assert (stage.files(room_id), stage.server.media) == ([], {})
