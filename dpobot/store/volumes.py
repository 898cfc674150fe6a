"""Volumes of archives: built, uploaded, sent, deleted from the server. Their keys are dropped once sent."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, Mxc, RoomId
from dpobot.model.records import EncryptedFile
from dpobot.store.statements import change, insert
from dpobot.store.tables import volume as table
from dpobot.store.tx import Tx

_SEALED = "volume.sealed"


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """One volume. ``size`` and ``sha256`` are the plain ZIP's; ``file`` opens its upload, until it is sent."""

    case_id: int
    number: int  # from 1
    size: int
    sha256: str
    mxc: Mxc | None
    file: EncryptedFile | None = field(repr=False)
    room_id: RoomId | None
    event_id: EventId | None
    sent_at: datetime | None
    deleted_at: datetime | None
    name: str | None = None


async def put(tx: Tx, case_id: int, number: int, size: int, sha256: str, name: str | None = None) -> None:
    """Note a volume that was built; one built anew replaces the old figures until it has been uploaded.

    ``name``: of its file, if it is fetched with a link.
    """
    row = insert(tx, table).values(case_id=case_id, number=number, size=size, sha256=sha256, name=name)
    again = row.on_conflict_do_update(
        index_elements=[table.c.case_id, table.c.number],
        set_={"size": row.excluded.size, "sha256": row.excluded.sha256, "name": row.excluded.name},
        where=table.c.mxc.is_(None),
    )
    await tx.conn.execute(again)


async def uploaded(tx: Tx, case_id: int, number: int, file: EncryptedFile) -> bool:
    """Note where a volume's bytes are and how they open; False if it is known to be somewhere else already.

    After False the caller's own upload is superfluous: `of_case` gives the one that counts.
    """
    row = sa.update(table).where(_key(case_id, number), table.c.mxc.is_(None))
    values = {"mxc": file.url, "sealed": tx.seal.close_json(_plain(file), _SEALED)}
    return await change(tx, row.values(**values)) == 1


async def sent(tx: Tx, case_id: int, number: int, room_id: RoomId, event_id: EventId, now: datetime) -> None:
    """Note that a volume is in the person's room, and drop its key."""
    row = sa.update(table).where(_key(case_id, number), table.c.sent_at.is_(None))
    await tx.conn.execute(row.values(room_id=room_id, event_id=event_id, sent_at=now, sealed=None))


async def deleted(tx: Tx, case_id: int, number: int, now: datetime) -> None:
    """Note that the server no longer has a volume, and drop its key."""
    row = sa.update(table).where(_key(case_id, number), table.c.deleted_at.is_(None))
    await tx.conn.execute(row.values(deleted_at=now, sealed=None))


async def forget(tx: Tx, case_id: int) -> None:
    """Forget a case's volumes: they are gone from the server and are built anew."""
    await tx.conn.execute(sa.delete(table).where(table.c.case_id == case_id))


async def of_case(tx: Tx, case_id: int) -> list[VolumeRow]:
    """Return a case's volumes in their order."""
    return await _volumes(tx, sa.select(table).where(table.c.case_id == case_id))


async def undeleted_before(tx: Tx, before: datetime) -> list[VolumeRow]:
    """Return volumes that were sent before a moment and that the server still has."""
    query = sa.select(table).where(table.c.deleted_at.is_(None), table.c.sent_at < before)
    return await _volumes(tx, query)


def _plain(file: EncryptedFile) -> dict[str, Any]:
    return {"url": file.url, "key": dict(file.key), "iv": file.iv, "hashes": dict(file.hashes), "size": file.size}


def _key(case_id: int, number: int) -> sa.ColumnElement[bool]:
    return (table.c.case_id == case_id) & (table.c.number == number)


async def _volumes(tx: Tx, query: sa.Select[Any]) -> list[VolumeRow]:
    found = (await tx.conn.execute(query.order_by(table.c.case_id, table.c.number))).mappings()
    return [_volume(tx, row) for row in found]


def _volume(tx: Tx, row: sa.RowMapping) -> VolumeRow:
    values = dict(row)
    sealed = values.pop("sealed")
    return VolumeRow(**values, file=None if sealed is None else EncryptedFile(**tx.seal.open_json(sealed, _SEALED)))
