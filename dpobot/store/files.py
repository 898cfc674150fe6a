"""Files in cases: evidence of the person, and what staff add to the answer. Names, addresses and keys are sealed."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, UserId
from dpobot.model.records import FileRef
from dpobot.store.statements import change, insert_new
from dpobot.store.tables import case_file as table
from dpobot.store.tx import Tx

_SEALED = "case_file.sealed"


class Purpose(StrEnum):
    """What a file in a case is for."""

    EVIDENCE = "evidence"  # the person has sent it
    THREAD = "thread"  # staff have sent it into the case's thread
    ANSWER = "answer"  # it goes to the person with the next reply
    ARCHIVE = "archive"  # it goes into the archive


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One file. ``author`` None: the person of the case. ``sent_at``: when it went to the person."""

    id: int
    case_id: int
    event_id: EventId
    author: UserId | None
    purpose: Purpose
    file: FileRef = field(repr=False)
    posted: bool
    at: datetime
    sent_at: datetime | None


async def add(
    tx: Tx,
    case_id: int,
    event_id: EventId,
    file: FileRef,
    *,
    author: UserId | None,
    purpose: Purpose,
    posted: bool,
    now: datetime,
) -> bool:
    """Store where a file is and what opens it; False if that message is in a case already."""
    values = {
        "case_id": case_id,
        "event_id": event_id,
        "author": author,
        "purpose": purpose,
        "sealed": tx.seal.close_json(file.to_json(), _SEALED),
        "posted": posted,
        "at": now,
    }
    return await insert_new(tx, table, values)


async def unposted(tx: Tx, case_id: int, limit: int) -> list[CaseFile]:
    """Return the first of a case's files that the staff room has not got yet, oldest first."""
    return await _find(tx, table.c.case_id == case_id, table.c.posted.is_(False), limit=limit)


async def posted(tx: Tx, id_: int) -> None:
    """Note that the staff room has a file."""
    await tx.conn.execute(sa.update(table).where(table.c.id == id_).values(posted=True))


async def of_case(tx: Tx, case_id: int, purpose: Purpose | None = None) -> list[CaseFile]:
    """Return a case's files, of one purpose or all, oldest first."""
    mine = table.c.case_id == case_id
    return await _find(tx, mine) if purpose is None else await _find(tx, mine, table.c.purpose == purpose)


async def dedicate(tx: Tx, case_id: int, purpose: Purpose) -> int:
    """Give all files that staff have sent into a case's thread a purpose; return how many they were."""
    rows = sa.update(table).where(table.c.case_id == case_id, table.c.purpose == Purpose.THREAD)
    return await change(tx, rows.values(purpose=purpose))


async def sent(tx: Tx, id_: int, now: datetime) -> bool:
    """Note that a file goes to the person; True the first time only."""
    row = sa.update(table).where(table.c.id == id_, table.c.sent_at.is_(None))
    return await change(tx, row.values(sent_at=now)) == 1


async def unsent(tx: Tx, case_id: int, sent_at: datetime) -> int:
    """Note that the files that were to go to the person at that moment did not; return how many they were."""
    rows = sa.update(table).where(
        table.c.case_id == case_id, table.c.purpose == Purpose.ANSWER, table.c.sent_at == sent_at
    )
    return await change(tx, rows.values(sent_at=None))


async def forget(tx: Tx, case_id: int) -> None:
    """Delete a case's files."""
    await tx.conn.execute(sa.delete(table).where(table.c.case_id == case_id))


async def _find(tx: Tx, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> list[CaseFile]:
    query = sa.select(table).where(*conditions).order_by(table.c.id).limit(limit)
    rows = (await tx.conn.execute(query)).mappings()
    return [_file(tx, row) for row in rows]


def _file(tx: Tx, row: sa.RowMapping) -> CaseFile:
    values: dict[str, Any] = dict(row)
    file = FileRef.from_json(tx.seal.open_json(values.pop("sealed"), _SEALED))
    return CaseFile(**values | {"purpose": Purpose(row["purpose"])}, file=file)
