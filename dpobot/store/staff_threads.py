"""Where each case stands in the staff room: its card, and whether the card still shows how things are."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dpobot.model.ids import EventId, RoomId
from dpobot.store.statements import insert
from dpobot.store.tables import staff_thread as table
from dpobot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class StaffThread:
    """One case's thread. ``event_id``: the card, None until it is sent; audit rows up to ``told_seq`` were told."""

    case_id: int
    room_id: RoomId | None
    event_id: EventId | None
    changed: bool
    told_seq: int
    posted_at: datetime | None


async def touch(tx: Tx, case_id: int) -> None:
    """Note that a case has changed, in the transaction that changes it: its card is written anew after the commit."""
    row = insert(tx, table).values(case_id=case_id, changed=True)
    await tx.conn.execute(row.on_conflict_do_update(index_elements=[table.c.case_id], set_={"changed": True}))


async def changed(tx: Tx, limit: int) -> list[StaffThread]:
    """Return the threads of cases that have changed since their card was written, oldest case first."""
    query = sa.select(table).where(table.c.changed.is_(True)).order_by(table.c.case_id).limit(limit)
    return [StaffThread(**row) for row in (await tx.conn.execute(query)).mappings()]


async def get(tx: Tx, case_id: int) -> StaffThread | None:
    """Return a case's thread, None if the staff room was never to hear of it."""
    row = (await tx.conn.execute(sa.select(table).where(table.c.case_id == case_id))).mappings().one_or_none()
    return None if row is None else StaffThread(**row)


async def case_of(tx: Tx, room_id: RoomId, event_id: EventId) -> int | None:
    """Return the case whose card an event of a room is."""
    query = sa.select(table.c.case_id).where(table.c.event_id == event_id, table.c.room_id == room_id)
    found: int | None = (await tx.conn.execute(query)).scalar_one_or_none()
    return found


async def noted(tx: Tx, case_id: int, room_id: RoomId, event_id: EventId) -> None:
    """Note which event a case's card has become."""
    await _update(tx, case_id, room_id=room_id, event_id=event_id)


async def shown(tx: Tx, case_id: int, told_seq: int, now: datetime) -> None:
    """Note that the card was written as things are, and that audit rows up to ``told_seq`` were told."""
    await _update(tx, case_id, changed=False, told_seq=told_seq, posted_at=now)


async def forget(tx: Tx, case_id: int) -> None:
    """Delete what is known of a case's thread."""
    await tx.conn.execute(sa.delete(table).where(table.c.case_id == case_id))


async def _update(tx: Tx, case_id: int, **values: object) -> None:
    await tx.conn.execute(sa.update(table).where(table.c.case_id == case_id).values(**values))
