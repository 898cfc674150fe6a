"""Small facts of the bot itself, by name: where the listener stands, the head of the audit chain."""

import sqlalchemy as sa

from dpobot.store.statements import insert
from dpobot.store.tables import bot_state
from dpobot.store.tx import Tx

SYNC_TOKEN = "sync.token"  # noqa: S105 - the name of a row, and no secret


async def get(tx: Tx, key: str, *, lock: bool = False) -> str | None:
    """Return a value, or None; ``lock`` keeps others from changing it until this transaction ends."""
    query = sa.select(bot_state.c.value).where(bot_state.c.key == key)
    return (await tx.conn.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


async def set(tx: Tx, key: str, value: str) -> None:  # noqa: A001 - always read as bot_state.set
    """Store a value, replacing what was there."""
    row = insert(tx, bot_state).values(key=key, value=value)
    await tx.conn.execute(
        row.on_conflict_do_update(index_elements=[bot_state.c.key], set_={"value": row.excluded.value})
    )
