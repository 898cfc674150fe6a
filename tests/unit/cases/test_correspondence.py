"""What is written and attached in a case: once each, sealed, and counted as an answer where it is one."""

import pytest

from dpobot.cases import correspondence, decisions, queries, service
from dpobot.cases.correspondence import Attached
from dpobot.errors import StaffRefusal
from dpobot.model.ids import EventId
from dpobot.model.words import CaseState, Kind
from dpobot.store import case_messages, files
from dpobot.store.case_messages import Direction
from dpobot.store.files import Purpose
from tests.unit.cases.office import FILE, NOW, RULES, VERA, WIM, Office, after

FIRST, SECOND, THIRD = EventId("$first"), EventId("$second"), EventId("$third")


async def test_a_note_stays_between_staff(office: Office) -> None:
    """Kept once; the case is not answered by it, the person's words stay apart, the card stays as it is."""
    case = await office.open()
    await office.card_is_new(case)
    kept = [await office.do(correspondence.note, case, VERA, FIRST, "is it her?") for _ in range(2)]
    [note] = await office.ask(case_messages.of_case, case.id)
    assert (kept, note.text, note.author, note.direction) == ([True, False], "is it her?", VERA, Direction.NOTE)
    assert ((await office.now(case)).answered_at, await office.card_is_new(case)) == (None, False)
    assert await office.ask(queries.messages_of, case.id) == []


async def test_the_first_reply_answers(office: Office) -> None:
    """A later one doesn't move that moment; each is kept once, and none waits to be relayed."""
    case = await office.open()
    for event_id, days in ((FIRST, 1), (SECOND, 2), (SECOND, 3)):
        await office.do(correspondence.reply, case, VERA, event_id, "dear Anna", now=after(days=days))
    kept = await office.ask(case_messages.of_case, case.id, Direction.REPLY)
    assert ([each.event_id for each in kept], (await office.now(case)).answered_at) == ([FIRST, SECOND], after(days=1))
    assert await office.ask(case_messages.unposted, case.id, 10) == []
    assert (await office.actions(case))[1:] == ["case.replied", "case.replied"]


async def test_a_reply_that_was_taken_back_was_never_given(office: Office) -> None:
    """The newest of this author; a case whose only answer it was has none."""
    case = await office.open()
    for author, event_id, days in ((VERA, FIRST, 1), (WIM, SECOND, 2)):
        await office.do(correspondence.reply, case, author, event_id, "dear Anna", now=after(days=days))
    taken = [await office.do(correspondence.take_reply_back, case, VERA) for _ in range(2)]
    between = (await office.now(case)).answered_at
    await office.do(correspondence.take_reply_back, case, WIM)
    assert (taken, between, (await office.now(case)).answered_at) == ([FIRST, None], after(days=2), None)
    assert await office.ask(case_messages.of_case, case.id) == []


async def test_a_file_of_the_person_is_evidence(office: Office) -> None:
    """It waits to be shown to staff, and resumes a paused case; its name and key are in no text."""
    case = await office.do(decisions.pause, await office.open(), VERA)
    kept = [await office.do(correspondence.add_file, case, FIRST, FILE, None, RULES) for _ in range(2)]
    [stored] = await office.ask(files.unposted, case.id, 10)
    assert (kept, stored.file, stored.purpose, stored.author) == ([True, False], FILE, Purpose.EVIDENCE, None)
    assert ["passport" in repr(stored), "secret-key" in repr(stored)] == [False, False]
    assert (await office.now(case)).state is CaseState.REVIEW
    assert (await office.actions(case))[-2:] == ["case.file", "case.resumed"]


@pytest.mark.parametrize(
    ("kind", "path", "archive"),
    [
        (Kind.EXPORT, (), True),
        (Kind.EXPORT, (CaseState.APPROVED,), True),
        (Kind.EXPORT, (CaseState.APPROVED, CaseState.WORKING), False),
        (Kind.EXPORT, (CaseState.APPROVED, CaseState.WORKING, CaseState.DELIVERED), False),
        (Kind.ACCESS, (), False),
    ],
)
async def test_files_of_staff_go_where_the_person_gets_them(
    office: Office, kind: Kind, path: tuple[CaseState, ...], archive: bool
) -> None:
    """Into the archive while it can still take them in, else with the next reply."""
    case = await office.to(await office.open(kind), *path)
    for event_id in (FIRST, SECOND):
        await office.do(correspondence.add_file, case, event_id, FILE, VERA)
    assert await office.do(correspondence.attach, case, VERA) == Attached(2, archive)
    taken = [await office.do(correspondence.take_for_answer, case) for _ in range(2)]
    in_archive = await office.ask(files.of_case, case.id, Purpose.ARCHIVE)
    assert (taken, len(in_archive)) == (([[], []], 2) if archive else ([[FILE, FILE], []], 0))


async def test_without_files_there_is_nothing_to_attach(office: Office) -> None:
    """Evidence is not attached, and nothing is attached twice."""
    case = await office.open()
    await office.do(correspondence.add_file, case, FIRST, FILE, None)
    for _ in range(2):
        with pytest.raises(StaffRefusal) as caught:
            await office.do(correspondence.attach, case, VERA)
        assert caught.value.code == "nothing_to_attach"


async def test_what_was_shown_is_not_shown_again(office: Office) -> None:
    """The staff room has the message and the file: nothing is left to be posted."""
    case = await office.open()
    await office.do(service.add_message, case, FIRST, "words", RULES)
    await office.do(correspondence.add_file, case, SECOND, FILE, None)
    [message] = await office.ask(case_messages.unposted, case.id, 10)
    [file] = await office.ask(files.unposted, case.id, 10)
    await office.database.write(lambda tx: case_messages.posted(tx, message.id))
    await office.database.write(lambda tx: files.posted(tx, file.id))
    assert await office.ask(case_messages.unposted, case.id, 10) == []
    assert await office.ask(files.unposted, case.id, 10) == []
    assert (message.text, message.at, message.author) == ("words", NOW, None)
