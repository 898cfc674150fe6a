"""What the staff room remembers: threads, worksheets, approvals, reminders, messages and files."""

from typing import Any

import pytest
import sqlalchemy as sa

from dpobot.model.ids import EventId, Mxc, UserId
from dpobot.model.records import EncryptedFile, FileRef
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import (
    approvals,
    assessments,
    case_messages,
    cases,
    files,
    reminders,
    staff_threads,
)
from dpobot.store.case_messages import Direction
from dpobot.store.database import Database, Tx
from dpobot.store.files import Purpose
from dpobot.store.staff_threads import StaffThread
from dpobot.store.tables import assessment, case_file, case_message
from tests.unit.store.moments import ANNA, NOW, ROOM, after, event

VERA, WIM = UserId("@vera:example.org"), UserId("@wim:example.org")
FILE = FileRef(
    "a secret name.pdf", "application/pdf", EncryptedFile(Mxc("mxc://x/1"), {"k": "secret-key"}, "iv", {}, 7)
)


async def _case(tx: Tx, number: int = 1) -> int:
    values = {
        "reference": f"DPO-2026-{number:04d}",
        "person": ANNA,
        "kind": Kind.QUESTION,
        "state": CaseState.REVIEW,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "options": {},
        "received_at": NOW,
        "due_at": NOW,
        "updated_at": NOW,
    }
    return (await cases.add(tx, values)).id


async def test_a_case_that_changed_is_seen_until_it_was_shown(database: Database) -> None:
    """However often it changed it is one row; the card's place is kept through later changes."""
    case_id = await database.write(_case)

    async def change(tx: Tx) -> list[StaffThread]:
        await staff_threads.touch(tx, case_id)
        await staff_threads.touch(tx, case_id)
        return await staff_threads.changed(tx, 10)

    async def show(tx: Tx) -> list[StaffThread]:
        await staff_threads.noted(tx, case_id, ROOM, event(1))
        await staff_threads.shown(tx, case_id, 7, after(1))
        return await staff_threads.changed(tx, 10)

    first, shown, again = await database.write(change), await database.write(show), await database.write(change)
    assert first == [StaffThread(case_id, None, None, True, 0, None)]
    assert (shown, again) == ([], [StaffThread(case_id, ROOM, event(1), True, 7, after(1))])


async def test_a_card_leads_to_its_case(database: Database) -> None:
    """In its room only; other events lead nowhere."""
    case_id = await database.write(_case)

    async def look(tx: Tx) -> list[int | None]:
        await staff_threads.touch(tx, case_id)
        await staff_threads.noted(tx, case_id, ROOM, event(1))
        places = ((ROOM, event(1)), (ROOM, event(2)), ("!other:x", event(1)))
        return [await staff_threads.case_of(tx, room, each) for room, each in places]  # type: ignore[arg-type] # any room will do

    assert await database.write(look) == [case_id, None, None]
    await database.write(lambda tx: staff_threads.forget(tx, case_id))
    assert await database.read(lambda tx: staff_threads.get(tx, case_id)) is None


async def test_a_worksheet_has_one_line_a_factor(database: Database) -> None:
    """Written again it is replaced; struck it is gone; its reasons show nowhere else."""
    case_id = await database.write(_case)

    async def write(tx: Tx) -> list[tuple[str, str, str, str]]:
        await assessments.put(tx, case_id, "nature", VERA, "low", "first thought", NOW)
        await assessments.put(tx, case_id, "others", VERA, "low", "nobody", after(1))
        await assessments.put(tx, case_id, "nature", WIM, "high", "second thought", after(2))
        return [(each.factor, each.author, each.level, each.reasons) for each in await assessments.of_case(tx, case_id)]

    expected = [("others", VERA, "low", "nobody"), ("nature", WIM, "high", "second thought")]
    assert await database.write(write) == expected
    struck = [await database.write(lambda tx: assessments.drop(tx, case_id, "nature")) for _ in range(2)]
    [left] = await database.read(lambda tx: assessments.of_case(tx, case_id))
    assert (struck, left.factor, "nobody" in repr(left)) == ([True, False], "others", False)


async def test_an_approver_counts_once(database: Database) -> None:
    """With the plan that they approved last."""
    case_id = await database.write(_case)

    async def approve(tx: Tx) -> list[tuple[UserId, str]]:
        for approver, plan, seconds in ((VERA, "a", 0), (WIM, "a", 1), (VERA, "b", 2)):
            await approvals.put(tx, case_id, approver, plan, after(seconds))
        return [(each.approver, each.plan) for each in await approvals.of_case(tx, case_id)]

    assert await database.write(approve) == [(WIM, "a"), (VERA, "b")]


async def test_what_was_said_is_not_said_again(database: Database) -> None:
    """Of each case for itself; when it is due later, what was said about its date counts no more."""
    one, two = await database.write(_case), await database.write(lambda tx: _case(tx, 2))

    async def say(tx: Tx) -> list[bool]:
        return [await reminders.note(tx, *what, NOW) for what in ((one, "due3"), (one, "day7"), (one, "due3"))]

    assert await database.write(say) == [True, True, False]
    assert await database.write(lambda tx: reminders.note(tx, two, "due3", NOW)) is True
    await database.write(lambda tx: reminders.due_moved(tx, one))
    assert await database.write(say) == [True, False, False]
    assert await database.write(lambda tx: reminders.note(tx, two, "due3", NOW)) is False


async def _add_all(tx: Tx, case_id: int) -> None:
    await case_messages.add(
        tx, case_id, event(1), "plain words", author=None, direction=Direction.PERSON, posted=False, now=NOW
    )
    await files.add(tx, case_id, event(2), FILE, author=None, purpose=Purpose.EVIDENCE, posted=False, now=NOW)
    await assessments.put(tx, case_id, "nature", VERA, "low", "plain words", NOW)


@pytest.mark.parametrize("table", [case_message, case_file, assessment])
async def test_what_people_write_is_sealed(database: Database, table: sa.Table) -> None:
    """Neither words, nor names of files, nor their keys are readable in the database."""
    case_id = await database.write(_case)
    await database.write(lambda tx: _add_all(tx, case_id))

    async def stored(tx: Tx) -> bytes:
        return bytes((await tx.conn.execute(sa.select(table.c.sealed))).scalar_one())

    sealed = await database.read(stored)
    assert [secret in sealed for secret in (b"plain words", b"a secret name", b"secret-key")] == [False] * 3


async def test_replies_are_their_authors(database: Database) -> None:
    """The newest of each; a deleted one is gone, and gone once."""
    case_id = await database.write(_case)
    written: list[tuple[int, Any, Direction]] = [
        (1, VERA, Direction.REPLY),
        (2, WIM, Direction.REPLY),
        (3, VERA, Direction.NOTE),
        (4, None, Direction.PERSON),
    ]

    async def write(tx: Tx) -> None:
        for number, author, direction in written:
            await case_messages.add(
                tx, case_id, event(number), "x", author=author, direction=direction, posted=True, now=NOW
            )

    await database.write(write)
    newest = await database.read(lambda tx: case_messages.newest_reply(tx, case_id, VERA))
    assert newest is not None
    gone = [await database.write(lambda tx: case_messages.delete(tx, newest.id)) for _ in range(2)]
    left = [each.event_id for each in await database.read(lambda tx: case_messages.of_case(tx, case_id))]
    assert (newest.event_id, gone, left) == (event(1), [True, False], [event(2), event(3), event(4)])
    assert await database.read(lambda tx: case_messages.newest_reply(tx, case_id, VERA)) is None


async def test_a_file_is_sent_once(database: Database) -> None:
    """Files of staff get a purpose together; each goes out once; the same message brings one file."""
    case_id = await database.write(_case)

    async def add(tx: Tx, event_id: EventId) -> bool:
        return await files.add(tx, case_id, event_id, FILE, author=VERA, purpose=Purpose.THREAD, posted=True, now=NOW)

    added = [await database.write(lambda tx, number=number: add(tx, event(number))) for number in (1, 1, 2)]  # type: ignore[misc] # mypy can't infer a lambda with a default
    dedicated = [await database.write(lambda tx: files.dedicate(tx, case_id, Purpose.ANSWER)) for _ in range(2)]
    first, _ = await database.read(lambda tx: files.of_case(tx, case_id, Purpose.ANSWER))
    sent = [await database.write(lambda tx: files.sent(tx, first.id, after(1))) for _ in range(2)]
    assert (added, dedicated, sent) == ([True, False, True], [2, 0], [True, False])
    assert [each.sent_at for each in await database.read(lambda tx: files.of_case(tx, case_id))] == [after(1), None]
