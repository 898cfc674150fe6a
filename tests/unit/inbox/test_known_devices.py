"""Since when a device is known: from the first message on that its owner's signature vouched for."""

from datetime import datetime

from dpobot.model.words import Trust
from tests.fakes.matrix_server import FakeServer
from tests.flow.conftest import ANNA
from tests.unit.inbox.conftest import Room


async def _known(room: Room) -> dict[str, datetime]:
    rows = await room.stage.rows("known_device")
    return {row["signing_key"]: row["first_seen_at"] for row in rows if row["user_id"] == ANNA}


def _server(room: Room) -> FakeServer:
    room.server.signing_keys[ANNA] = "new"
    return room.server


async def test_a_device_is_known_since_its_first_signed_message(room: Room) -> None:
    """What it says later changes nothing about that; each device has a time of its own."""
    first = room.server.now
    assert await _known(room) == {"ed": first}
    await room.stage.pass_time(hours=5)
    await room.stage.ask(room.direct, ANNA, "status")
    server = _server(room)
    await room.stage.ask(room.direct, ANNA, "status")
    assert await _known(room) == {"ed": first, "new": server.now}


async def test_an_unsigned_device_does_not_grow_older(room: Room) -> None:
    """Neither does one with another identity: the time runs from the owner's signature on."""
    server = _server(room)
    server.devices[ANNA] = Trust.UNSIGNED
    await room.stage.ask(room.direct, ANNA, "status")
    server.identities[ANNA] = "another"
    del server.devices[ANNA]
    await room.stage.ask(room.direct, ANNA, "status")
    assert set(await _known(room)) == {"ed"}
    del server.identities[ANNA]
    await room.stage.pass_time(hours=30)
    await room.stage.ask(room.direct, ANNA, "status")
    assert (await _known(room))["new"] == server.now


async def test_a_refused_command_shows_the_device_as_well(room: Room) -> None:
    """Only what the command had begun is rolled back."""
    server = _server(room)
    await room.stage.ask(room.direct, ANNA, "received")
    assert (await _known(room))["new"] == server.now


async def test_a_message_whose_key_was_kept_back_does_not_age_its_device(room: Room) -> None:
    """It may have been written before the device was signed: what counts is when it could be read."""
    server = _server(room)
    plain = {"msgtype": "m.text", "body": "status"}
    server.say(room.direct, ANNA, {"session_id": "late", "plain": plain}, type="m.room.encrypted", undecryptable="key")
    await room.stage.settle()
    await room.stage.pass_time(hours=30)
    server.late_keys.add("late")
    server.text(room.direct, ANNA, "rights")
    await room.stage.pass_time(minutes=1)
    assert (await _known(room))["ed"] < (await _known(room))["new"] == server.now


async def test_what_waits_for_a_device_counts_from_there(room: Room) -> None:
    """A device that was signed a moment ago can't have anything erased; the person's other one need not wait."""
    await room.stage.pass_time(hours=30)
    server = _server(room)
    (answer,) = await room.stage.ask(room.direct, ANNA, "erase without copy")
    assert "the one that you are writing from I have known since 23 November 2026, 18:00 UTC" in answer
    del server.signing_keys[ANNA]
    assert "I am counting what would go" in (await room.stage.ask(room.direct, ANNA, "erase"))[0]
