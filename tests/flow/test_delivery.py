"""The room is looked at again at the moment of delivery: whoever joined, left or broke it, no file goes astray."""

from dpobot.errors import Unavailable
from dpobot.model.ids import RoomId, UserId
from tests.flow.conftest import ANNA, BERT
from tests.flow.stage import BOT, Stage


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
    await stage.pass_time(minutes=15)
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
