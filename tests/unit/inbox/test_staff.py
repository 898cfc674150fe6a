"""Who may say what in the staff room, and where the answer goes."""

import re
from pathlib import Path

import pytest

from dpobot.cases import decisions, identity
from dpobot.cases.service import Conflict
from dpobot.delivery.messages import Address, post
from dpobot.errors import Unavailable
from dpobot.model.ids import EventId, UserId
from dpobot.model.records import Reply
from dpobot.model.words import Trust
from dpobot.store.database import Database
from dpobot.text.render import Renderer, templates_folder
from tests.fakes.matrix import FakeServer
from tests.flow.conftest import ANNA, world
from tests.flow.stage import BOT, play
from tests.unit.inbox.conftest import MALLORY, SIRI, TOM, Room
from tests.unit.text.samples import GLOBALS


async def test_a_command_in_a_thread_is_answered_there(room: Room) -> None:
    """And does what it says."""
    card = await room.card()
    answers = await room.hears(SIRI, "claim", card)
    assert len(answers) == 1
    assert str(room.server.thread(card)[-1].content["body"]) == answers[0]
    assert await room.assignees() == [SIRI]


async def test_a_command_in_the_main_time_line_is_answered_there(room: Room) -> None:
    """Not in a thread."""
    card = await room.card()
    before = len(room.server.thread(card))
    assert len(await room.hears(SIRI, "queue")) == 1
    assert len(room.server.thread(card)) == before


async def test_a_reply_to_the_card_counts_as_its_thread(room: Room) -> None:
    """Clients without threads write that."""
    relation = {"m.in_reply_to": {"event_id": await room.card()}}
    content = {"msgtype": "m.text", "body": "claim", "m.relates_to": relation}
    await room.after(room.server.say(room.id, SIRI, content))
    assert await room.assignees() == [SIRI]


async def test_text_in_a_thread_is_a_note_and_talk_elsewhere_is_nobodys_business(room: Room) -> None:
    """The one is kept sealed, the other is not kept at all; neither is answered, nor reaches the person."""
    before = room.stage.said(room.direct)
    assert await room.hears(SIRI, "she called me as well", await room.card()) == []
    assert await room.hears(SIRI, "who wants coffee?") == []
    assert await room.notes() == [SIRI]
    assert room.stage.said(room.direct) == before
    assert [row["sealed"] for row in await room.stage.rows("inbox") if row["room_id"] == room.id] == [None, None]


async def test_what_is_replied_reaches_the_person_after_a_while(room: Room) -> None:
    """So long it can be taken back."""
    before = len(room.stage.said(room.direct))
    await room.hears(SIRI, "reply We are looking into it.", await room.card())
    assert len(room.stage.said(room.direct)) == before
    await room.stage.pass_time(seconds=11)
    assert "We are looking into it." in room.stage.said(room.direct)[-1]


async def test_who_is_not_staff_is_refused_a_command_once_and_not_bothered_for_talk(room: Room) -> None:
    """Sitting in the room is not enough."""
    card = await room.card()
    (refusal,) = await room.hears(MALLORY, "claim", card)
    assert refusal.startswith(f"`{MALLORY}`: this was not done")
    assert await room.hears(MALLORY, "close", card) == []
    assert await room.hears(MALLORY, "just talking", card) == []
    assert (await room.assignees(), await room.notes()) == ([None], [])
    await room.stage.pass_time(minutes=11)
    assert len(await room.hears(MALLORY, "claim", card)) == 1


async def test_power_and_membership_count_at_the_moment_of_the_message(room: Room) -> None:
    """A member who was removed is staff no more, though the bot knows them well."""
    card = await room.card()
    await room.hears(TOM, "claim", card)
    room.server.rooms[room.id].levels[TOM] = 0
    assert "power level" in (await room.hears(TOM, "close", card))[0]
    room.server.text(room.id, SIRI, "claim")
    room.server.member(room.id, SIRI, "leave")
    await room.stage.settle()
    assert [row["state"] for row in await room.stage.rows("case")] == ["review"]


@pytest.mark.parametrize("name", ["@sіri:dpobot.test", "@siri:dpobot.test.evil.example", "@SIRI:dpobot.test"])  # noqa: RUF001
async def test_a_look_alike_is_somebody_else(room: Room, name: str) -> None:
    """The whole user ID counts, character by character."""
    room.server.join(room.id, UserId(name))
    (refusal,) = await room.hears(UserId(name), "claim", await room.card())
    assert "this was not done" in refusal
    assert await room.assignees() == [None]


@pytest.mark.parametrize(
    ("trust", "words"),
    [
        (Trust.UNSIGNED, "a device that you have not verified"),
        (Trust.MISMATCH, "its keys belong to none of your devices"),
        (Trust.UNKNOWN, "could not be checked just now"),
    ],
)
async def test_an_untrusted_device_does_nothing_not_even_a_note(room: Room, trust: Trust, words: str) -> None:
    """A sentence says why."""
    room.server.devices[SIRI] = trust
    (refusal,) = await room.hears(SIRI, "claim", await room.card())
    assert words in refusal
    await room.hears(SIRI, "a note", await room.card())
    assert (await room.assignees(), await room.notes()) == ([None], [])


async def test_an_identity_that_has_changed_is_not_trusted(room: Room) -> None:
    """The key was pinned with the first command."""
    await room.hears(SIRI, "queue")
    room.server.identities[SIRI] = "another-master-key"
    (refusal,) = await room.hears(SIRI, "claim", await room.card())
    assert "identity has changed" in refusal
    assert f"`dpobot trust {SIRI}`" in refusal
    assert await room.assignees() == [None]


async def test_an_identity_that_an_admin_accepts_is_trusted_from_the_next_message_on(room: Room) -> None:
    """The new one alone: another change is refused again."""
    await room.hears(SIRI, "queue")
    room.server.identities[SIRI] = "another-master-key"
    await room.stage.database.write(lambda tx: identity.accept_new(tx, room.server.now, SIRI, "admin"))
    await room.hears(SIRI, "claim", await room.card())
    assert await room.assignees() == [SIRI]
    room.server.identities[SIRI] = "yet-another-key"
    (refusal,) = await room.hears(SIRI, "close", await room.card())
    assert "identity has changed" in refusal


async def test_when_staff_have_made_sure_of_a_person_their_new_identity_counts(room: Room) -> None:
    """Their next request is no longer one of an unknown."""
    room.server.identities[ANNA] = "another-master-key"
    await room.stage.ask(room.direct, ANNA, "access please")
    (answer,) = await room.hears(SIRI, "verify called back on the number in the account", await room.card())
    assert "Their identity had changed" in answer
    await room.stage.ask(room.direct, ANNA, "rectify my name")
    await room.stage.ask(room.direct, ANNA, "object to that")
    trusts = [row["trust"] for row in await room.stage.rows("case")]
    assert trusts == ["signed", "identity_changed", "signed", "signed"]
    accepted = [row["actor"] for row in await room.stage.rows("audit") if "identity_accepted" in row["action"]]
    assert accepted == [SIRI, ANNA]


async def test_verifying_any_other_case_leaves_the_known_identity_alone(room: Room) -> None:
    """A request by post says nothing about keys."""
    (answer,) = await room.hears(SIRI, "verify she came to the counter", await room.card())
    assert "identity" not in answer
    assert {row["user_id"]: row["master_key"] for row in await room.stage.rows("person")}[ANNA] == f"master-{ANNA}"


async def test_a_message_in_clear_is_not_taken(room: Room) -> None:
    """Any server could have written it."""
    content = {"msgtype": "m.text", "body": "queue"}
    (refusal,) = await room.after(room.server.say(room.id, SIRI, content, encrypted=False))
    assert "was not encrypted" in refusal


async def test_a_reaction_of_staff_is_a_shortcut(room: Room) -> None:
    """With or without the variation selector; of nobody else."""
    card = await room.card()
    assert await room.after(room.server.react(room.id, MALLORY, card, "✋")) == []
    assert await room.assignees() == [None]
    await room.after(room.server.react(room.id, SIRI, card, "✋\ufe0f"))
    assert await room.assignees() == [SIRI]


async def test_an_approving_reaction_to_the_plan_is_told_that_codes_are_typed(room: Room) -> None:
    """As one to the card is; a shortcut there is none, and nobody else is told."""
    card = await room.card()
    await room.hears(SIRI, "refuse scope Not ours.", card)
    plan = room.server.thread(card)[-1]
    assert plan.sender == BOT
    assert await room.after(room.server.react(room.id, MALLORY, plan.event_id, "✅")) == []
    assert await room.after(room.server.react(room.id, SIRI, plan.event_id, "✋")) == []
    (answer,) = await room.after(room.server.react(room.id, SIRI, plan.event_id, "👍🏽"))
    assert "reactions are not encrypted" in answer
    assert room.server.thread(card)[-1].content["body"] == answer
    assert [row["state"] for row in await room.stage.rows("case")] == ["review"]


async def test_a_reaction_to_anything_else_or_anywhere_else_is_nothing(room: Room) -> None:
    """Not even stored where it is no shortcut."""
    other = room.server.text(room.id, TOM, "hello")
    assert await room.after(room.server.react(room.id, SIRI, other, "✋")) == []
    room.server.react(room.direct, ANNA, EventId("$any"), "✋")
    await room.stage.settle()
    assert [row["room_id"] for row in await room.stage.rows("inbox") if row["kind"] == "reaction"] == [room.id]


async def test_an_edit_of_a_command_changes_nothing(room: Room) -> None:
    """Staff hear that changes are not followed; an edited chat message is nobody's business."""
    card = await room.card()
    note = room.server.in_thread(room.id, SIRI, card, "a note")
    chat = room.server.text(room.id, SIRI, "hello")
    await room.stage.settle()
    assert len(await room.after(room.server.edit(room.id, SIRI, note, "another note"))) == 1
    assert len(await room.after(room.server.edit(room.id, SIRI, chat, "queue"))) == 1
    assert await room.after(room.server.edit(room.id, SIRI, chat, "hello all")) == []


async def test_the_second_of_two_is_told_that_the_case_has_changed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they had begun is rolled back."""

    async def conflict(*_: object) -> None:
        raise Conflict("the case has changed")

    with monkeypatch.context() as patched:
        patched.setattr(decisions, "claim", conflict)
        (answer,) = await room.hears(SIRI, "claim", await room.card())
    assert answer.startswith("I did nothing: a colleague was faster")
    assert await room.assignees() == [None]


async def test_an_unexpected_error_has_a_number_and_the_next_message_is_served(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number leads to the log."""

    async def broken(*_: object) -> None:
        raise KeyError("defect")

    card = await room.card()
    with monkeypatch.context() as patched:
        patched.setattr(decisions, "claim", broken)
        room.server.in_thread(room.id, SIRI, card, "claim")
        for _ in range(6):
            await room.stage.pass_time(minutes=5)
    assert f"`{SIRI}`: something went wrong on my side" in room.stage.said(room.id)[-1]
    await room.hears(SIRI, "claim", card)
    assert await room.assignees() == [SIRI]


async def test_a_homeserver_that_is_away_puts_a_command_off(room: Room) -> None:
    """It is done once, when the server is back."""
    room.server.faults["powers"] = [Unavailable("connection")]
    assert await room.hears(SIRI, "claim", await room.card()) == []
    await room.stage.pass_time(seconds=4)
    assert await room.assignees() == [SIRI]


async def test_what_can_not_be_read_is_said_to_staff_once(room: Room) -> None:
    """And dealt with should the key still come."""
    await room.stage.pass_time(seconds=1)  # today's digest
    plain = {"msgtype": "m.text", "body": "queue"}
    for number in range(2):
        raw = {"session_id": f"late{number}", "plain": plain}
        room.server.say(room.id, SIRI, raw, type="m.room.encrypted", undecryptable="no_session", origin=None)
    await room.stage.settle()
    before = len(room.stage.said(room.id))
    await room.stage.pass_time(seconds=30)
    said = room.stage.said(room.id)[before:]
    assert [words.partition(": ")[2][:31] for words in said] == ["I could not decrypt your messag"]
    room.server.late_keys.add("late0")
    await room.stage.settle()
    assert len(room.stage.said(room.id)) == before + 2


async def test_an_invitation_to_another_group_is_as_before(room: Room) -> None:
    """Only the configured room is no direct message."""
    group = room.server.staff_room(MALLORY, {}, BOT)
    await room.stage.settle()
    assert len(room.stage.said(group)) == 1
    assert await room.stage.bot.staff_room.current() == room.id


async def test_a_staff_command_in_ones_own_direct_message_is_a_persons_word(room: Room) -> None:
    """Whoever says it there talks to the person's desk."""
    direct = await room.stage.meet(SIRI)
    await room.stage.ask(direct, SIRI, "claim")
    assert await room.assignees() == [None]


async def test_the_staff_room_is_nobodys_direct_message(room: Room) -> None:
    """Though nobody but Siri and the bot is left in it: what is meant for Siri goes to a room of her own."""
    await room.hears(SIRI, "queue")
    for member in (TOM, MALLORY):
        room.server.member(room.id, member, "leave")
    before = len(room.stage.said(room.id))
    words = Reply("staff_reply", {"reference": "DPO-2026-0009", "lines": ["for Siri"], "file_count": 0})
    bot, now = room.stage.bot, room.server.now
    renderer = Renderer(templates_folder(), GLOBALS)
    for number, address in enumerate((Address(SIRI), Address(SIRI, room.id))):
        await bot.database.write(lambda tx, to=address, n=number: post(tx, renderer, now, to, words, f"siri{n}"))  # type: ignore[misc] # bound per turn
    await room.stage.settle()
    assert room.stage.said(room.id)[before:] == []
    rooms = [room_id for room_id, each in room.server.rooms.items() if SIRI in each.members and room_id != room.id]
    assert [len(room.stage.said(room_id)) for room_id in rooms] == [1]
    assert {row["user_id"]: row["room_id"] for row in await room.stage.rows("person")}[SIRI] is None


async def test_what_was_the_staff_room_is_no_direct_message_either(
    room: Room, sqlite_database: Database, tmp_path: Path
) -> None:
    """A new one is configured, Siri alone has stayed in the old one: she is sent elsewhere."""
    server, data = room.server, tmp_path / "data"
    for member in (TOM, MALLORY):
        server.member(room.id, member, "leave")
    new = server.staff_room(TOM, {}, BOT)
    async with play(sqlite_database, data, server, world(server), staff={"room_id": new}) as stage:
        await stage.settle()
        (answer,) = await stage.ask(room.id, SIRI, "status")
        assert answer.startswith("This is, or once was, the room of the DPO team")
        assert SIRI not in [row["user_id"] for row in await stage.rows("person") if row["room_id"] is not None]


async def test_an_invitation_to_the_configured_room_is_accepted(sqlite_database: Database, tmp_path: Path) -> None:
    """Though it is no direct message; from then on it is the staff room, and its first command is answered."""
    server, data = FakeServer(), tmp_path / "data"
    data.mkdir(mode=0o700)
    room_id = server.staff_room(SIRI, {TOM: 50})
    async with play(sqlite_database, data, server, world(server), staff={"room_id": room_id}) as stage:
        assert await stage.bot.staff_room.current() is None
        server.invite(room_id, SIRI, BOT)
        await stage.settle()
        assert await stage.bot.staff_room.current() == room_id
        assert stage.said(room_id)[0].startswith("This is the staff room")
        assert len(await stage.ask(room_id, TOM, "queue")) == 1


async def test_in_a_room_that_may_not_be_used_nothing_is_answered(sqlite_database: Database, tmp_path: Path) -> None:
    """But the sentence that says why; a person's side works all the same."""
    server, data = FakeServer(), tmp_path / "data"
    data.mkdir(mode=0o700)
    room_id = server.staff_room(SIRI, {TOM: 50}, BOT, encrypted=False)
    async with play(sqlite_database, data, server, world(server), staff={"room_id": room_id}) as stage:
        await stage.settle()
        await stage.ask(room_id, TOM, "queue")
        assert [words[:26] for words in stage.said(room_id)] == ["This room is not encrypted"]
        direct = await stage.meet(ANNA)
        assert len(await stage.ask(direct, ANNA, "complaint my data were lost")) == 1


async def test_a_typed_code_that_came_too_late_is_answered_in_the_main_time_line(room: Room) -> None:
    """As a code, not as talk: also when it stands alone, and its time is over."""
    await room.hears(SIRI, "pause-deliveries a key was lost")
    await room.stage.pass_time(seconds=1)
    (answer,) = await room.hears(SIRI, "resume-deliveries")
    code = re.search(r"\b[A-HJ-NP-Z2-9]{6}\b", answer)
    assert code is not None, answer
    await room.stage.pass_time(minutes=45)
    (refusal,) = await room.hears(SIRI, code[0])
    assert code[0] not in refusal
