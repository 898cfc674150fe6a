"""Small facts of the bot itself, by name: where the listener stands, the head of the audit chain."""

import json
from datetime import datetime

import sqlalchemy as sa

from dpobot.model.ids import DeviceId
from dpobot.store.statements import insert, insert_new
from dpobot.store.tables import bot_state
from dpobot.store.tx import Tx

SYNC_TOKEN = "sync.token"  # noqa: S105 - the name of a row, and no secret
STAFF_ROOM = "staff.room"  # the room in which staff work: a room ID
DELIVERIES_PAUSED = "deliveries.paused"  # breach mode: since when, ISO 8601; no row: deliveries go out
ANNOUNCING = "notice.announcing"  # a version of the notice that people are being told of, "<version> <last user ID>"
MATRIX_TOKEN = "matrix.token"  # noqa: S105 - the name of a row: what workers act for the account with, sealed
RECEIPT_KEY = "receipt.key"  # the public key with which this installation signs receipts
DEVICE = "matrix.device"  # the device that serves: its ID, and when it began after another one, JSON
_BORN = "born.at"


async def get(tx: Tx, key: str, *, lock: bool = False) -> str | None:
    """Return a value, or None; ``lock`` keeps others from changing it until this transaction ends."""
    query = sa.select(bot_state.c.value).where(bot_state.c.key == key)
    return (await tx.conn.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


async def several(tx: Tx, *keys: str) -> dict[str, str]:
    """Return those of some values that are there."""
    query = sa.select(bot_state.c.key, bot_state.c.value).where(bot_state.c.key.in_(keys))
    return {row.key: row.value for row in await tx.conn.execute(query)}


async def set(tx: Tx, key: str, value: str) -> None:  # noqa: A001 - always read as bot_state.set
    """Store a value, replacing what was there."""
    row = insert(tx, bot_state).values(key=key, value=value)
    await tx.conn.execute(
        row.on_conflict_do_update(index_elements=[bot_state.c.key], set_={"value": row.excluded.value})
    )


async def settle(tx: Tx, key: str, value: str) -> str:
    """Store a value unless there is one, and return the one that counts: of two machines at once, the first one's."""
    while not await insert_new(tx, bot_state, {"key": key, "value": value}):
        known = await get(tx, key)
        if known is not None:
            return known
    return value


async def set_sealed(tx: Tx, key: str, value: str) -> None:
    """Store a value encrypted at rest, replacing what was there; its place is the key's name."""
    await set(tx, key, tx.seal.close(value.encode(), key).hex())


async def get_sealed(tx: Tx, key: str) -> str | None:
    """Return a value that is encrypted at rest, or None. Raises `SealError`."""
    sealed = await get(tx, key)
    return None if sealed is None else tx.seal.open(bytes.fromhex(sealed), key).decode()


async def drop(tx: Tx, key: str) -> None:
    """Delete a value; harmless if there is none."""
    await tx.conn.execute(sa.delete(bot_state).where(bot_state.c.key == key))


async def be_born(tx: Tx, now: datetime) -> None:
    """Note when this database was made; later calls change nothing."""
    await insert_new(tx, bot_state, {"key": _BORN, "value": now.isoformat()})


async def born_at(tx: Tx) -> datetime:
    """Return when this database was made: what is older was not said to this bot. Raises `LookupError`."""
    born = await get(tx, _BORN)
    if born is None:
        raise LookupError("this database does not say when it was made")
    return datetime.fromisoformat(born)


async def sync_token(tx: Tx) -> str | None:
    """Return up to where /sync has been taken in, None before the first time."""
    return await get(tx, SYNC_TOKEN)


async def serving(tx: Tx) -> DeviceId | None:
    """Return the device that serves, or served last; None before the first one."""
    found = await get(tx, DEVICE)
    return None if found is None else DeviceId(json.loads(found)["id"])


async def serve(tx: Tx, device_id: DeviceId, now: datetime) -> datetime | None:
    """Note which device serves from now on; return since when it does in another one's place, None if in nobody's."""
    found = await get(tx, DEVICE, lock=True)
    known = json.loads(found) if found is not None else None
    if known is not None and known["id"] == device_id:
        return None if known["since"] is None else datetime.fromisoformat(known["since"])
    since = None if known is None else now
    await set(tx, DEVICE, json.dumps({"id": device_id, "since": since and since.isoformat()}))
    return since
