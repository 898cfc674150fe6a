"""What is written and attached in a case by staff, and files of the person: once each, sealed, with an audit row."""

from dataclasses import dataclass
from datetime import datetime

from dpobot.audit import trail
from dpobot.cases import decisions, service
from dpobot.cases.rules import Rules
from dpobot.errors import StaffRefusal
from dpobot.model.ids import EventId, UserId
from dpobot.model.records import Case, FileRef
from dpobot.model.words import CaseState, Kind
from dpobot.store import case_messages, cases, files, staff_threads
from dpobot.store.case_messages import CaseMessage, Direction
from dpobot.store.database import Tx
from dpobot.store.files import Purpose

# until its job runs the archive can still take a file in
_ARCHIVE_IS_OPEN = frozenset({CaseState.REVIEW, CaseState.PAUSED, CaseState.APPROVED, CaseState.HELD})


@dataclass(frozen=True, slots=True)
class Attached:
    """How many files were taken, and whether they go into the archive; else they go with the next reply."""

    count: int
    archive: bool


async def note(tx: Tx, now: datetime, case: Case, author: UserId, event_id: EventId, text: str) -> bool:
    """Keep what staff say to each other about a case; False if that message is in a case already."""
    new = await case_messages.add(
        tx, case.id, event_id, text, author=author, direction=Direction.NOTE, posted=True, now=now
    )
    if new:
        await trail.record(tx, now, author, "case.note", case.id, {"event_id": event_id})
    return new


async def reply(tx: Tx, now: datetime, case: Case, author: UserId, event_id: EventId, text: str) -> bool:
    """Keep what staff say to the person: the case counts as answered. False if that message is in a case already."""
    new = await case_messages.add(
        tx, case.id, event_id, text, author=author, direction=Direction.REPLY, posted=True, now=now
    )
    if new:
        await _answered(tx, case, now)
        await trail.record(tx, now, author, "case.replied", case.id, {"event_id": event_id})
        await staff_threads.touch(tx, case.id)
    return new


async def take_reply_back(tx: Tx, now: datetime, case: Case, author: UserId) -> EventId | None:
    """Delete this author's newest reply in a case and return which it was, None if there is none.

    The caller takes the message back from the outbox first, and leaves it alone if it is too late.
    """
    newest = await case_messages.newest_reply(tx, case.id, author)
    if newest is None:
        return None
    await case_messages.delete(tx, newest.id)
    await files.unsent(tx, case.id, newest.at)  # they go with the next one
    await _unanswered(tx, case, newest)
    await trail.record(tx, now, author, "case.reply_taken_back", case.id, {"event_id": newest.event_id})
    await staff_threads.touch(tx, case.id)
    return newest.event_id


async def add_file(
    tx: Tx,
    now: datetime,
    case: Case,
    event_id: EventId,
    file: FileRef,
    author: UserId | None,
    rules: Rules | None = None,
) -> bool:
    """Keep a file: evidence of the person (``author`` None), or one that staff have sent into the case's thread.

    False if that message is in a case already. With ``rules`` a case that waited for the person goes on.
    """
    purpose = Purpose.EVIDENCE if author is None else Purpose.THREAD
    new = await files.add(
        tx, case.id, event_id, file, author=author, purpose=purpose, posted=author is not None, now=now
    )
    if not new:
        return False
    await trail.record(tx, now, author or case.person, "case.file", case.id, {"event_id": event_id})
    await staff_threads.touch(tx, case.id)
    if author is None and rules is not None:
        await service.heard(tx, now, case, rules)
    return True


async def attach(tx: Tx, now: datetime, case: Case, actor: UserId) -> Attached:
    """Let the files that staff have sent into a case's thread go to the person: in the archive, or with the next reply.

    Raises StaffRefusal("nothing_to_attach", reference) if there are none, and ``case_over``.
    """
    newest = await cases.lock(tx, case.id)
    decisions.refuse_over(newest)
    archive = newest.kind is Kind.EXPORT and newest.state in _ARCHIVE_IS_OPEN
    count = await files.dedicate(tx, case.id, Purpose.ARCHIVE if archive else Purpose.ANSWER)
    if count == 0:
        raise StaffRefusal("nothing_to_attach", reference=case.reference)
    await trail.record(tx, now, actor, "case.attached", case.id, {"count": count, "archive": archive})
    await staff_threads.touch(tx, case.id)
    return Attached(count, archive)


async def take_for_answer(tx: Tx, now: datetime, case: Case) -> list[FileRef]:
    """Return the files that go with the next reply, and note that they are on their way."""
    waiting = await files.of_case(tx, case.id, Purpose.ANSWER)
    return [each.file for each in waiting if each.sent_at is None and await files.sent(tx, each.id, now)]


async def _answered(tx: Tx, case: Case, now: datetime) -> None:
    newest = await cases.lock(tx, case.id)
    if newest.answered_at is None:
        await cases.update(tx, newest, {"answered_at": now})


async def _unanswered(tx: Tx, case: Case, taken_back: CaseMessage) -> None:
    """A case whose only answer was taken back has none."""
    newest = await cases.lock(tx, case.id)
    if newest.answered_at == taken_back.at:
        left = await case_messages.of_case(tx, case.id, Direction.REPLY)
        await cases.update(tx, newest, {"answered_at": left[0].at if left else None})
