"""Somebody writes to the bot for the first time: greeted once, answered at once, and only where it is safe."""

from dpobot.model.ids import UserId
from tests.flow.conftest import ANNA, BERT
from tests.flow.planted import BODY
from tests.flow.stage import BOT, Stage

STRANGER = UserId("@carla:elsewhere.test")


async def test_an_invitation_is_accepted_and_greeted(stage: Stage) -> None:
    """Anna hears one greeting, with what she can say."""
    room_id = await stage.meet(ANNA)
    (greeting,) = stage.said(room_id)
    assert "data protection contact" in greeting
    assert "export" in greeting


async def test_a_command_that_comes_with_the_invitation_is_answered(stage: Stage) -> None:
    """What Anna wrote before the bot was in the room is not lost."""
    room_id = stage.server.room(ANNA, BOT)
    stage.server.text(room_id, ANNA, "rights")
    await stage.settle()
    greeting, rights = stage.said(room_id)
    assert "Hello!" in greeting
    assert "eight rights" in rights


async def test_nobody_is_greeted_twice(stage: Stage) -> None:
    """A second chat of the same person opens in silence, and answers there all the same."""
    first = await stage.meet(ANNA)
    second = await stage.meet(ANNA)
    assert (len(stage.said(first)), stage.said(second)) == (1, [])
    (answer,) = await stage.ask(second, ANNA, "rights")
    assert "eight rights" in answer


async def test_two_people_are_greeted_each(stage: Stage) -> None:
    """Greeting Anna does not use up Bert's greeting."""
    rooms = [await stage.meet(ANNA), await stage.meet(BERT)]
    assert [len(stage.said(room_id)) for room_id in rooms] == [1, 1]


async def test_a_group_hears_why_nothing_is_dealt_with_there(stage: Stage) -> None:
    """One sentence for the invitation and the words that came with it; no case, no greeting."""
    room_id = stage.server.room(ANNA, BOT, BERT)
    stage.server.join(room_id, BERT)
    stage.server.text(room_id, ANNA, "export")
    stage.server.text(room_id, BERT, f"{BODY} what is this")
    await stage.settle()
    said = stage.said(room_id)
    assert len(said) == 2  # one to each of the two who wrote
    assert all("other people in this room" in sentence for sentence in said)
    assert await stage.rows("case") == []
    assert await stage.ask(room_id, ANNA, "export") == []


async def test_encryption_is_switched_on_where_the_bot_may(stage: Stage) -> None:
    """An unencrypted direct message becomes an encrypted one, and what was said before is not acted on."""
    room_id = stage.server.room(ANNA, BOT, encrypted=False)
    stage.server.text(room_id, ANNA, "export")
    await stage.settle()
    assert stage.server.rooms[room_id].encrypted
    greeting, again = stage.said(room_id)
    assert "Hello!" in greeting
    assert "came without encryption" in again
    assert await stage.rows("case") == []
    assert len(await stage.ask(room_id, ANNA, "export")) > 0
    assert await stage.states() == ["delivered"]


async def test_where_it_may_not_it_says_how_to_get_an_encrypted_room(stage: Stage) -> None:
    """One sentence, without anything of the person; no case comes of it."""
    room_id = stage.server.room(ANNA, BOT, encrypted=False)
    stage.server.rooms[room_id].powers = {ANNA}
    stage.server.text(room_id, ANNA, f"export {BODY}")
    stage.server.text(room_id, ANNA, "status")
    await stage.settle()
    (sentence,) = stage.said(room_id)
    assert "not encrypted" in sentence
    assert [word for word in ("DPO-", "anna", BODY) if word in sentence] == []
    assert await stage.rows("case") == []


async def test_a_cleartext_message_in_an_encrypted_room_does_nothing(stage: Stage) -> None:
    """A server could have made it up: the bot asks for it again."""
    room_id = await stage.meet(ANNA)
    stage.server.say(room_id, ANNA, {"msgtype": "m.text", "body": "export"}, encrypted=False)
    await stage.settle()
    assert "came without encryption" in stage.said(room_id)[-1]
    assert await stage.rows("case") == []


async def test_an_invitation_that_is_withdrawn_stops_nobody(stage: Stage) -> None:
    """The room is gone before the bot comes; the next person is served."""
    room_id = stage.server.room(ANNA, BOT)
    invitation = stage.server.invites[-1]
    del stage.server.rooms[room_id].members[BOT]
    await stage.settle()
    stage.server.rooms[room_id].members[BOT] = "invite"
    stage.server.invites.append(invitation)
    stage.server.faults["join"] = []
    assert len(stage.said(await stage.meet(BERT))) == 1


async def test_somebody_who_left_meanwhile_gets_no_answer_there(stage: Stage) -> None:
    """Nobody who could read it is the one it was meant for."""
    room_id = await stage.meet(ANNA)
    stage.server.text(room_id, ANNA, "cases")
    stage.server.member(room_id, ANNA, "leave")
    await stage.settle()
    assert len(stage.said(room_id)) == 1


async def test_somebody_from_another_server_is_served_too(stage: Stage) -> None:
    """Their request waits for a human, and they hear why."""
    room_id = await stage.meet(STRANGER)
    (answer,) = await stage.ask(room_id, STRANGER, "export")
    assert "on another server" in answer
    assert await stage.states() == ["review"]


async def test_programs_and_reactions_are_not_answered(stage: Stage) -> None:
    """Two bots in a room must not talk to each other for ever."""
    room_id = await stage.meet(ANNA)
    stage.server.say(room_id, ANNA, {"msgtype": "m.notice", "body": "export"})
    stage.server.say(room_id, ANNA, {"m.relates_to": {"rel_type": "m.annotation", "key": "+"}}, type="m.reaction")
    await stage.settle()
    assert len(stage.said(room_id)) == 1
    assert await stage.rows("case") == []
