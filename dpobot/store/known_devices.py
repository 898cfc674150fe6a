"""Since when a device of a person is known: seen signed by its owner."""

from datetime import datetime

import sqlalchemy as sa

from dpobot.model.ids import UserId
from dpobot.store.statements import insert_new
from dpobot.store.tables import known_device as table
from dpobot.store.tx import Tx


async def seen(tx: Tx, user_id: UserId, signing_key: str, now: datetime) -> datetime:
    """Return when a device was first seen signed: now, if it never was. ``signing_key``: its ed25519 key."""
    known = await since(tx, user_id, signing_key)
    if known is not None:
        return known
    await insert_new(tx, table, {"user_id": user_id, "signing_key": signing_key, "first_seen_at": now})
    return await since(tx, user_id, signing_key) or now


async def since(tx: Tx, user_id: UserId, signing_key: str) -> datetime | None:
    """Return since when a device is known, None if it isn't."""
    query = sa.select(table.c.first_seen_at).where(table.c.user_id == user_id, table.c.signing_key == signing_key)
    found: datetime | None = (await tx.conn.execute(query)).scalar_one_or_none()
    return found


async def forget(tx: Tx, user_id: UserId) -> None:
    """Know none of a person's devices any more."""
    await tx.conn.execute(sa.delete(table).where(table.c.user_id == user_id))
