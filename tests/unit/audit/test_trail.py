"""The audit trail: what may stand in it, and that nothing in it can be changed unnoticed."""

import asyncio
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from dpobot.audit import chain, trail
from dpobot.audit.chain import Verdict
from dpobot.store import audit_rows, bot_state
from dpobot.store.database import Database, Tx
from dpobot.store.tables import audit as table

NOW = datetime(2026, 3, 2, 9, 0, 0, 5, tzinfo=UTC)


async def _three(tx: Tx) -> None:
    await trail.record(
        tx, NOW, "@anna:x", "case.opened", None, {"kind": "export", "count": 3, "ok": True, "none": None}
    )
    await trail.record(tx, NOW, "policy", "case.approved")
    await trail.record(tx, NOW, "bot", "export.started", detail={"event_id": "$abc"})


async def test_an_empty_trail_holds(database: Database) -> None:
    """Nothing has happened yet."""
    assert await database.read(chain.verify) == Verdict(0)


async def test_an_untouched_trail_holds(database: Database) -> None:
    """Three rows, numbered from 1, each covering the one before."""
    await database.write(_three)

    async def all_rows(tx: Tx) -> list[audit_rows.AuditRow]:
        return [row async for row in audit_rows.rows(tx)]

    rows = await database.read(all_rows)
    assert [row.seq for row in rows] == [1, 2, 3]
    assert [row.prev for row in rows] == [chain.GENESIS, rows[0].hash, rows[1].hash]
    assert (rows[0].at, dict(rows[0].detail)) == (NOW, {"kind": "export", "count": 3, "ok": True, "none": None})
    assert await database.read(chain.verify) == Verdict(3)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"action": "case.refused"}, Verdict(1, 2, "hash")),
        ({"detail": {"count": 1}}, Verdict(1, 2, "hash")),
        ({"at": datetime(2026, 3, 3, tzinfo=UTC)}, Verdict(1, 2, "hash")),
        ({"actor": "admin"}, Verdict(1, 2, "actor")),
        ({"actor_digest": "0" * 64}, Verdict(1, 2, "hash")),
        ({"prev": "0" * 64}, Verdict(1, 2, "prev")),
        ({"hash": "0" * 64}, Verdict(1, 2, "hash")),
        ({"seq": 9}, Verdict(2, 9, "missing")),
    ],
)
async def test_a_changed_row_is_found(database: Database, values: dict[str, object], expected: Verdict) -> None:
    """Whatever column it was: the first bad row is named."""
    await database.write(_three)

    async def tamper(tx: Tx) -> None:
        await tx.conn.execute(sa.update(table).where(table.c.seq == 2).values(**values))

    await database.write(tamper)
    found = await database.read(chain.verify)
    assert found == (expected if "seq" not in values else Verdict(1, 3, "missing"))
    assert found.holds is False


@pytest.mark.parametrize(
    ("gone", "expected"), [(1, Verdict(0, 2, "missing")), (2, Verdict(1, 3, "missing")), (3, Verdict(2, 3, "head"))]
)
async def test_a_removed_row_is_found(database: Database, gone: int, expected: Verdict) -> None:
    """At the beginning, in the middle, at the end."""
    await database.write(_three)

    async def remove(tx: Tx) -> None:
        await tx.conn.execute(sa.delete(table).where(table.c.seq == gone))

    await database.write(remove)
    assert await database.read(chain.verify) == expected


async def test_a_row_put_in_is_found(database: Database) -> None:
    """A row at the end that is right in itself does not agree with the head that was kept."""
    await database.write(_three)
    head = await database.read(lambda tx: bot_state.get(tx, "audit.head"))

    async def forge(tx: Tx) -> None:
        await trail.record(tx, NOW, "bot", "export.started")
        await bot_state.set(tx, "audit.head", head or "")

    await database.write(forge)
    assert await database.read(chain.verify) == Verdict(4, 5, "head")


async def test_many_writers_make_one_chain(database: Database) -> None:
    """20 tasks of 5 rows each: 100 rows without a gap."""

    async def work(number: int) -> None:
        for _ in range(5):
            await database.write(lambda tx: trail.record(tx, NOW, "bot", "test.row", detail={"writer": number}))

    await asyncio.gather(*(work(number) for number in range(20)))
    assert await database.read(chain.verify) == Verdict(100)


async def test_a_long_trail_is_read_in_pages(sqlite_database: Database) -> None:
    """Exactly a page, and one row more."""

    async def fill(tx: Tx) -> None:
        for _ in range(500):
            await trail.record(tx, NOW, "bot", "test.row")

    await sqlite_database.write(fill)
    assert await sqlite_database.read(chain.verify) == Verdict(500)
    await sqlite_database.write(lambda tx: trail.record(tx, NOW, "bot", "test.row"))
    assert await sqlite_database.read(chain.verify) == Verdict(501)


async def test_actors_can_be_forgotten(database: Database) -> None:
    """When a case has expired nobody can tell who it was, and the chain still holds."""
    await database.write(_three)

    async def forget(tx: Tx) -> list[tuple[str | None, str | None]]:
        await tx.conn.execute(sa.update(table).values(actor=None, actor_salt=None))
        return [(row.actor, row.actor_salt) async for row in audit_rows.rows(tx)]

    assert await database.write(forget) == [(None, None)] * 3
    assert await database.read(chain.verify) == Verdict(3)


@pytest.mark.parametrize(
    ("actor", "action", "detail"),
    [
        ("Anna Example", "case.opened", {}),
        ("", "case.opened", {}),
        ("bot", "Case opened", {}),
        ("bot", "case.opened", {"note": "two words"}),
        ("bot", "case.opened", {"note": "line\nbreak"}),
        ("bot", "case.opened", {"note": "x" * 129}),
        ("bot", "case.opened", {"Note": "x"}),
        ("bot", "case.opened", {"note": 1.5}),
        ("bot", "case.opened", {"note": ["x"]}),
        ("bot", "case.opened", {"note": {"x": 1}}),
        ("bot", "case.opened", {"note": 2**60}),
    ],
)
async def test_what_people_write_does_not_get_in(
    sqlite_database: Database, actor: str, action: str, detail: trail.Detail
) -> None:
    """Only ids, codes and counts; the error does not repeat what was refused."""
    with pytest.raises(ValueError, match=r" (is|are) ") as caught:
        await sqlite_database.write(lambda tx: trail.record(tx, NOW, actor, action, None, detail))
    assert [value in str(caught.value) for value in ("Anna", "words", "break")] == [False, False, False]
    assert await sqlite_database.read(chain.verify) == Verdict(0)


async def test_a_head_that_was_noted_elsewhere_is_found_again(database: Database) -> None:
    """As long as nobody computes the trail anew, which the trail alone would not show."""
    await database.write(_three)
    noted = (await database.read(lambda tx: audit_rows.head(tx, chain.GENESIS))).hash
    await database.write(lambda tx: trail.record(tx, NOW, "bot", "test.row"))
    before = [await database.read(lambda tx, head=head: chain.contains(tx, head)) for head in (noted, chain.GENESIS)]  # type: ignore[misc] # mypy can't infer a lambda with a default

    async def compute_anew(tx: Tx) -> None:
        await tx.conn.execute(sa.delete(table))
        await bot_state.drop(tx, "audit.head")
        await trail.record(tx, NOW, "@anna:x", "case.opened")

    await database.write(compute_anew)
    assert (before, (await database.read(chain.verify)).holds) == ([True, True], True)
    assert await database.read(lambda tx: chain.contains(tx, noted)) is False
