"""Cards show how things are, threads hear what the person says, and neither loses nor doubles anything."""

import pytest

from dpobot.cases import correspondence, decisions, service
from dpobot.errors import Rejected, Unavailable
from dpobot.model.ids import EventId, UserId
from dpobot.model.records import Case, EncryptedFile, FileRef
from dpobot.model.words import CaseState, Kind, Trust
from dpobot.store import case_messages, cases, staff_threads
from dpobot.store.case_messages import Direction
from dpobot.store.database import Tx
from tests.unit.staff.office import ADA, RULES, SIRI, TOM, Office


async def test_a_case_gets_its_card(office: Office) -> None:
    """With what staff need to know, and the command to type."""
    room_id = await office.opens()
    case = await office.case(Kind.COMPLAINT)
    await office.settle()
    shown = await office.shown(case)
    for words in (case.reference, "complaint", f"`{ADA}`", "signed by its owner", "nobody", "30 days left", "`claim`"):
        assert words in shown
    assert office.edits(room_id) == 0


async def test_a_burst_of_changes_is_one_edit(office: Office) -> None:
    """The card is written when the sweep comes, as things are then."""
    room_id = await office.opens()
    case = await office.case()
    await office.settle()
    claimed = await office.write(lambda tx: decisions.claim(tx, office.now(), case, SIRI))
    await office.write(lambda tx: decisions.verify(tx, office.now(), claimed, SIRI))
    await office.settle()
    assert office.edits(room_id) == 1
    assert f"Assigned to: `{SIRI}`" in await office.shown(case)
    assert "verified by staff on 22 November 2026" in await office.shown(case)


async def test_a_touch_that_changes_nothing_is_no_edit(office: Office) -> None:
    """Reminders touch cases; a card that is right already is left alone."""
    room_id = await office.opens()
    case = await office.case()
    await office.settle()
    await office.write(lambda tx: staff_threads.touch(tx, case.id))
    await office.settle()
    assert office.edits(room_id) == 0


async def test_while_the_card_is_on_its_way_changes_wait_for_it(office: Office) -> None:
    """However often things change before the homeserver is back: one card, one edit."""
    room_id = await office.opens()
    case = await office.case()
    await office.board.sweep()
    for actor in (SIRI, TOM, SIRI):
        newest = await office.read(lambda tx: cases.get(tx, case.id))
        await office.write(lambda tx: decisions.assign(tx, office.now(), newest, actor, actor))  # noqa: B023 - at once
        assert await office.board.sweep() == 0
    await office.settle()
    assert office.edits(room_id) == 1
    assert f"Assigned to: `{SIRI}`" in await office.shown(case)


async def test_the_days_that_are_left_are_right_on_the_next_day(office: Office) -> None:
    """Nothing has changed but the date."""
    await office.opens()
    case = await office.case()
    await office.settle()
    office.waits(days=1, minutes=1)
    await office.settle()
    assert "29 days left" in await office.shown(case)
    office.waits(days=31)
    await office.settle()
    assert "OVERDUE by 2 days" in await office.shown(case)


async def test_new_days_come_in_small_batches_while_nobody_else_waits(office: Office) -> None:
    """An answer to a command stands behind a few cards at most, and what waits to be said comes first."""
    room_id = await office.opens()
    for _ in range(25):
        await office.case()
    await office.settle()
    office.waits(days=1, minutes=1)
    assert [await office.board.sweep(), await office.board.sweep()] == [10, 0]
    assert [await office.outbox.drain(), await office.board.sweep(), await office.outbox.drain()] == [10, 10, 10]
    await office.settle()
    assert office.edits(room_id) == 25


async def test_where_the_clock_stands_still_nothing_is_written_anew(office: Office) -> None:
    """However many days the case waits for the person."""
    room_id = await office.opens()
    case = await office.case()
    await office.write(lambda tx: decisions.pause(tx, office.now(), case, SIRI))
    await office.settle()
    shown, edits = await office.shown(case), office.edits(room_id)
    office.waits(days=100)
    assert await office.board.sweep() == 0
    await office.settle()
    assert (await office.shown(case), office.edits(room_id)) == (shown, edits)


async def test_a_case_that_is_over_is_no_longer_written_anew(office: Office) -> None:
    """Its card says so once."""
    room_id = await office.opens()
    case = await office.case()
    await office.write(lambda tx: service.withdraw(tx, office.now(), case, ADA, Trust.SIGNED))
    await office.settle()
    assert "State: withdrawn by the person" in await office.shown(case)
    office.waits(days=3)
    await office.settle()
    assert office.edits(room_id) == 0


async def test_what_the_person_writes_stands_in_the_thread_once(office: Office) -> None:
    """As a quotation; a restart says nothing again."""
    room_id = await office.opens()
    case = await office.case()
    await office.writes(case, "first\nline two", "second")
    await office.settle()
    await office.again().settle()
    wrote = "The person wrote on 22 November 2026, 12:00 UTC:\n\n"
    assert await office.thread(case) == [f"{wrote}│ first\n│ line two\n\n{wrote}│ second"]
    assert office.edits(room_id) == 0
    await office.writes(case, "third")
    await office.settle()
    assert len(await office.thread(case)) == 2
    assert "3 messages of the person" in await office.shown(case)


async def test_what_the_person_writes_is_text_and_mentions_nobody(office: Office) -> None:
    """No markup, no command, no notification, no direction of writing."""
    await office.opens()
    case = await office.case()
    await office.writes(case, f"<b>approve</b> @room {SIRI} \u202eevil [x](https://evil.example)")
    await office.settle()
    (event,) = office.server.thread(await office.card(case))
    assert event.content["m.mentions"] == {}
    assert "&lt;b&gt;approve&lt;/b&gt;" in event.content["formatted_body"]
    assert "<a " not in event.content["formatted_body"]
    assert "\u202e" not in event.content["body"]


async def test_hundreds_of_messages_are_some_messages(office: Office) -> None:
    """All of them can be read, in their order."""
    room_id = await office.opens()
    case = await office.case()

    async def flood(tx: Tx) -> None:
        for number in range(600):
            await service.add_message(tx, office.now(), case, EventId(f"$flood{number}"), f"word {number}", RULES)

    await office.write(flood)
    await office.settle()
    thread = await office.thread(case)
    lines = [line for body in thread for line in body.split("\n") if line.startswith("│")]
    assert lines == [f"│ word {number}" for number in range(600)]
    assert len(thread) < 15
    assert office.edits(room_id) <= 5


@pytest.mark.parametrize(("count", "length", "most"), [(2000, 5, 200), (12, 60_000, 4)])
async def test_one_sweep_takes_a_part_of_a_flood_and_all_arrives_in_order(
    office: Office, count: int, length: int, most: int
) -> None:
    """However many or long the messages of a case are, no transaction holds the others up; nothing is left out."""
    await office.opens()
    case = await office.case()
    words = [f"{number:04} " + "x" * (length - 5) for number in range(count)]

    async def flood(tx: Tx) -> None:
        for number, text in enumerate(words):
            person, event_id = Direction.PERSON, EventId(f"$flood{number}")
            await case_messages.add(
                tx, case.id, event_id, text, author=None, direction=person, posted=False, now=office.now()
            )

    async def left() -> int:
        return len(await office.read(lambda tx: case_messages.unposted(tx, case.id, 10_000)))

    await office.write(flood)
    before = await left()
    while waiting := await left():
        assert await office.board.sweep() == 1
        assert 1 <= waiting - await left() <= most
        await office.outbox.drain()
    said = "\n".join(await office.thread(case))
    lines = [line.removeprefix("│ ") for line in said.split("\n") if line.startswith("│")]
    assert (before, "".join(lines)) == (count, "".join(word.strip() for word in words))


async def test_a_file_of_the_person_stands_in_the_thread_as_the_bots_own_copy(office: Office) -> None:
    """With a line that says what it is."""
    await office.opens()
    case = await office.case()
    stored = office.server.store(b"evidence")
    await office.write(
        lambda tx: correspondence.add_file(
            tx, office.now(), case, EventId("$file"), FileRef("letter.pdf", "application/pdf", stored), None
        )
    )
    await office.settle()
    line, file = office.server.thread(await office.card(case))
    assert line.content["body"] == "The person sent a file: `letter.pdf`, application/pdf, 8 bytes"
    assert file.content["msgtype"] == "m.file"
    assert file.content["file"]["url"] != stored.url
    assert office.server.media[file.content["file"]["url"]] == b"evidence"
    assert "1 file" in await office.shown(case)


async def test_a_file_of_staff_is_not_told_to_them_again(office: Office) -> None:
    """They have put it there themselves."""
    await office.opens()
    case = await office.case()
    ref = FileRef("list.csv", "text/csv", EncryptedFile(office.server.store(b"x").url, {}, "", {}, 1))
    await office.write(lambda tx: correspondence.add_file(tx, office.now(), case, EventId("$file"), ref, SIRI))
    await office.settle()
    assert await office.thread(case) == []


async def test_the_thread_hears_what_happened_without_staff(office: Office) -> None:
    """Policy, the bot and the person; each thing once."""
    await office.opens()
    case = await office.case(Kind.EXPORT)
    await office.settle()
    case = await office.write(
        lambda tx: service.move(tx, office.now(), case, CaseState.WORKING, "bot", "export.started")
    )
    await office.write(
        lambda tx: service.move(tx, office.now(), case, CaseState.HELD, "bot", "export.held", {"code": "anomaly_size"})
    )
    await office.settle()
    await office.again().settle()
    assert [line.partition("UTC: ")[2] for line in await office.thread(case)] == [
        "approved by policy, without a decision of staff.",
        "I have begun to make the archive.",
        "a safeguard has stopped the archive; nothing has been sent. `anomaly_size`",
    ]


async def test_what_staff_do_themselves_is_not_told(office: Office) -> None:
    """They got an answer to their command; but the person's word that ends a pause is told."""
    await office.opens()
    case = await office.case()
    await office.write(lambda tx: decisions.pause(tx, office.now(), case, SIRI))
    await office.settle()
    assert await office.thread(case) == []
    assert "the clock stands still with 30 days left" in await office.shown(case)
    office.waits(days=10)
    await office.writes(case, "here I am")
    await office.settle()
    assert [line.partition("UTC: ")[2] for line in (await office.thread(case))[1:]] == [
        "the person has written; the pause is over and the clock runs again."
    ]


async def test_without_a_room_cases_wait_and_nothing_is_lost(office: Office) -> None:
    """The person's side works all the same."""
    case = await office.case()
    await office.writes(case, "hello")
    assert await office.board.sweep() == 0
    await office.opens()
    assert case.reference in await office.shown(case)
    assert len(await office.thread(case)) == 1


async def test_in_another_room_open_cases_get_their_threads_anew(office: Office) -> None:
    """Those that are over stay where they ended."""
    first = await office.opens()
    open_, over = await office.case(), await office.case(Kind.QUESTION)
    await office.settle()
    await office.write(lambda tx: service.withdraw(tx, office.now(), over, ADA, Trust.SIGNED))
    second = office.server.staff_room(SIRI, {}, office.matrix.user_id)
    other = office.again(room_id=second)
    assert await other.room.ready() == second
    await other.settle()
    assert office.server.event(await office.card(open_)).room_id == second
    assert office.server.event(await office.card(over)).room_id == first
    assert [open_.reference in str(event.content["body"]) for event in office.sent(second)] == [False, True]
    await office.writes(open_, "I am still here")
    await other.settle()
    assert len(await office.thread(open_)) == 1


async def test_a_card_that_was_refused_is_posted_at_the_next_change(office: Office) -> None:
    """One refusal of the server does not hide a case for good."""
    await office.opens()
    case = await office.case()
    office.server.faults["send"] = [Rejected("M_TOO_LARGE", 413)]
    await office.settle()
    await office.writes(case, "hello?")
    await office.settle()
    assert case.reference in await office.shown(case)
    assert len(await office.thread(case)) == 1


async def test_after_a_crash_between_sending_and_noting_there_is_one_card(office: Office) -> None:
    """The same transaction ID gives the same event."""
    room_id = await office.opens()
    case = await office.case()
    office.server.lost_answers["send"] = [Unavailable("connection")]
    await office.settle()
    office.waits(seconds=30)
    await office.again().settle()
    cards = [event for event in office.sent(room_id) if case.reference in str(event.content["body"])]
    assert len(cards) == 1


async def test_one_case_that_cannot_be_shown_hides_no_other(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a defect does to it; it is tried again at each sweep."""
    await office.opens()
    bad, good = await office.case(), await office.case(Kind.QUESTION)
    whole = cases.get

    async def broken(tx: Tx, case_id: int) -> Case:
        if case_id == bad.id:
            raise KeyError("defect")
        return await whole(tx, case_id)

    with monkeypatch.context() as patched:
        patched.setattr(cases, "get", broken)
        await office.settle()
    assert good.reference in await office.shown(good)
    await office.settle()
    assert bad.reference in await office.shown(bad)


async def test_a_look_alike_of_another_person_shows(office: Office) -> None:
    """Characters beyond printable ASCII stand as their numbers."""
    await office.opens()
    case = await office.case(person=UserId("@аda:dpobot.test"))  # noqa: RUF001 - a Cyrillic letter is the point
    await office.settle()
    assert "Person: `@\\u0430da:dpobot.test`" in await office.shown(case)
