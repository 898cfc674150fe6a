"""`dpobot backup` and `dpobot restored`: what is in the copy of a database in use, and what becomes of it."""

import argparse
import asyncio
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from dpobot import config, recovery
from dpobot.audit import chain
from dpobot.cases import service
from dpobot.clock import SystemClock
from dpobot.errors import ConfigurationError
from dpobot.model.erasure import ErasureOptions
from dpobot.model.ids import EventId, UserId
from dpobot.model.words import Channel, Kind, Trust
from dpobot.store import alerts, bot_state, cases, erasures, origin, tables
from dpobot.store.database import Database, Tx
from dpobot.store.seal import Seal
from tests.unit.admin import bot_toml, opened

__all__ = ["bot_toml"]  # a fixture

NOW = datetime.now(UTC)  # the command takes the machine's clock: numbers are of its year
PEOPLE = [UserId(f"@{name}:example.org") for name in ("anna", "bert", "carl")]


async def _open(database: Database, person: UserId, kind: Kind) -> str:
    event = EventId(f"${person}{kind}")
    opening = service.Opening(person, kind, Channel.MATRIX, Trust.SIGNED, True, None, event, {}, NOW)
    return str((await database.write(lambda tx: service.open_case(tx, NOW, opening, service.Rules()))).case.reference)


async def _rows(tx: Tx) -> list[tuple[str, str, str]]:
    found = sa.select(tables.case.c.person, tables.case.c.kind, tables.case.c.state).order_by(tables.case.c.id)
    return [tuple(row) for row in await tx.conn.execute(found)]


async def _lived(bot_toml: Path) -> Path:
    """Open three cases, one of them an erasure that has begun and one that has not; return the database's file."""
    database = await opened(bot_toml)
    for person, kind in zip(PEOPLE, (Kind.COMPLAINT, Kind.ERASURE, Kind.ERASURE), strict=True):
        await _open(database, person, kind)

    async def begin(tx: Tx) -> None:
        await erasures.put(tx, 3, ErasureOptions())
        await erasures.change(tx, 3, begun_at=NOW - timedelta(minutes=1))
        for number in (2, 3):
            await tx.conn.execute(sa.update(tables.case).where(tables.case.c.id == number).values(state="review"))

    await database.write(begin)
    await database.close()
    return bot_toml.parent / "data" / "dpobot.sqlite"


async def test_a_backup_while_it_is_in_use_is_whole_private_and_says_what_is_not_in_it(
    bot_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody writes all the time: the copy is of one moment, opens alone, and holds no key."""
    await _lived(bot_toml)
    target = bot_toml.parent / "copy.sqlite"
    database = await opened(bot_toml)
    writing = True

    async def write() -> None:
        number = 0
        while writing:
            number += 1
            await database.write(lambda tx, n=str(number): _both(tx, n))  # type: ignore[misc] # bound per turn

    async def _both(tx: Tx, value: str) -> None:
        await bot_state.set(tx, "one", value)
        await bot_state.set(tx, "other", value)

    task = asyncio.create_task(write())
    await _back_up(bot_toml, target)
    writing = False
    await task
    await database.close()
    out = capsys.readouterr().out
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [word for word in ("seal.keys", "receipt.key", "recovery key", "Never back up") if word not in out] == []
    shutil.copyfile(target, bot_toml.parent / "data" / "dpobot.sqlite")
    copied = await opened(bot_toml)
    assert len(await copied.read(_rows)) == 3
    assert await copied.read(lambda tx: bot_state.get(tx, "one")) == await copied.read(
        lambda tx: bot_state.get(tx, "other")
    )
    await copied.close()
    with pytest.raises(ConfigurationError, match="there is a file of that name; a backup replaces nothing"):
        await _back_up(bot_toml, target)


async def _back_up(bot_toml: Path, target: Path) -> None:
    assert await recovery.back_up(argparse.Namespace(target=target), config.load(bot_toml), SystemClock()) == 0


async def _restored(bot_toml: Path, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    recovery.restored_arguments(parser)
    return await recovery.restored(parser.parse_args(arguments), config.load(bot_toml), SystemClock())


async def _put_back(bot_toml: Path, database_file: Path, copy: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database_file}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(copy, database_file)


async def test_a_copy_is_refused_until_somebody_says_what_it_is(
    bot_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`run` stops with both ways out; moved only, it goes on as it was."""
    file = await _lived(bot_toml)
    copy = bot_toml.parent / "copy.sqlite"
    await _back_up(bot_toml, copy)
    await _put_back(bot_toml, file, copy)
    database = await opened(bot_toml)
    with pytest.raises(ConfigurationError, match=r"this database is a copy of .*: dpobot restored --nothing-lost"):
        await database.write(origin.refuse_copy)
    before = await database.read(_rows)
    await database.close()
    capsys.readouterr()
    status = await _restored(bot_toml, "--nothing-lost")
    database = await opened(bot_toml)
    await database.write(origin.refuse_copy)
    assert (status, capsys.readouterr().out) == (0, "the copy is the database from now on; nothing in it was changed\n")
    assert await database.read(_rows) == before
    assert await _open(database, PEOPLE[0], Kind.QUESTION) == f"DPO-{NOW.year}-0004"
    await database.close()


async def test_what_was_put_back_gives_no_reference_twice_and_erases_nobody_who_may_have_cancelled(
    bot_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers leave a gap; an erasure that has begun goes on, the other is taken back; people and staff hear of it."""
    file = await _lived(bot_toml)
    copy = bot_toml.parent / "copy.sqlite"
    await _back_up(bot_toml, copy)
    database = await opened(bot_toml)
    given = await _open(database, PEOPLE[0], Kind.EXPORT)
    await database.close()
    await _put_back(bot_toml, file, copy)
    capsys.readouterr()
    status = await _restored(bot_toml, "--paused")
    database = await opened(bot_toml)

    async def look(tx: Tx) -> dict[str, Any]:
        told = sa.select(tables.outbox.c.user_id, tables.outbox.c.room_id).order_by(tables.outbox.c.user_id)
        return {
            "rows": await _rows(tx),
            "told": [tuple(row) for row in await tx.conn.execute(told)],
            "alerts": [alert.code for alert in await alerts.list_open(tx)],
            "paused": await bot_state.get(tx, bot_state.DELIVERIES_PAUSED) is not None,
            "trail": (await chain.verify(tx)).holds,
        }

    await database.write(origin.refuse_copy)
    seen = await database.read(look)
    fresh = await _open(database, PEOPLE[0], Kind.EXPORT)
    settled = [await database.write(lambda tx, d=days: alerts.settle(tx, NOW + timedelta(days=d))) for days in (6, 8)]  # type: ignore[misc] # bound per turn
    await database.close()
    assert status == 0
    assert capsys.readouterr().out == "references go on above 2000; 3 people with open requests will be told\n"
    assert (given, fresh) == (f"DPO-{NOW.year}-0004", f"DPO-{NOW.year}-2001")
    assert [state for _, _, state in seen.pop("rows")] == ["review", "withdrawn", "review"]
    told = [(person, None) for person in PEOPLE]
    assert settled == [0, 1]
    assert seen == {"told": told, "alerts": ["restored"], "paused": True, "trail": True}


async def test_numbers_leave_out_as_many_as_the_busiest_year_has_had(database: Database) -> None:
    """And more where somebody knows of a higher one; the first of a new year leaves a gap, too."""

    async def number(year: int, last: int, above: int, of: int) -> int:
        async def skip(tx: Tx) -> int:
            await tx.conn.execute(sa.delete(tables.case_number))
            await tx.conn.execute(sa.insert(tables.case_number).values(year=year, last=last))
            return await cases.skip_numbers(tx, of, 1000, above)

        return await database.write(skip)

    assert await number(2026, 42, 0, 2026) == 2000
    assert await number(2026, 80_000, 0, 2026) == 160_000
    assert await number(2026, 80_000, 0, 2027) == 80_000
    assert await number(2026, 0, 5_300, 2026) == 7_000


async def test_a_copy_on_postgresql_is_known_without_a_mark(
    postgres_server: str, postgres_url: str, seal: Seal
) -> None:
    """The server keeps a copy under other numbers; the one that is in use is not taken for one, however often."""
    name = postgres_url.partition("?")[0].rpartition("/")[2]
    used = Database(postgres_url, seal)
    await used.open()
    for _ in range(2):
        await used.write(origin.refuse_copy)
    await used.close()
    with psycopg.connect(postgres_server.replace("+psycopg", ""), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}"'.encode())
        copied = Database(postgres_url.replace(f"/{name}?", f"/{name}_copy?"), seal)
        await copied.open()
        with pytest.raises(ConfigurationError, match="this database is a copy; was it put back"):
            await copied.write(origin.refuse_copy)
        await copied.write(origin.accept)
        await copied.write(origin.refuse_copy)
        await copied.close()
        server.execute(f'DROP DATABASE "{name}_copy"'.encode())
