"""People we have met: their language, the room where we talk, the identity that we pinned."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dpobot.model.ids import RoomId, UserId
from dpobot.store.statements import change, insert_new
from dpobot.store.tables import person as table
from dpobot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Person:
    """One row. ``master_key`` is base64 without padding, pinned at first sight."""

    user_id: UserId
    language: str
    room_id: RoomId | None
    master_key: str | None
    greeted_at: datetime | None
    created_at: datetime


async def get(tx: Tx, user_id: UserId, *, lock: bool = False) -> Person | None:
    """Return a person, or None; ``lock`` keeps others from deciding about them until this transaction ends."""
    query = sa.select(table).where(table.c.user_id == user_id)
    row = (await tx.conn.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else Person(**row)


async def ensure(tx: Tx, user_id: UserId, now: datetime, *, lock: bool = False) -> Person:
    """Return a person, made now if they are new."""
    await insert_new(tx, table, {"user_id": user_id, "created_at": now})
    found = await get(tx, user_id, lock=lock)
    if found is None:
        raise LookupError("a person vanished between two statements")
    return found


async def set_language(tx: Tx, user_id: UserId, language: str) -> None:
    """Answer this person in a language (BCP 47) from now on."""
    await tx.conn.execute(sa.update(table).where(table.c.user_id == user_id).values(language=language))


async def set_room(tx: Tx, user_id: UserId, room_id: RoomId) -> None:
    """Talk to this person in a room from now on."""
    await tx.conn.execute(sa.update(table).where(table.c.user_id == user_id).values(room_id=room_id))


async def pin_master_key(tx: Tx, user_id: UserId, master_key: str) -> str:
    """Return the key that counts for this person: the first one ever pinned, which is this one if there was none."""
    first = sa.update(table).where(table.c.user_id == user_id, table.c.master_key.is_(None))
    await tx.conn.execute(first.values(master_key=master_key))
    query = sa.select(table.c.master_key).where(table.c.user_id == user_id)
    return str((await tx.conn.execute(query)).scalar_one())


async def unpin_master_key(tx: Tx, user_id: UserId) -> bool:
    """Forget the key that counts for this person; False if there was none."""
    pinned = sa.update(table).where(table.c.user_id == user_id, table.c.master_key.is_not(None))
    return await change(tx, pinned.values(master_key=None)) == 1


async def lose(tx: Tx, user_id: UserId) -> None:
    """Note that a person is no longer there: nothing is said to them unasked, in no room."""
    nothing = {"room_id": None, "greeted_at": None, "master_key": None}
    await tx.conn.execute(sa.update(table).where(table.c.user_id == user_id).values(nothing))


async def mark_greeted(tx: Tx, user_id: UserId, now: datetime) -> bool:
    """Note that the person has been greeted; True the first time only."""
    first = sa.update(table).where(table.c.user_id == user_id, table.c.greeted_at.is_(None))
    return await change(tx, first.values(greeted_at=now)) == 1


async def greeted_after(tx: Tx, last: str, limit: int) -> list[UserId]:
    """Return people who have talked with the bot, in the order of their user IDs, from behind ``last`` on."""
    known = (table.c.greeted_at.is_not(None)) & (table.c.user_id > last)
    query = sa.select(table.c.user_id).where(known).order_by(table.c.user_id).limit(limit)
    return [UserId(user_id) for user_id in (await tx.conn.execute(query)).scalars()]


async def count_greeted(tx: Tx, last: str) -> int:
    """Return how many people have talked with the bot, those up to ``last``."""
    known = (table.c.greeted_at.is_not(None)) & (table.c.user_id <= last)
    return int((await tx.conn.execute(sa.select(sa.func.count()).where(known))).scalar_one())
