"""Attacks on the staff room and on cases, each with the sentence that comes back."""

from collections import Counter

import pytest

from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.model.words import Trust
from tests.flow.conftest import ANNA, BERT
from tests.flow.planted import BODY
from tests.flow.stage import BOT, Stage, reference
from tests.flow.team import DORA, EMIL, Team, code

LOOK_ALIKE = UserId("@d\u043era:dpobot.test")  # with a Cyrillic o


async def _complaint(team: Team, person: UserId = ANNA, words: str = BODY) -> tuple[RoomId, str]:
    room_id = await team.stage.meet(person)
    return room_id, reference(await team.stage.ask(room_id, person, f"complaint {words}"))


# Approvals


@pytest.mark.parametrize("key", ["✅", "👍", "👍🏽", "✔\ufe0f"])
async def test_a_forged_reaction_approves_nothing(team: Team, key: str) -> None:
    """Reactions are not encrypted: whoever runs a server of the room can write them in Dora's name."""
    _, case = await _complaint(team)
    (answer,) = await team.reacts(DORA, key, case)
    assert answer == (
        f"Nothing has happened: reactions are not encrypted and can be forged, so {case} is not approved by one. "
        "Type `approve`, look at what it would do, and type the code."
    )
    assert await team.stage.states() == ["review"]


async def test_a_reaction_to_the_plan_itself_approves_nothing(team: Team) -> None:
    """The code must be typed, and a prompt is a row of ours, not an event that can be pointed at."""
    stage = team.stage
    _, case = await _complaint(team)
    (plan,) = await team.says(DORA, "approve", case)
    shown = stage.server.thread(team.cards()[case])[-1]
    assert str(shown.content["body"]) == plan
    before = len(team.thread(case))
    stage.server.react(team.room, DORA, shown.event_id, "✅")
    relation = {"rel_type": "m.thread", "event_id": team.cards()[case], "m.in_reply_to": {"event_id": shown.event_id}}
    stage.server.say(team.room, DORA, {"msgtype": "m.text", "body": "yes", "m.relates_to": relation})
    await stage.settle()
    (answer,) = team.thread(case)[before:]
    assert "reactions are not encrypted and can be forged" in answer
    assert await stage.states() == ["review"]


async def test_a_code_of_another_case(team: Team) -> None:
    """A code opens one door."""
    _, first = await _complaint(team)
    _, second = await _complaint(team, BERT)
    typed = code(await team.says(DORA, "approve", first))
    for words in (f"approve {typed}", typed):
        (answer,) = await team.says(DORA, words, second)
        assert answer == f"I did nothing: this code belongs to {first}, and you wrote it for {second}."
    assert await team.stage.states() == ["review", "review"]


async def test_a_code_of_another_command(team: Team) -> None:
    """Nor does it do anything else to the same case."""
    _, case = await _complaint(team)
    typed = code(await team.says(DORA, "refuse other No.", case))
    (answer,) = await team.says(DORA, f"approve {typed}", case)
    assert answer == "I did nothing: this code belongs to `refuse`, not to `approve`."
    assert await team.stage.states() == ["review"]


async def test_an_expired_code(team: Team) -> None:
    """After half an hour the plan must be looked at again."""
    _, case = await _complaint(team)
    typed = code(await team.says(DORA, "approve", case))
    await team.stage.pass_time(minutes=31)
    (answer,) = await team.says(DORA, typed, case)
    assert answer.startswith("I did nothing: this code has expired, ")
    assert answer.endswith("A new one: `approve`")
    assert await team.stage.states() == ["review"]


async def test_a_code_that_was_used(team: Team) -> None:
    """Once is once."""
    _, case = await _complaint(team)
    typed = code(await team.says(DORA, "approve", case))
    await team.says(DORA, typed, case)
    (answer,) = await team.says(DORA, f"approve {typed}", case)
    assert answer.startswith("I did nothing: this code was used for `approve` already, ")
    rows = Counter(row["action"] for row in await team.stage.rows("audit"))
    assert rows["case.approved"] == 1


async def test_a_code_that_was_guessed(team: Team) -> None:
    """And one that was mistyped."""
    _, case = await _complaint(team)
    await team.says(DORA, "approve", case)
    (answer,) = await team.says(DORA, "approve 222222", case)
    assert "I don\u2019t know this code." in answer
    assert await team.stage.states() == ["review"]


async def test_the_person_types_the_code(team: Team) -> None:
    """However Anna came by it: in her room it is a word like any other, and goes into her case."""
    stage = team.stage
    room_id, case = await _complaint(team)
    typed = code(await team.says(DORA, "approve", case))
    for words in (f"approve {typed}", typed):
        await stage.ask(room_id, ANNA, words)
    assert "is approved" not in "\n".join(stage.said(room_id))
    assert f"│ approve {typed}" in "\n".join(team.thread(case))
    assert await stage.states() == ["review"]


# Rooms and names


@pytest.mark.parametrize("words", ["queue", "approve DPO-2026-0001", "refuse DPO-2026-0001 other No.", "stats"])
async def test_a_staff_command_in_a_direct_message(team: Team, words: str) -> None:
    """Neither Anna nor Dora gets more there than anybody would; the staff room hears nothing of it."""
    stage = team.stage
    await _complaint(team, BERT)
    before = team.main()
    for person in (ANNA, DORA):
        room_id = await stage.meet(person)
        (answer,) = await stage.ask(room_id, person, words)
        assert answer.startswith("I am a program and don\u2019t understand that."), answer
        assert str(BERT) not in answer
    assert team.main() == before
    assert await stage.states() == ["review"]


async def test_a_look_alike_in_the_staff_room(team: Team) -> None:
    """Somebody is let in who looks like Dora, but has no power there."""
    stage = team.stage
    _, case = await _complaint(team)
    stage.server.join(team.room, LOOK_ALIKE)
    (answer,) = await team.says(LOOK_ALIKE, "claim", case)
    assert "this was not done. You don\u2019t have the power level in this room" in answer
    assert str(DORA) not in answer
    assert (await stage.rows("case"))[0]["assignee"] is None
    (assigned,) = await team.says(DORA, f"assign {LOOK_ALIKE}", case)
    assert "is not staff in this room" in assigned


async def test_a_look_alike_is_not_opened_a_case_for(team: Team) -> None:
    """The sentence names the letter that is not what it seems."""
    (answer,) = await team.says(EMIL, "open export @\u0430nna:dpobot.test post 2026-11-20")
    assert answer == (
        "I opened nothing: character 2 of this user ID is not a plain one (Cyrillic small letter a). It looks like "
        "another account, and is none that a person can have. Please type it, rather than copy it."
    )
    assert await team.stage.rows("case") == []


async def test_a_look_alike_asks_for_herself(team: Team) -> None:
    """Her case is hers; on the card every letter that is not plain is spelled out."""
    person = UserId("@\u0430nna:elsewhere.example")
    room_id, case = await _complaint(team, person)
    assert "Person: `@\\u0430nna:elsewhere.example`" in team.card(case)
    _, real = await _complaint(team, ANNA)
    assert case != real
    (status,) = await team.stage.ask(room_id, person, f"status {real}")
    assert str(ANNA) not in status
    assert "complaint" not in status  # somebody else's number is as unknown as one that was never given out


NASTY = (
    "claim\napprove\nreply I am Dora\n@room @dora:dpobot.test"
    "<script>alert(1)</script><a href='https://evil.example'>x</a>"
    "<mx-reply>approve</mx-reply> **bold** [link](https://evil.example) \u202eevorppa"
)


async def test_words_that_hold_commands_markup_and_mentions(team: Team) -> None:
    """They are quoted: nothing of them is done, nothing of them is markup, nobody is notified."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    named = {"membership": "join", "displayname": f"approve <b>x</b> {DORA} @room"}
    stage.server.say(room_id, ANNA, named, type="m.room.member", state_key=ANNA, encrypted=False)
    case = reference(await stage.ask(room_id, ANNA, f"complaint {NASTY}"))
    (words,) = stage.server.thread(team.cards()[case])
    assert "│ claim\n│ approve\n│ reply I am Dora" in words.content["body"]
    assert "&lt;script&gt;" in words.content["formatted_body"]
    assert [tag for tag in ("<script", "<a ", "<mx-reply", "<b>") if tag in words.content["formatted_body"]] == []
    assert "\u202e" not in words.content["body"] + words.content["formatted_body"]
    (row,) = await stage.rows("case")
    assert (row["state"], row["assignee"]) == ("review", None)
    assert _mentions(team) == []


async def test_a_file_name_that_holds_a_command_and_markup(team: Team) -> None:
    """In the thread it is a name, without its path and its tricks."""
    stage = team.stage
    room_id, case = await _complaint(team)
    stage.server.attach(room_id, ANNA, b"pixels", "../../approve <img src=x> @room\u202egpj.exe")
    await stage.settle()
    sent = stage.server.thread(team.cards()[case])[1:]
    (line,), (file,) = ([event for event in sent if ("file" in event.content) is is_file] for is_file in (False, True))
    assert "<img" not in line.content["formatted_body"]
    assert file.content["filename"] == file.content["body"]
    assert not {"/", "\u202e"} & set(file.content["filename"])
    assert await stage.states() == ["review"]
    assert _mentions(team) == []


async def test_what_staff_write_is_text_for_the_person_as_well(team: Team) -> None:
    """A reply can't bring markup or a mention into Anna's room."""
    stage = team.stage
    room_id, case = await _complaint(team)
    await team.says(DORA, f"reply <b>Dear</b> {EMIL} @room", case)
    await stage.pass_time(seconds=11)
    content = stage.server.heard(room_id, BOT)[-1].content
    assert "&lt;b&gt;Dear" in content["formatted_body"]
    assert content["m.mentions"] == {}


def _mentions(team: Team) -> list[object]:
    said = [event.content for event in team.stage.server.heard(team.room, BOT) if event.type == "m.room.message"]
    return [content["m.mentions"] for content in said if content["m.mentions"] != {}]


# Changes of what was said


async def test_an_edit_changes_no_words_of_the_person(team: Team) -> None:
    """What Anna wrote first stands in her case, whatever her client shows later."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    event_id = stage.server.text(room_id, ANNA, f"complaint {BODY} first")
    await stage.settle()
    stage.server.edit(room_id, ANNA, event_id, f"complaint {BODY} second")
    stage.server.edit(room_id, ANNA, event_id, "cancel")
    await stage.settle()
    assert "You changed an earlier message. What I had taken from it stays as it was" in stage.said(room_id)[-1]
    thread = "\n".join(team.thread(reference(stage.said(room_id))))
    assert f"{BODY} first" in thread
    assert f"{BODY} second" not in thread
    assert await stage.states() == ["review"]


async def test_an_edit_changes_no_command_of_staff(team: Team) -> None:
    """Neither the reply that was taken, nor a note into a command, nor a plan into its code."""
    stage = team.stage
    room_id, case = await _complaint(team)
    root = team.cards()[case]
    reply = stage.server.in_thread(team.room, DORA, root, "reply first words")
    note = stage.server.in_thread(team.room, DORA, root, "a note")
    await stage.settle()
    typed = code(await team.says(DORA, "approve", case))
    answers = [
        await _edited(team, reply, "reply second words", case),
        await _edited(team, note, "close: it is over", case),
        await _edited(team, note, typed, case),
    ]
    sentence = (
        "I don\u2019t follow changes to earlier messages: what was written first counts. "
        "If you meant something else, please write it anew."
    )
    assert answers == [[sentence]] * 3
    await stage.pass_time(seconds=11)
    assert "first words" in stage.said(room_id)[-1]
    assert "second words" not in "\n".join(stage.said(room_id))
    assert await stage.states() == ["review"]


async def _edited(team: Team, event_id: EventId, words: str, case: str) -> list[str]:
    before = len(team.thread(case)), len(team.main())
    team.stage.server.edit(team.room, DORA, event_id, words)
    await team.stage.settle()
    return team.thread(case)[before[0] :] + team.main()[before[1] :]


# Unverified requests


async def test_an_unverified_request_blocks_no_verified_one(team: Team) -> None:
    """Somebody at Anna's unlocked old phone asks first; Anna still gets her copy."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    stage.server.devices[ANNA] = Trust.UNSIGNED
    first = reference(await stage.ask(room_id, ANNA, "export"))
    (same,) = await stage.ask(room_id, ANNA, "export")
    assert first in same
    stage.server.devices[ANNA] = Trust.SIGNED
    second = reference(await stage.ask(room_id, ANNA, "export"))
    assert second != first
    assert await stage.states() == ["review", "delivered"]
    assert "Who asks: not verified: a device that its owner has not signed" in team.card(first)
    (refusal,) = await team.says(DORA, "approve", first)
    assert f"it is not known who asks in {first}" in refusal


async def test_an_unverified_device_changes_no_verified_case(team: Team) -> None:
    """It can neither take it back, nor write into it, nor end a pause of it; nor merge a complaint with it."""
    stage = team.stage
    room_id, case = await _complaint(team)
    await team.says(DORA, "pause Which month?", case)
    before = team.thread(case)
    stage.server.devices[ANNA] = Trust.UNSIGNED
    (cancel,) = await stage.ask(room_id, ANNA, f"cancel {case}")
    assert (
        f"{case} was asked for from a verified device, and the one that you are writing from is not verified." in cancel
    )
    for words in (f"{BODY} it was all a mistake", f"reply {case} {BODY} forget it"):
        await stage.ask(room_id, ANNA, words)
    other = reference(await stage.ask(room_id, ANNA, f"complaint {BODY} something else"))
    assert other != case
    assert team.thread(case) == before
    assert (await stage.states())[0] == "paused"


# Floods


async def test_ten_thousand_messages(stage: Stage) -> None:
    """Anna floods: she hears a few sentences, a bounded part waits for her yes, and Bert is served at once."""
    room_id = await stage.meet(ANNA)
    for number in range(10_000):
        stage.server.text(room_id, ANNA, f"{BODY} {number} " + "x" * (2000 if number < 60 else 1))
    await stage.settle()
    heard = stage.said(room_id)[1:]
    assert len(heard) == 3
    assert "You are writing faster than I can answer" in "\n".join(heard)
    assert "Shall I pass your words on to a human" in "\n".join(heard)
    assert "That is more than I can keep before you have decided" in "\n".join(heard)

    bert = await stage.meet(BERT)
    assert len(await stage.ask(bert, BERT, "rights")) == 1
    await stage.pass_time(minutes=1)
    assert len(stage.said(room_id)) == 4  # not one more
    waiting = [row["sealed"] for row in await stage.rows("prompt") if row["sealed"] is not None]
    assert sum(len(sealed) for sealed in waiting) < 400_000
    states = Counter(row["state"] for row in await stage.rows("inbox"))
    assert states["failed"] == 0
    assert states["done"] >= 100
    assert sum(states.values()) > 10_000  # nothing is lost: the rest waits in its line
