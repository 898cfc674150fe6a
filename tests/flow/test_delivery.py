"""The room is looked at again at the moment of delivery: whoever joined, left or broke it, no file goes astray."""

import shutil
from typing import Any

import pytest

from dpobot.delivery.rooms import find
from dpobot.errors import Unavailable
from dpobot.model.ids import RoomId, UserId
from tests.flow.conftest import ANNA, BERT
from tests.flow.stage import BOT, Stage, StageHomeserver


async def _ready_to_send(stage: Stage) -> RoomId:
    """Let Anna's export be one request away from its delivery, with the homeserver gone."""
    room_id = await stage.meet(ANNA)
    stage.server.faults["upload_encrypted"] = stage.away(1)
    await stage.ask(room_id, ANNA, "export")
    assert await stage.states() == ["working"]
    return room_id


def _new_room(stage: Stage, old: RoomId, person: UserId) -> RoomId:
    """Return the room to which the bot has invited a person."""
    fresh = [
        room_id
        for room_id, room in stage.server.rooms.items()
        if room_id != old and room.members.get(person) == "invite" and room.members.get(BOT) == "join"
    ]
    assert len(fresh) == 1
    return fresh[0]


async def _delivered_elsewhere(stage: Stage, old: RoomId) -> None:
    """Anna hears in a new room that her data waits, accepts, and gets it there."""
    await stage.pass_time(minutes=1)
    assert stage.files(old) == []
    new = _new_room(stage, old, ANNA)
    (waits,) = stage.said(new)
    assert "no longer safe" in waits
    assert stage.files(new) == []
    for _ in range(3):
        await stage.pass_time(minutes=5)
    assert (len(stage.said(new)), _new_room(stage, old, ANNA)) == (1, new)
    stage.server.join(new, ANNA)
    await stage.settle()  # at once: nobody who has just come waits for the next attempt
    assert (len(stage.files(new)), stage.files(old)) == (1, [])
    assert "Your data is here" in stage.said(new)[-1]
    assert await stage.states() == ["delivered"]
    await stage.ask(new, ANNA, "received")
    assert (stage.files(new), stage.server.media) == ([], {})


async def test_a_third_person_joined(stage: Stage) -> None:
    """Bert is in the room by now: nothing of Anna's is sent there."""
    room_id = await _ready_to_send(stage)
    stage.server.join(room_id, BERT)
    before = len(stage.said(room_id))
    await _delivered_elsewhere(stage, room_id)
    assert len(stage.said(room_id)) == before


async def test_a_third_person_is_invited(stage: Stage) -> None:
    """Whoever is invited could join a moment later."""
    room_id = await _ready_to_send(stage)
    stage.server.invite(room_id, ANNA, BERT)
    await _delivered_elsewhere(stage, room_id)


async def test_the_person_left(stage: Stage) -> None:
    """Nobody is there to receive it."""
    room_id = await _ready_to_send(stage)
    stage.server.member(room_id, ANNA, "leave")
    await _delivered_elsewhere(stage, room_id)


async def test_the_bot_was_thrown_out(stage: Stage) -> None:
    """The room is closed to the bot."""
    room_id = await _ready_to_send(stage)
    stage.server.member(room_id, BOT, "leave")
    await _delivered_elsewhere(stage, room_id)


async def test_the_other_leaves_again(stage: Stage) -> None:
    """Once the old room is safe again the data goes there, as the sentence said."""
    room_id = await _ready_to_send(stage)
    stage.server.join(room_id, BERT)
    await stage.pass_time(minutes=1)
    stage.server.member(room_id, BERT, "leave")
    await stage.pass_time(minutes=5)
    assert len(stage.files(room_id)) == 1
    assert await stage.states() == ["delivered"]


async def test_another_chat_that_is_open_is_used(stage: Stage) -> None:
    """Anna has a second chat with the bot: no third one is made."""
    second = await stage.meet(ANNA)
    room_id = await _ready_to_send(stage)
    stage.server.join(room_id, BERT)
    await stage.pass_time(minutes=1)
    assert (len(stage.files(second)), stage.files(room_id)) == (1, [])


async def test_answers_do_not_follow_into_a_room_that_changed(stage: Stage) -> None:
    """The answer was decided while the room was safe and could not be sent then: it is not said to two people."""
    room_id = await stage.meet(ANNA)
    stage.server.faults["send"] = [Unavailable("connection")]
    assert await stage.ask(room_id, ANNA, "cases") == []
    stage.server.join(room_id, BERT)
    await stage.pass_time(minutes=1)
    assert len(stage.said(room_id)) == 1


async def test_who_comes_between_the_look_and_the_sending_gets_no_key(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room was safe when it was looked at: the encryption itself is for Anna and the bot only."""
    room_id = await _ready_to_send(stage)

    async def look_and_let_in(*rooms: Any, never: frozenset[RoomId]) -> RoomId | None:
        found = await find(*rooms, never=never)
        stage.server.join(room_id, BERT)
        return found

    monkeypatch.setattr("dpobot.jobs.way_out.find", look_and_let_in)
    await stage.pass_time(minutes=1)
    assert stage.files(room_id) == []
    assert await stage.states() == ["working"]
    monkeypatch.undo()
    await _delivered_elsewhere(stage, room_id)


async def test_volumes_of_a_spool_that_was_lost_are_taken_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """One volume is uploaded when the disk dies: the archive is made anew, and only the new one is there."""
    room_id = await stage.meet(ANNA)
    stage.room("books", ANNA, "one")

    async def fail(*_: Any) -> Any:
        raise Unavailable("connection")

    monkeypatch.setattr("dpobot.delivery.parcel.send", fail)
    await stage.ask(room_id, ANNA, "export")
    monkeypatch.undo()
    assert (len(stage.server.media), stage.files(room_id)) == (1, [])
    first = set(stage.server.media)
    for folder in (stage.data / "spool").iterdir():
        shutil.rmtree(folder)
    await stage.pass_time(minutes=1)
    assert (len(stage.files(room_id)), len(stage.server.media)) == (1, 1)
    assert first & set(stage.server.media) == set()
    assert len(stage.own_words(room_id)) == 1
    assert await stage.states() == ["delivered"]


async def test_a_spool_that_is_shorter_than_its_journal_begins_again(stage: Stage, homeserver: StageHomeserver) -> None:
    """A file that lost its end with the machine's power is not packed as if it were whole."""
    room_id = await stage.meet(ANNA)
    stage.room("books", ANNA, "one")
    stage.homeserver.upload(ANNA, b"first", "a.bin")
    stage.homeserver.upload(ANNA, b"second", "b.bin")
    homeserver.after("media_bytes", 1, Unavailable("connection"))
    await stage.ask(room_id, ANNA, "export")
    assert await stage.states() == ["working"]
    for path in (stage.data / "spool").rglob("media.jsonl"):
        path.write_bytes(b"")
    for _ in range(3):
        await stage.pass_time(minutes=1)
    assert await stage.states() == ["delivered"]
    assert len(stage.own_words(room_id)) == 1
    assert stage.homeserver.calls.count("rooms") == 2


async def test_events_that_vanished_from_the_spool_are_missed(stage: Stage) -> None:
    """The journal says how many there must be: what lost some is held, and not passed off as whole."""
    room_id = await stage.meet(ANNA)
    stage.room("books", ANNA, "one")
    stage.homeserver.upload(ANNA, b"first", "a.bin")
    stage.homeserver.fault("media_bytes", Unavailable("connection"))
    await stage.ask(room_id, ANNA, "export")
    for path in (stage.data / "spool").rglob("rooms/*.jsonl"):
        path.write_bytes(b"")
    await stage.pass_time(minutes=1)
    assert (await stage.states(), stage.files(room_id)) == (["held"], [])
