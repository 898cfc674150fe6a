"""Archives that are fetched with a link: its hash, who has claimed it, until when. The secret is dropped once sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, Reference, RoomId
from dpobot.store.columns import Moment
from dpobot.store.statements import change, insert_new
from dpobot.store.tables import case, person
from dpobot.store.tables import download as table
from dpobot.store.tx import Tx

_SEALED = "download.sealed"
_COLUMNS = tuple(column for column in table.c if column.name != "sealed")


@dataclass(frozen=True, slots=True)
class Download:
    """One link. ``token_hash``, ``claim_hash``: SHA-256, hex, of its secret and of what the claiming browser holds."""

    case_id: int
    token_hash: str
    claim_hash: str | None
    created_at: datetime
    expires_at: datetime
    room_id: RoomId | None
    event_id: EventId | None
    sent_at: datetime | None
    claimed_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Open:
    """A link that is good now, with what its page says: the case's reference and its person's language."""

    download: Download
    reference: Reference
    language: str


async def promise(tx: Tx, case_id: int, token: str, token_hash: str, *, now: datetime, expires_at: datetime) -> bool:
    """Keep the secret of a case's link, sealed, until it is sent; False if the case has one already, which stays."""
    sealed = tx.seal.close(token.encode(), _SEALED)
    values = {"case_id": case_id, "token_hash": token_hash, "sealed": sealed}
    return await insert_new(tx, table, {**values, "created_at": now, "expires_at": expires_at})


async def of_case(tx: Tx, case_id: int) -> Download | None:
    """Return the link of a case."""
    row = (await tx.conn.execute(sa.select(*_COLUMNS).where(table.c.case_id == case_id))).mappings().one_or_none()
    return None if row is None else Download(**row)


async def token_of(tx: Tx, case_id: int) -> str | None:
    """Return the secret of a case's link, None if there is none or its person has it."""
    sealed = (await tx.conn.execute(sa.select(table.c.sealed).where(table.c.case_id == case_id))).scalar_one_or_none()
    return None if sealed is None else tx.seal.open(sealed, _SEALED).decode()


async def renew(tx: Tx, case_id: int, expires_at: datetime) -> None:
    """Let a link that has not been sent yet be good until a later moment."""
    row = sa.update(table).where(table.c.case_id == case_id, table.c.sent_at.is_(None))
    await tx.conn.execute(row.values(expires_at=expires_at))


async def sent(tx: Tx, case_id: int, room_id: RoomId, event_id: EventId, now: datetime) -> None:
    """Note that a link is in the person's room, and drop its secret."""
    row = sa.update(table).where(table.c.case_id == case_id, table.c.sent_at.is_(None))
    await tx.conn.execute(row.values(room_id=room_id, event_id=event_id, sent_at=now, sealed=None))


async def find(tx: Tx, token_hash: str, now: datetime) -> Open | None:
    """Return the link that a secret's hash leads to, None if there is none, or it or its case is over."""
    query = (
        sa.select(*_COLUMNS, case.c.reference, person.c.language)
        .join(case, case.c.id == table.c.case_id)
        .outerjoin(person, person.c.user_id == case.c.person)
        .where(table.c.token_hash == token_hash, *_good(now), case.c.closed_at.is_(None))
    )
    row = (await tx.conn.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    values: dict[str, Any] = dict(row)
    reference, language = values.pop("reference"), values.pop("language")
    return Open(Download(**values), reference, language or "en")


async def claim(tx: Tx, token_hash: str, claim_hash: str, now: datetime) -> bool:
    """Let whoever holds what ``claim_hash`` is the hash of have a link; True the first time only."""
    row = sa.update(table).where(table.c.token_hash == token_hash, table.c.claim_hash.is_(None), *_good(now))
    return await change(tx, row.values(claim_hash=claim_hash, claimed_at=now)) == 1


async def end(tx: Tx, case_id: int, now: datetime) -> None:
    """Let a link lead nowhere from now on, and drop its secret; what lay behind it is still to be deleted."""
    row = sa.update(table).where(table.c.case_id == case_id, table.c.closed_at.is_(None))
    over = sa.case((table.c.expires_at > now, sa.literal(now, Moment())), else_=table.c.expires_at)
    await tx.conn.execute(row.values(expires_at=over, sealed=None))


async def closed(tx: Tx, case_id: int, now: datetime) -> None:
    """Note that nothing of a link is left on this machine."""
    row = sa.update(table).where(table.c.case_id == case_id, table.c.closed_at.is_(None))
    await tx.conn.execute(row.values(closed_at=now, sealed=None))


async def live(tx: Tx, now: datetime) -> dict[int, str]:
    """Return the hash of each case's link that is good now, or is still to be sent."""
    to_be_sent = table.c.sent_at.is_(None) & table.c.sealed.is_not(None)
    good = table.c.sent_at.is_not(None) & (table.c.expires_at > now)
    query = sa.select(table.c.case_id, table.c.token_hash).where(table.c.closed_at.is_(None), to_be_sent | good)
    return {row.case_id: row.token_hash for row in await tx.conn.execute(query)}


async def forget(tx: Tx, case_id: int) -> None:
    """Forget a case's link: its files are gone and are made anew."""
    await tx.conn.execute(sa.delete(table).where(table.c.case_id == case_id))


def _good(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.closed_at.is_(None), table.c.expires_at > now
