"""A value in every place that is encrypted at rest, with words that can be searched for."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from dpobot.model.erasure import ErasureOptions
from dpobot.model.ids import EventId, Mxc, RoomId
from dpobot.model.records import Case, EncryptedFile, IncomingKind
from dpobot.model.words import Kind
from dpobot.store import (
    assessments,
    bot_state,
    case_messages,
    downloads,
    erasures,
    files,
    inbox,
    letters,
    outbox,
    prompts,
    rectifications,
    resealing,
    volumes,
)
from dpobot.store.case_messages import Direction
from dpobot.store.database import Database, Tx
from dpobot.store.files import Purpose
from dpobot.store.inbox import NewEvent
from dpobot.store.letters import Letter
from dpobot.store.outbox import OutboxItem
from tests.unit.cases.office import ANNA, FILE, NOW, VERA, Office

WORDS = "heliotropecanal"
ROOM = RoomId("!r:x")
NOTE: dict[str, Any] = {"author": VERA, "direction": Direction.NOTE, "posted": True, "now": NOW}
LATER = NOW + timedelta(days=1)


async def plant(database: Database) -> Case:
    """Fill every place with `WORDS`; one that nobody has filled here fails."""
    case = await Office(database).open(Kind.EXPORT)
    await database.write(lambda tx: _fill(tx, case))
    empty = [place for place, values in (await held(database)).items() if not values]
    assert empty == [], "a column that is encrypted at rest, and not filled here: add it, so that rotation is tested"
    return case


async def _fill(tx: Tx, case: Case) -> None:
    said = {"body": WORDS}
    event = NewEvent(EventId("$new"), ROOM, ANNA, IncomingKind.TEXT, True, NOW, NOW, said)
    await inbox.take_in(tx, [event], "s1")
    await outbox.put(tx, OutboxItem("answer", ANNA, said, NOW, attachment=said))
    await letters.put(tx, Letter("txn", ROOM, "m.room.message", said), NOW)
    await case_messages.add(tx, case.id, EventId("$words"), WORDS, **NOTE)
    await files.add(tx, case.id, EventId("$file"), FILE, author=None, purpose=Purpose.EVIDENCE, posted=True, now=NOW)
    await assessments.put(tx, case.id, "nature", VERA, "high", WORDS, NOW)
    await volumes.put(tx, case.id, 1, 10, "a" * 64)
    await volumes.uploaded(tx, case.id, 1, EncryptedFile(Mxc("mxc://x/1"), {"k": WORDS}, "iv", {}, 7))
    await downloads.promise(tx, case.id, WORDS, "h" * 64, now=NOW, expires_at=LATER)
    await erasures.put(tx, case.id, ErasureOptions())
    await erasures.keep_code(tx, case.id, WORDS)
    await rectifications.put(tx, case.id, "email", {"old": None, "new": WORDS})
    question: dict[str, Any] = {"person": ANNA, "room_id": ROOM, "kind": "erase_code", "event_id": EventId("$asked")}
    await prompts.ask(tx, **question, content=said, now=NOW, expires_at=LATER)
    await bot_state.set_sealed(tx, bot_state.MATRIX_TOKEN, WORDS)


async def held(database: Database) -> dict[str, list[bytes]]:
    """Return what lies in every place: column, or name of a fact, to envelopes."""

    async def read(tx: Tx) -> dict[str, list[bytes]]:
        found: dict[str, list[Any]] = {}
        for table, column in resealing.places():
            query = sa.select(column).where(column.is_not(None))
            found[f"{table.name}.{column.name}"] = [bytes(value) for value in (await tx.conn.execute(query)).scalars()]
        token = await bot_state.get(tx, bot_state.MATRIX_TOKEN)
        return {**found, bot_state.MATRIX_TOKEN: [] if token is None else [bytes.fromhex(token)]}

    return await database.read(read)


async def opened(database: Database) -> dict[str, list[bytes]]:
    """Return the same in clear. Raises `SealError` if one does not open."""
    found = await held(database)

    async def read(tx: Tx) -> dict[str, list[bytes]]:
        return {place: [tx.seal.open(value, place) for value in values] for place, values in found.items()}

    return await database.read(read)
