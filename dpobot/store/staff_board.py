"""What the board asks of several tables at once: which cards are out of date, what the staff room has not heard."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from dpobot.model.ids import EventId, RoomId
from dpobot.model.words import CaseState
from dpobot.store.audit_rows import AuditRow
from dpobot.store.outbox import Relation
from dpobot.store.statements import insert
from dpobot.store.tables import audit, case, case_file, case_message, outbox, staff_thread
from dpobot.store.tx import Tx


async def touch_elsewhere(tx: Tx, room_id: RoomId, states: Collection[CaseState]) -> None:
    """Have the card of every case in these states written that has none in a room."""
    new = insert(tx, staff_thread).from_select(
        ["case_id", "changed", "told_seq"],
        sa.select(case.c.id, sa.true(), sa.literal(0)).where(case.c.state.in_(list(states))),
    )
    await tx.conn.execute(new.on_conflict_do_nothing())
    open_ = sa.select(case.c.id).where(case.c.state.in_(list(states)))
    elsewhere = staff_thread.c.room_id.is_distinct_from(room_id)
    rows = sa.update(staff_thread).where(staff_thread.c.case_id.in_(open_), elsewhere)
    await tx.conn.execute(rows.values(changed=True))


async def stale(tx: Tx, before: datetime, states: Collection[CaseState], limit: int) -> list[int]:
    """Return cases in these states whose cards were written before a moment and show all changes, oldest card first."""
    query = (
        sa.select(staff_thread.c.case_id)
        .join(case, case.c.id == staff_thread.c.case_id)
        .where(staff_thread.c.changed.is_(False), staff_thread.c.posted_at < before, case.c.state.in_(list(states)))
        .order_by(staff_thread.c.posted_at)
        .limit(limit)
    )
    return list((await tx.conn.execute(query)).scalars())


async def touch_all(tx: Tx, case_ids: Collection[int]) -> None:
    """Have the cards of cases written anew."""
    await tx.conn.execute(
        sa.update(staff_thread).where(staff_thread.c.case_id.in_(list(case_ids))).values(changed=True)
    )


async def lock_thread(tx: Tx, case_id: int) -> None:
    """Let whoever changes a case meanwhile mark it after us: no change is missed (SQLite has one writer)."""
    await tx.conn.execute(sa.select(staff_thread.c.case_id).where(staff_thread.c.case_id == case_id).with_for_update())


async def card_waits(tx: Tx, case_id: int) -> bool:
    """Say whether a case's card, or an edit of it, has not been sent yet."""
    mine = (outbox.c.case_id == case_id) & (outbox.c.state == "new")
    query = sa.select(sa.exists().where(mine, outbox.c.relation.in_((Relation.CARD, Relation.EDIT))))
    return bool((await tx.conn.execute(query)).scalar_one())


async def happened_since(tx: Tx, case_id: int, seq: int, limit: int) -> list[AuditRow]:
    """Return what happened first to a case after an audit row, in order."""
    query = sa.select(audit).where(audit.c.case_id == case_id, audit.c.seq > seq).order_by(audit.c.seq)
    return [AuditRow(**row) for row in (await tx.conn.execute(query.limit(limit))).mappings()]


async def count_written(tx: Tx, case_id: int) -> tuple[int, int]:
    """Return how many messages of the person, and how many files of anybody, are in a case."""
    theirs = (case_message.c.case_id == case_id) & case_message.c.author.is_(None)
    messages = sa.select(sa.func.count()).select_from(case_message).where(theirs).scalar_subquery()
    files = sa.select(sa.func.count()).select_from(case_file).where(case_file.c.case_id == case_id).scalar_subquery()
    row = (await tx.conn.execute(sa.select(messages, files))).one()
    return int(row[0]), int(row[1])


async def case_told_in(tx: Tx, room_id: RoomId, event_id: EventId) -> int | None:
    """Return the case in whose thread the bot has said something, be it an answer, a line or a file."""
    said = (outbox.c.event_id == event_id) & (outbox.c.room_id == room_id) & (outbox.c.relation == Relation.THREAD)
    found: int | None = (await tx.conn.execute(sa.select(outbox.c.case_id).where(said).limit(1))).scalar_one_or_none()
    return found


async def case_that_holds(tx: Tx, event_id: EventId) -> int | None:
    """Return the case into which a message was taken, be it words or a file."""
    words = sa.select(case_message.c.case_id).where(case_message.c.event_id == event_id)
    files = sa.select(case_file.c.case_id).where(case_file.c.event_id == event_id)
    found: int | None = (await tx.conn.execute(words.union_all(files).limit(1))).scalar_one_or_none()
    return found
