"""Cases that other homeservers' notices have opened here: who sent them, and what they were told last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, Reference, RoomId, UserId
from dpobot.model.notices import NoticeState
from dpobot.store.statements import insert_new
from dpobot.store.tables import case
from dpobot.store.tables import foreign_request as table
from dpobot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class ForeignRequest:
    """One notice of another server. ``reference``: of their case; ``verified``: their server names the sender."""

    case_id: int
    server: str
    sender: UserId
    reference: str
    room_id: RoomId
    event_id: EventId
    verified: bool
    requested: tuple[str, ...]
    erased_on: str
    told: NoticeState | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Untold:
    """A case that is over, and whoever asked for it has not been told so."""

    request: ForeignRequest
    reference: Reference
    person: UserId
    state: str


async def add(tx: Tx, request: ForeignRequest) -> bool:
    """Note a notice; False if that server's reference is known."""
    values = {name: getattr(request, name) for name in _NAMES}
    return await insert_new(tx, table, {**values, "requested": list(request.requested)})


async def of_case(tx: Tx, case_id: int) -> ForeignRequest | None:
    """Return the notice that opened a case, None if none did."""
    return await _one(tx, table.c.case_id == case_id)


async def find(tx: Tx, server: str, reference: str) -> ForeignRequest | None:
    """Return the notice of a server with its reference."""
    return await _one(tx, (table.c.server == server) & (table.c.reference == reference))


async def in_room(tx: Tx, room_id: RoomId, sender: UserId) -> ForeignRequest | None:
    """Return the newest notice that somebody sent in a room."""
    query = sa.select(table).where(table.c.room_id == room_id, table.c.sender == sender)
    row = (await tx.conn.execute(query.order_by(table.c.case_id.desc()).limit(1))).mappings().one_or_none()
    return None if row is None else _request(row)


async def open_of(tx: Tx, server: str) -> int:
    """Return how many cases that a server's notices opened are not over."""
    query = sa.select(sa.func.count()).select_from(table).join(case, case.c.id == table.c.case_id)
    return int((await tx.conn.execute(query.where(table.c.server == server, case.c.closed_at.is_(None)))).scalar_one())


async def count_since(tx: Tx, server: str, moment: datetime) -> int:
    """Return how many cases a server's notices have opened since a moment."""
    query = sa.select(sa.func.count()).where(table.c.server == server, table.c.created_at > moment)
    return int((await tx.conn.execute(query)).scalar_one())


async def untold(tx: Tx, limit: int) -> Sequence[Untold]:
    """Return cases that are over, and of which whoever asked has only heard that they were opened."""
    final = (NoticeState.DONE, NoticeState.REFUSED)
    wanted = case.c.closed_at.is_not(None) & (table.c.told.is_(None) | table.c.told.not_in(final))
    columns = (case.c.reference.label("ours"), case.c.person, case.c.state)
    query = sa.select(table, *columns).join(case, case.c.id == table.c.case_id).where(wanted)
    found = (await tx.conn.execute(query.order_by(table.c.case_id).limit(limit))).mappings()
    return [Untold(_request(row), Reference(row["ours"]), UserId(row["person"]), row["state"]) for row in found]


async def tell(tx: Tx, case_id: int, state: NoticeState) -> None:
    """Note what whoever asked was told last."""
    await tx.conn.execute(sa.update(table).where(table.c.case_id == case_id).values(told=state))


_NAMES = tuple(ForeignRequest.__dataclass_fields__)


async def _one(tx: Tx, condition: sa.ColumnElement[bool]) -> ForeignRequest | None:
    row = (await tx.conn.execute(sa.select(table).where(condition))).mappings().one_or_none()
    return None if row is None else _request(row)


def _request(row: Any) -> ForeignRequest:
    values = {name: row[name] for name in _NAMES}
    told = None if values["told"] is None else NoticeState(values["told"])
    return ForeignRequest(**{**values, "requested": tuple(values["requested"]), "told": told})
