"""Links to archives, on both databases: one for a case, one browser for it, and the secret only until it is sent."""

import asyncio
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import cases, downloads, expiring, people, volumes
from dpobot.store.database import Database, Tx
from dpobot.store.downloads import Download
from dpobot.store.tables import download as table
from tests.unit.store.moments import ANNA, NOW, ROOM, after

SECRET, HASH, OTHER = "s" * 43, "a" * 64, "b" * 64
UNTIL = NOW + timedelta(hours=2)


async def _case(tx: Tx, number: int = 1, **more: Any) -> int:
    values = {
        "reference": f"DPO-2026-{number:04d}",
        "person": ANNA,
        "kind": Kind.EXPORT,
        "state": CaseState.WORKING,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "options": {},
        "received_at": NOW,
        "due_at": NOW,
        "updated_at": NOW,
    }
    return (await cases.add(tx, values | more)).id


async def _promised(tx: Tx) -> int:
    await people.ensure(tx, ANNA, NOW)
    await people.set_language(tx, ANNA, "de")
    case_id = await _case(tx)
    assert await downloads.promise(tx, case_id, SECRET, HASH, now=NOW, expires_at=UNTIL)
    return case_id


async def _row(database: Database, case_id: int) -> Download:
    found = await database.read(lambda tx: downloads.of_case(tx, case_id))
    assert found is not None
    return found


async def _finds(database: Database, token_hash: str = HASH, at: float = 0) -> str | None:
    found = await database.read(lambda tx: downloads.find(tx, token_hash, after(at)))
    return None if found is None else f"{found.reference} {found.language}"


async def test_the_first_secret_of_a_case_stays(database: Database) -> None:
    """A job that runs again does not make a second link; the secret is sealed, and dropped once it is sent."""
    case_id = await database.write(_promised)
    again = await database.write(
        lambda tx: downloads.promise(tx, case_id, "t" * 43, OTHER, now=after(9), expires_at=UNTIL)
    )
    assert again is False
    assert await database.read(lambda tx: downloads.token_of(tx, case_id)) == SECRET
    raw = await database.read(lambda tx: tx.conn.scalar(sa.select(table.c.sealed)))
    assert raw is not None
    assert SECRET.encode() not in raw
    await database.write(lambda tx: downloads.sent(tx, case_id, ROOM, EventId("$link"), after(10)))
    await database.write(lambda tx: downloads.sent(tx, case_id, ROOM, EventId("$other"), after(20)))
    row = await _row(database, case_id)
    assert (row.token_hash, row.room_id, row.event_id, row.sent_at) == (HASH, ROOM, "$link", after(10))
    assert await database.read(lambda tx: downloads.token_of(tx, case_id)) is None
    assert await database.read(lambda tx: tx.conn.scalar(sa.select(table.c.sealed))) is None


async def test_a_link_is_found_by_its_hash_while_it_is_good(database: Database) -> None:
    """With its reference and its person's language; not by another hash, and not at its last moment."""
    await database.write(_promised)
    assert await _finds(database) == "DPO-2026-0001 de"
    assert [await _finds(database, other) for other in (OTHER, HASH.upper(), "")] == [None] * 3
    assert (await _finds(database, at=7199), await _finds(database, at=7200)) == ("DPO-2026-0001 de", None)


async def test_a_closed_case_has_no_link(database: Database) -> None:
    """Whether or not its files have been deleted yet; a person who is forgotten is spoken to in English."""
    case_id = await database.write(_promised)
    await database.write(lambda tx: people.lose(tx, ANNA))
    assert await _finds(database) is not None
    case = await database.read(lambda tx: cases.get(tx, case_id))
    over = {"state": CaseState.WITHDRAWN, "closed_at": NOW}
    await database.write(lambda tx: cases.update(tx, case, over))
    assert await _finds(database) is None


async def test_one_browser_has_it(database: Database) -> None:
    """Of many that claim it at once the first one; nobody once its time is over."""
    case_id = await database.write(_promised)
    claims = [f"{number:064d}" for number in range(6)]

    async def claim(held: str) -> bool:
        return await database.write(lambda tx: downloads.claim(tx, HASH, held, after(60)))

    won = await asyncio.gather(*(claim(held) for held in claims))
    row = await _row(database, case_id)
    assert (won.count(True), row.claim_hash, row.claimed_at) == (1, claims[won.index(True)], after(60))
    assert await database.write(_claimed_late) is False


async def _claimed_late(tx: Tx) -> bool:
    case_id = await _case(tx, 2)
    await downloads.promise(tx, case_id, SECRET, OTHER, now=NOW, expires_at=UNTIL)
    return await downloads.claim(tx, OTHER, "c" * 64, UNTIL)


async def test_a_link_that_waited_gets_its_whole_time(database: Database) -> None:
    """Until it is sent; what has been said to the person stays."""
    case_id = await database.write(_promised)
    await database.write(lambda tx: downloads.renew(tx, case_id, after(90_000)))
    await database.write(lambda tx: downloads.sent(tx, case_id, ROOM, EventId("$link"), NOW))
    await database.write(lambda tx: downloads.renew(tx, case_id, after(99_000)))
    assert (await _row(database, case_id)).expires_at == after(90_000)


async def test_a_link_ends_before_its_files_are_deleted(database: Database) -> None:
    """It leads nowhere from the first word on; that nothing is left is noted apart, and each of it once."""
    case_id = await database.write(_promised)
    await database.write(lambda tx: downloads.end(tx, case_id, after(5)))
    row = await _row(database, case_id)
    assert (row.expires_at, row.closed_at, await _finds(database, at=5)) == (after(5), None, None)
    assert await database.read(lambda tx: downloads.token_of(tx, case_id)) is None
    for moment in (after(6), after(7)):
        await database.write(lambda tx, moment=moment: downloads.closed(tx, case_id, moment))  # type: ignore[misc] # bound per turn
        await database.write(lambda tx: downloads.end(tx, case_id, after(1)))
    row = await _row(database, case_id)
    assert (row.expires_at, row.closed_at) == (after(5), after(6))


async def test_a_link_that_is_over_already_keeps_its_last_moment(database: Database) -> None:
    """Ending it later makes it no longer."""
    case_id = await database.write(_promised)
    await database.write(lambda tx: downloads.end(tx, case_id, after(99_000)))
    assert (await _row(database, case_id)).expires_at == UNTIL


async def test_an_expired_case_leaves_nothing_of_its_link(database: Database) -> None:
    """Neither a hash nor the name of a file."""
    case_id = await database.write(_promised)
    await database.write(lambda tx: volumes.put(tx, case_id, 1, 10, "d" * 64, "DPO-2026-0001-01.zip"))
    case = await database.read(lambda tx: cases.get(tx, case_id))
    assert await database.write(lambda tx: expiring.reduce(tx, case, after(10)))
    assert await database.read(lambda tx: downloads.of_case(tx, case_id)) is None
    assert await database.read(lambda tx: volumes.of_case(tx, case_id)) == []


async def test_an_archive_that_is_made_anew_has_a_new_link(database: Database) -> None:
    """The old one is forgotten; volumes have the names of the new ones."""
    case_id = await database.write(_promised)
    for name in ("old.zip", "new.zip"):
        await database.write(lambda tx, name=name: volumes.put(tx, case_id, 1, 10, "d" * 64, name))  # type: ignore[misc] # bound per turn
    await database.write(lambda tx: downloads.forget(tx, case_id))
    assert await _finds(database) is None
    assert await database.write(lambda tx: downloads.promise(tx, case_id, "t" * 43, OTHER, now=NOW, expires_at=UNTIL))
    assert await _finds(database, OTHER) == "DPO-2026-0001 de"
    assert [row.name for row in await database.read(lambda tx: volumes.of_case(tx, case_id))] == ["new.zip"]
