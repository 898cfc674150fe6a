"""Questions of the bot in the staff room, whoever was asked: found by their kind, and remembered once answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.store.statements import change
from dpobot.store.tables import prompt as table
from dpobot.store.tx import Tx

_SEALED = "prompt.sealed"  # as in `prompts`: the same rows


@dataclass(frozen=True, slots=True)
class StaffPrompt:
    """One question to a member of staff. ``content`` is empty if it was dropped with the answer."""

    id: int
    person: UserId
    event_id: EventId
    content: Mapping[str, Any] = field(repr=False)
    created_at: datetime
    expires_at: datetime
    answered_at: datetime | None


async def of_room(tx: Tx, room_id: RoomId, kind: str, limit: int, person: UserId | None = None) -> list[StaffPrompt]:
    """Return the newest questions of a kind in a room, answered and expired ones too, newest first."""
    wanted = (table.c.room_id == room_id) & (table.c.kind == kind)
    if person is not None:
        wanted &= table.c.person == person
    query = sa.select(table).where(wanted).order_by(table.c.id.desc()).limit(limit)
    return [_prompt(tx, row) for row in (await tx.conn.execute(query)).mappings()]


async def answered(tx: Tx, id_: int, kept: Mapping[str, Any], now: datetime) -> bool:
    """Close a question, keeping of its content only ``kept``; True for the one who closes it."""
    row = sa.update(table).where(table.c.id == id_, table.c.answered_at.is_(None))
    return await change(tx, row.values(answered_at=now, sealed=tx.seal.close_json(dict(kept), _SEALED))) == 1


def _prompt(tx: Tx, row: sa.RowMapping) -> StaffPrompt:
    return StaffPrompt(
        id=row["id"],
        person=row["person"],
        event_id=row["event_id"],
        content=tx.seal.open_json(row["sealed"], _SEALED) if row["sealed"] else {},
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        answered_at=row["answered_at"],
    )
