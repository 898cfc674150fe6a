"""What workers add: exports a day with 1, 2 and 4 of them; an idle one's memory; how soon a dead one is replaced.

The homeserver's waiting times are made up (`benchmarks.workers_world` says why and which), everything else is real:
PostgreSQL, the queue, the journal, the export itself. docs/scale.md computes from these figures.

    python -m benchmarks.workers [--waves NUMBER] [--dead-after SECONDS]
"""

import argparse
import asyncio
import re
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import psutil
import psycopg
import sqlalchemy as sa

from benchmarks.measure import MEGABYTE, Figures, cpu_seconds, high_water, report
from benchmarks.workers_machine import KEYS, READY
from benchmarks.workers_world import direct_rooms, person
from dpobot.clock import SystemClock
from dpobot.model.ids import RoomId
from dpobot.model.words import CaseState, Channel, JobState, Kind, Trust
from dpobot.store import bot_state, cases, jobs, people, tables
from dpobot.store.database import Database
from dpobot.store.tx import Tx
from tests import postgres
from tests.fakes.matrix import FakeServer

AT_ONCE = 4  # jobs of one machine
DAY = 86_400
WANTED = 100_000  # requests in a day
_EXAMPLE = Path(__file__).resolve().parent.parent / "bot.example.toml"
Process = asyncio.subprocess.Process


@asynccontextmanager
async def machines(url: str, folder: Path, count: int, exports: int, dead_after: float) -> AsyncIterator[list[Process]]:
    """Start so many machines and wait until each has joined; end them afterwards."""
    started = []
    for number in range(count):
        name = f"m{number}"
        arguments = (url, str(folder / name), name, str(exports), str(AT_ONCE), str(dead_after))
        started.append(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.workers_machine", *arguments, stdout=asyncio.subprocess.PIPE
            )
        )
    for process in started:
        assert process.stdout is not None
        if (await process.stdout.readline()).decode().strip() != READY:
            raise RuntimeError("a machine did not get ready")
    yield started
    for process in started:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ask(database: Database, exports: int) -> None:
    """Let so many people have asked for their data, all approved."""
    now = SystemClock().now()
    rooms = direct_rooms(FakeServer(now=now), exports)

    async def change(tx: Tx) -> None:
        await bot_state.be_born(tx, now)
        for number, room in enumerate(rooms):
            await _asked(tx, number, room)

    await database.write(change)


async def _asked(tx: Tx, number: int, room: RoomId) -> None:
    now, who = SystemClock().now(), person(number)
    await people.ensure(tx, who, now)
    await people.set_room(tx, who, room)
    await people.mark_greeted(tx, who, now)
    values = {
        "reference": f"DPO-2026-{number:04d}",
        "person": who,
        "kind": Kind.EXPORT,
        "state": CaseState.APPROVED,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "room_id": room,
        "event_id": f"$case{number}",
        "options": {},
        "received_at": now,
        "due_at": now + timedelta(days=31),
        "updated_at": now,
    }
    case = await cases.add(tx, values)
    await jobs.want(tx, case_id=case.id, name="export", person=who, wake_at=now, now=now)


async def done(database: Database, state: JobState = JobState.DONE) -> int:
    """Return how many exports are in a state."""

    async def count(tx: Tx) -> int:
        found = sa.select(sa.func.count()).where(tables.job.c.name == "export", tables.job.c.state == state)
        return int((await tx.conn.execute(found)).scalar_one())

    return await database.read(count)


async def until(database: Database, number: int, state: JobState = JobState.DONE) -> None:
    """Wait until so many exports are in a state."""
    while await done(database, state) < number:
        if await done(database, JobState.FAILED) or await done(database, JobState.HELD):
            raise RuntimeError("an export did not go well")
        await asyncio.sleep(0.1)


async def curve(url: str, folder: Path, count: int, waves: int) -> Figures:
    """Return what so many workers do; measured without the first and the last wave, while all of them are busy."""
    slots = AT_ONCE * count
    exports = waves * slots
    database = await _empty(url)
    await ask(database, exports)
    first, last = slots, exports - slots
    async with machines(url, folder, count, exports, 30.0) as started:
        await until(database, first)
        began = time.monotonic()
        await until(database, last)
        seconds = time.monotonic() - began
        await until(database, exports)
        busy = sum(cpu_seconds(psutil.Process(process.pid)) for process in started)
        held = max(high_water(process.pid) for process in started)
    await database.close()
    rate = (last - first) / seconds
    return {
        "exports": exports,
        "exports_minute": round(rate * 60, 1),
        "exports_day": int(rate * DAY),
        "cpu_s_export": round(busy / exports, 2),
        "peak_rss_mb": round(held, 1),
    }


async def takeover(url: str, folder: Path, dead_after: float) -> Figures:
    """Kill one of two workers and return how long its jobs stood still."""
    database = await _empty(url)
    await ask(database, 2 * AT_ONCE)
    async with machines(url, folder, 2, 2 * AT_ONCE, dead_after) as both:
        await until(database, 2 * AT_ONCE, JobState.RUNNING)
        both[0].kill()
        began = time.monotonic()
        while await _of(database, "m0."):
            await asyncio.sleep(0.05)
        found = time.monotonic() - began
        await until(database, 2 * AT_ONCE)
    await database.close()
    return {"dead_after_s": dead_after, "put_back_after_s": round(found, 2)}


async def _of(database: Database, token: str) -> int:
    async def count(tx: Tx) -> int:
        mine = sa.select(sa.func.count()).where(tables.job.c.run_token.startswith(token))
        return int((await tx.conn.execute(mine)).scalar_one())

    return await database.read(count)


async def idle(url: str, folder: Path, python: str, seconds: float = 20.0) -> Figures:
    """Return what ``dpobot worker`` holds in memory while it waits; ``python``: of the environment that it runs in."""
    _clear(url)
    (folder / "secrets").mkdir(parents=True, mode=0o700)
    secret = folder / "secrets" / "admin-token"
    secret.touch(mode=0o600)
    secret.write_text(secrets.token_hex(16))
    text = re.sub(r"# database_url = .*", f'database_url = "{url}"', _EXAMPLE.read_text("utf-8"))
    text = re.sub(r"(\[cluster\][^\[]*?)enabled = false", r"\1enabled = true", text)
    (folder / "bot.toml").write_text(text, "utf-8")
    await _waiting(folder, python, 0.0)  # who makes the tables has loaded what makes them: that is not what is measured
    return await _waiting(folder, python, seconds)


async def _waiting(folder: Path, python: str, seconds: float) -> Figures:
    command = (python, "-m", "dpobot", "worker", "--config", str(folder / "bot.toml"))
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    while b"worker.ready" not in await process.stderr.readline():
        if process.stderr.at_eof():
            raise RuntimeError("the worker did not get ready")
    await asyncio.sleep(seconds)
    memory = psutil.Process(process.pid).memory_full_info()
    process.terminate()
    await process.communicate()
    return {"idle_rss_mb": round(memory.rss / MEGABYTE, 1), "idle_uss_mb": round(memory.uss / MEGABYTE, 1)}


async def _empty(url: str) -> Database:
    """Return a database with all tables, and nothing in them."""
    _clear(url)
    database = Database(url, KEYS)
    await database.open()
    return database


def _clear(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


async def measure(given: argparse.Namespace, counts: Sequence[int] = (1, 2, 4)) -> None:
    """Measure everything and print it."""
    rows: dict[str, Figures] = {}
    with postgres.cluster() as url, tempfile.TemporaryDirectory() as place:
        for count in counts:
            label = f"{count} worker{'s' * (count > 1)}"
            rows[label] = await curve(url, Path(place) / f"w{count}", count, given.waves)
            print(label, rows[label], file=sys.stderr, flush=True)
        rows["a dead worker"] = await takeover(url, Path(place) / "dead", given.dead_after)
        rows["an idle worker"] = await idle(url, Path(place) / "idle", given.idle_python)
    one, most = (rows[label]["exports_day"] for label in ("1 worker", "4 workers"))
    for count in counts:
        row = rows[f"{count} worker{'s' * (count > 1)}"]
        row["times_one"] = round(row["exports_day"] / one, 2)
    rows["workers for 100,000 a day"] = {"workers": -(-WANTED * 4 // most)}
    goals = {
        "4 workers do at least 3.5 times what one does": most >= 3.5 * one,
        "an idle worker holds at most 80 MB": rows["an idle worker"]["idle_rss_mb"] <= 80,
        "the jobs of a dead worker go on within the configured time": rows["a dead worker"]["put_back_after_s"]
        <= given.dead_after,
    }
    report("workers", rows, goals)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waves", type=int, default=8)
    parser.add_argument("--dead-after", type=float, default=30.0)
    parser.add_argument(
        "--idle-python", default=sys.executable, help="of an environment without development tools, for the idle worker"
    )
    asyncio.run(measure(parser.parse_args()))
