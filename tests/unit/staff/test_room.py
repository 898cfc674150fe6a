"""The staff room is made or adopted, and nothing of staff's work happens where strangers could read."""

import pytest

from dpobot.errors import Rejected, Unavailable
from dpobot.model.ids import UserId
from dpobot.staff.room import StaffRoom
from dpobot.store import bot_state
from tests.fakes.matrix import FakeMatrix
from tests.unit.staff.office import BOT, SIRI, TOM, Office

UMA, VERA = UserId("@uma:dpobot.test"), UserId("@vera:dpobot.test")


async def test_without_a_word_of_it_there_is_none(office: Office) -> None:
    """Neither a room nor members are configured: no request is made."""
    bare = office.again(members=[])
    assert await bare.room.ready() is None
    assert office.server.rooms == {}


async def test_it_is_made_once_encrypted_and_with_the_power_of_staff(office: Office) -> None:
    """Its members are invited with the level; a restart finds it again."""
    room_id = await office.room.ready()
    assert room_id is not None
    room = office.server.rooms[room_id]
    assert (room.encrypted, room.members) == (True, {BOT: "join", SIRI: "invite", TOM: "invite"})
    assert room.levels == {SIRI: 50, TOM: 50}
    assert await office.again().room.ready() == room_id
    assert await office.current() == room_id
    assert len(office.server.rooms) == 1


async def test_a_member_named_later_is_invited_once(office: Office) -> None:
    """With the level, at the next start; whoever has left is not asked again, unless named anew."""
    room_id = await office.opens()
    room = office.server.rooms[room_id]
    assert await office.again(members=[SIRI, TOM, UMA]).room.ready() == room_id
    assert (room.members[UMA], room.levels[UMA]) == ("invite", 50)
    for member in (UMA, TOM):
        office.server.member(room_id, member, "leave")
    assert await office.again(members=[SIRI, TOM, UMA]).room.ready() == room_id
    assert [room.members[member] for member in (SIRI, TOM, UMA)] == ["join", "leave", "leave"]
    await office.again(members=[SIRI, TOM]).room.ready()
    await office.again(members=[SIRI, TOM, UMA]).room.ready()
    assert [room.members[member] for member in (TOM, UMA)] == ["leave", "invite"]


async def test_a_member_who_sits_there_already_gets_the_level(office: Office) -> None:
    """A colleague has invited her; nobody but the bot can give it."""
    room_id = await office.opens()
    office.server.member(room_id, UMA, "join")
    assert UMA not in await office.room.staffing(room_id)
    await office.again(members=[SIRI, TOM, UMA]).room.ready()
    assert UMA in await office.room.staffing(room_id)


async def test_a_member_who_can_not_be_invited_keeps_nobody_out(office: Office) -> None:
    """Tried again at the next start, not every minute."""
    room_id = await office.opens()
    office.server.rooms[room_id].members[UMA] = "ban"
    asked: list[str] = []
    more = office.again(members=[SIRI, TOM, UMA, VERA])
    more.room = StaffRoom(more.database, FakeMatrix(more.server, BOT, asked.append), more.renderer, more, more.config)
    assert [await more.room.ready(), await more.room.ready()] == [room_id, room_id]
    assert (asked.count("invite"), office.server.rooms[room_id].members[VERA]) == (2, "invite")


async def test_into_an_adopted_room_nobody_is_invited(office: Office) -> None:
    """Its members are its owner's business."""
    room_id = office.server.staff_room(SIRI, {}, BOT)
    assert await office.again(room_id=room_id, members=[SIRI, UMA]).room.ready() == room_id
    assert UMA not in office.server.rooms[room_id].members


async def test_it_says_what_it_is_for_once(office: Office) -> None:
    """Also if it is looked at every minute."""
    room_id = await office.opens()
    await office.again().opens()
    assert [event.content["body"].split(".")[0] for event in office.sent(room_id)] == [
        "This is the staff room of the data protection contact"
    ]


async def test_a_crash_before_the_note_makes_a_second_room_and_never_none(office: Office) -> None:
    """The room was made, the answer was lost."""
    office.server.lost_answers["create_private"] = [Unavailable("connection")]
    with pytest.raises(Unavailable):
        await office.room.ready()
    room_id = await office.again().room.ready()
    assert room_id is not None
    assert len(office.server.rooms) == 2
    assert await office.again().room.ready() == room_id


async def test_it_comes_back_into_its_own_room_when_invited_again(office: Office) -> None:
    """Somebody has removed the bot; another room would split the work."""
    room_id = await office.opens()
    await office.matrix.leave(room_id)
    office.server.invite(room_id, SIRI, BOT)
    assert await office.room.ready() == room_id


async def test_an_existing_room_is_adopted(office: Office) -> None:
    """The bot accepts the invitation to the configured one."""
    room_id = office.server.staff_room(SIRI, {}, BOT)
    other = office.again(room_id=room_id)
    assert await other.room.ready() == room_id
    assert office.server.rooms[room_id].members[BOT] == "join"


async def test_a_room_that_is_closed_to_the_bot_is_waited_for(office: Office) -> None:
    """Nobody has invited it yet."""
    room_id = office.server.staff_room(SIRI, {})
    other = office.again(room_id=room_id)
    assert (await other.room.ready(), await other.current()) == (None, None)
    office.server.invite(room_id, SIRI, BOT)
    assert await other.room.ready() == room_id


async def test_a_room_in_clear_is_told_so_once_and_encryption_stays_theirs_to_switch_on(office: Office) -> None:
    """The bot has the power there, and does not use it: encryption can't be undone."""
    room_id = office.server.staff_room(SIRI, {}, BOT, encrypted=False)
    office.server.rooms[room_id].powers.add(BOT)
    other = office.again(room_id=room_id)
    for _ in range(3):
        assert await other.room.ready() is None
        other.waits(minutes=1)
        await other.settle()
    (warning,) = other.sent(room_id)
    assert str(warning.content["body"]).startswith("This room is not encrypted")
    assert office.server.rooms[room_id].encrypted is False
    office.server.rooms[room_id].encrypted = True
    assert await other.room.ready() == room_id


@pytest.mark.parametrize(("join_rule", "history"), [("public", "shared"), ("invite", "world_readable")])
async def test_a_room_that_strangers_can_enter_is_not_used(office: Office, join_rule: str, history: str) -> None:
    """Nor one that they can read; the room hears why."""
    room_id = office.server.staff_room(SIRI, {}, BOT, join_rule=join_rule, history=history)
    other = office.again(room_id=room_id)
    assert await other.room.ready() is None
    await other.settle()
    assert [str(event.content["body"])[:26] for event in other.sent(room_id)] == ["This room lets strangers i"]


async def test_a_room_that_opens_to_strangers_is_left_alone_until_it_is_closed_again(office: Office) -> None:
    """Cases wait meanwhile: none of them is shown, and none is lost."""
    room_id = await office.opens()
    office.server.rooms[room_id].join_rule = "public"
    assert (await office.room.ready(), await office.current()) == (None, None)
    case = await office.case()
    before = len(office.sent(room_id))
    assert await office.board.sweep() == 0
    office.server.rooms[room_id].join_rule = "invite"
    assert await office.room.ready() == room_id
    await office.settle()
    assert case.reference in await office.shown(case)
    assert len(office.sent(room_id)) == before + 2  # what was wrong with the room, and the card


async def test_a_homeserver_that_is_away_changes_nothing(office: Office) -> None:
    """It says nothing about the room."""
    room_id = await office.opens()
    office.server.faults["room"] = [Unavailable("connection")]
    with pytest.raises(Unavailable):
        await office.room.ready()
    assert await office.current() == room_id


async def test_a_refusal_to_make_it_is_no_end_of_the_bot(office: Office) -> None:
    """It tries again at the next look."""
    office.server.faults["create_private"] = [Rejected("M_FORBIDDEN", 403)]
    assert await office.room.ready() is None
    assert await office.room.ready() is not None


async def test_staff_is_who_sits_there_with_the_power_now(office: Office) -> None:
    """Not who is invited, not who was, not who looks alike, and not the bot."""
    room_id = await office.room.ready()
    assert room_id is not None
    assert await office.room.staffing(room_id) == frozenset()
    lookalike = UserId("@sіri:dpobot.test")  # noqa: RUF001 - a Cyrillic letter is the point
    for user in (SIRI, TOM, lookalike):
        office.server.join(room_id, user)
    assert await office.room.staffing(room_id) == {SIRI, TOM}
    office.server.rooms[room_id].levels[TOM] = 49
    assert await office.room.staffing(room_id) == {SIRI}
    office.server.member(room_id, SIRI, "leave")
    assert await office.room.staffing(room_id) == frozenset()


async def test_nobody_is_staff_where_it_is_not_encrypted_or_closed_to_us(office: Office) -> None:
    """Whatever power they have."""
    room_id = await office.opens()
    office.server.rooms[room_id].encrypted = False
    assert await office.room.staffing(room_id) == frozenset()
    await office.matrix.leave(room_id)
    assert await office.room.staffing(room_id) == frozenset()


async def test_it_knows_which_room_it_is_meant_to_be(office: Office) -> None:
    """The configured one, else the one that it made."""
    made = await office.opens()
    configured = office.server.staff_room(SIRI, {}, BOT)
    other = office.again(room_id=configured)
    assert [await office.room.is_meant(made), await office.room.is_meant(configured)] == [True, False]
    assert [await other.room.is_meant(made), await other.room.is_meant(configured)] == [False, True]


async def test_when_it_is_no_longer_wanted_it_is_forgotten(office: Office) -> None:
    """The reminders, which read its name, fall silent."""
    await office.opens()
    assert await office.again(members=[]).room.ready() is None
    assert await office.read(lambda tx: bot_state.get(tx, bot_state.STAFF_ROOM)) is None
