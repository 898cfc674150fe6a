"""The ledger of erasures: which other servers have copies, whom we told, what they answered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, Reference, RoomId, UserId
from dpobot.model.notices import MOVES, NoticeState
from dpobot.model.words import JobState
from dpobot.store.statements import change as run
from dpobot.store.statements import insert_many_new
from dpobot.store.tables import case, job
from dpobot.store.tables import erasure_notice as table
from dpobot.store.tx import Tx

JOB = "notify"  # the work that tells other servers
_ROWS = 500  # in one statement


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """The notice to one server. ``contact``: a user ID or an e-mail address, as the server publishes it."""

    id: int
    case_id: int
    server: str
    state: NoticeState
    contact: str | None
    role: str | None
    room_id: RoomId | None
    event_id: EventId | None
    error: str | None
    attempts: int
    not_before: datetime
    created_at: datetime
    approved_at: datetime | None
    invited_at: datetime | None
    sent_at: datetime | None
    answered_at: datetime | None


async def add_all(tx: Tx, case_id: int, servers: Sequence[str], now: datetime) -> int:
    """Note the servers that have copies; those that are noted stay as they are. Return how many are new."""
    new = 0
    for first in range(0, len(servers), _ROWS):
        rows = [
            {"case_id": case_id, "server": server, "state": NoticeState.FOUND, "not_before": now, "created_at": now}
            for server in servers[first : first + _ROWS]
        ]
        new += await insert_many_new(tx, table, rows)
    return new


async def of_case(tx: Tx, case_id: int) -> list[NoticeRow]:
    """Return a case's ledger, by server."""
    return await _rows(tx, sa.select(table).where(table.c.case_id == case_id).order_by(table.c.server))


async def counts(tx: Tx, case_id: int) -> dict[str, int]:
    """Return how many servers of a case stand in each state, in the order of the states; none without servers."""
    query = sa.select(table.c.state, sa.func.count()).where(table.c.case_id == case_id).group_by(table.c.state)
    found = {str(state): int(count) for state, count in await tx.conn.execute(query)}
    return {state.value: found[state] for state in NoticeState if state in found}


async def due(tx: Tx, case_id: int, now: datetime, limit: int) -> list[NoticeRow]:
    """Return servers of a case that are to be told now, longest due first."""
    wanted = (table.c.case_id == case_id) & (table.c.state == NoticeState.APPROVED) & (table.c.not_before <= now)
    return await _rows(tx, sa.select(table).where(wanted).order_by(table.c.not_before, table.c.id).limit(limit))


async def next_at(tx: Tx, case_id: int) -> datetime | None:
    """Return when the next server of a case is to be told (perhaps in the past), None if none is left."""
    wanted = (table.c.case_id == case_id) & (table.c.state == NoticeState.APPROVED)
    found: datetime | None = await tx.conn.scalar(sa.select(sa.func.min(table.c.not_before)).where(wanted))
    return found


async def sent_since(tx: Tx, moment: datetime) -> list[datetime]:
    """Return when servers were told since a moment, in all cases, oldest first."""
    query = sa.select(table.c.sent_at).where(table.c.sent_at > moment).order_by(table.c.sent_at)
    return list((await tx.conn.execute(query)).scalars())


async def get(tx: Tx, id_: int) -> NoticeRow | None:
    """Return one row."""
    return next(iter(await _rows(tx, sa.select(table).where(table.c.id == id_))), None)


async def move(tx: Tx, row: NoticeRow, to: NoticeState, **values: Any) -> bool:
    """Move a row that is still as it was read; False if it is not, or can't go there."""
    if to not in MOVES[row.state]:
        return False
    mine = sa.update(table).where(table.c.id == row.id, table.c.state == row.state)
    return await run(tx, mine.values(state=to, **values)) == 1


async def change(tx: Tx, id_: int, **values: Any) -> None:
    """Change fields of a row beside its state, by their names."""
    await tx.conn.execute(sa.update(table).where(table.c.id == id_).values(values))


async def approve(tx: Tx, case_id: int, states: Collection[NoticeState], now: datetime) -> int:
    """Let the servers of a case that stand in these states be told; return how many those are."""
    wanted = sa.update(table).where(table.c.case_id == case_id, table.c.state.in_(list(states)))
    nobody = {"contact": None, "role": None, "room_id": None, "invited_at": None}
    anew = {"error": None, "attempts": table.c.attempts + 1, "not_before": now, "approved_at": now}
    return await run(tx, wanted.values(state=NoticeState.APPROVED, **nobody, **anew))


async def in_room(tx: Tx, room_id: RoomId, contact: UserId) -> list[NoticeRow]:
    """Return the notices about which we talk with a contact in a room, newest first."""
    wanted = (table.c.room_id == room_id) & (table.c.contact == contact)
    return await _rows(tx, sa.select(table).where(wanted).order_by(table.c.id.desc()).limit(_ROWS))


async def asked(tx: Tx, room_id: RoomId, contact: UserId, reference: str) -> NoticeRow | None:
    """Return the notice with our reference about which we talk with a contact in a room; None if there is none."""
    told = (table.c.room_id == room_id) & (table.c.contact == contact)
    query = sa.select(table).join(case, case.c.id == table.c.case_id)
    found = await _rows(tx, query.where(told, case.c.reference == Reference(reference)))
    return next(iter(found), None)


async def arrived(tx: Tx, people: Collection[UserId], now: datetime) -> int:
    """Let what waits for these people to come into our room go on now; return how many jobs that wakes."""
    waiting = (table.c.state == NoticeState.APPROVED) & table.c.contact.in_(list(people))
    found = set((await tx.conn.execute(sa.select(table.c.case_id).where(waiting))).scalars())
    if not found:
        return 0
    await tx.conn.execute(sa.update(table).where(waiting, table.c.not_before > now).values(not_before=now))
    asleep = (job.c.case_id.in_(found)) & (job.c.name == JOB) & (job.c.state == JobState.WANTED)
    return await run(tx, sa.update(job).where(asleep, job.c.wake_at > now).values(wake_at=now, updated_at=now))


async def _rows(tx: Tx, query: sa.Select[Any]) -> list[NoticeRow]:
    found = (await tx.conn.execute(query)).mappings()
    return [NoticeRow(**{**row, "state": NoticeState(row["state"])}) for row in found]
