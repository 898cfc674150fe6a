"""How soon staff and people are answered with 100,000 cases in the store, and whether memory grows with their number.

Each store is filled once; a process of its own then asks it what `queue`, `status` and `stats` ask, one call after the
other, and tells its times and its peak of memory.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks.measure import Figures, high_water, report
from benchmarks.staff_store import NOW, REGULAR, STAFF, fill
from dpobot.cases import queries
from dpobot.cases.queries import Queue
from dpobot.model.ids import UserId, reference
from dpobot.store.database import Database, Tx
from dpobot.store.seal import Seal
from tests import postgres

FEW, MANY = 1_000, 100_000  # cases
CALLS = 200
P95_GOAL = 200.0  # milliseconds
GROWTH_GOAL = 5.0  # MiB
_SEAL = Seal({"benchmark": bytes(32)}, "benchmark")
_SHOWN = 20  # cases of one answer
Question = Callable[[Tx, int], Awaitable[object]]


async def _queue(tx: Tx, which: Queue, call: int) -> None:
    await queries.queue(tx, which, NOW, STAFF[call % len(STAFF)], _SHOWN)
    await queries.counts(tx, NOW)


async def _next(tx: Tx, call: int) -> None:
    first = await queries.next_for(tx, NOW, STAFF[call % len(STAFF)])
    await queries.next_for(tx, NOW, STAFF[call % len(STAFF)], first)


async def _status(tx: Tx, call: int) -> None:
    person = REGULAR if call % 10 == 0 else UserId(f"@person{call}:example.org")
    cases = await queries.open_of_person(tx, person) or await queries.of_person(tx, person)
    for case in cases[:1]:
        await queries.by_reference(tx, person, case.reference)
        await queries.messages_of(tx, case.id)


async def _show(tx: Tx, call: int) -> None:
    await queries.any_by_reference(tx, reference(NOW.year, call))
    await queries.on_legal_hold(tx, REGULAR)


async def _stats(tx: Tx, call: int) -> None:
    await queries.counts(tx, NOW)
    await queries.counts_by_kind(tx, NOW)
    await queries.medians(tx)


QUESTIONS: Mapping[str, Question] = {
    **{f"queue {which}": (lambda tx, call, which=which: _queue(tx, which, call)) for which in Queue},  # type: ignore[misc] # mypy can't infer a lambda with a default
    "next": _next,
    "status": _status,
    "show": _show,
    "stats": _stats,
}


async def _ask(url: str) -> dict[str, Figures]:
    """Ask every question `CALLS` times and return the times (ms)."""
    database = Database(url, _SEAL)
    await database.open()
    try:
        return {name: await _time(database, question) for name, question in QUESTIONS.items()}
    finally:
        await database.close()


async def _time(database: Database, question: Question) -> Figures:
    taken = []
    for call in range(CALLS):
        began = time.perf_counter()
        await database.read(lambda tx, call=call: question(tx, call))  # type: ignore[misc] # mypy can't infer a lambda with a default
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    return {"p50_ms": round(taken[CALLS // 2], 1), "p95_ms": round(taken[CALLS * 95 // 100], 1), "calls": CALLS}


async def _make(url: str, count: int) -> None:
    database = Database(url, _SEAL)
    await database.open()
    await fill(database, count)
    await database.close()
    if url.startswith("postgresql"):  # what its autovacuum does within a minute; SQLite has nothing like it
        async with await psycopg.AsyncConnection.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            await connection.execute("VACUUM ANALYZE")


@contextmanager
def _stores(kind: str) -> Iterator[Mapping[int, str]]:
    """Yield the addresses of two empty databases."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="dpobot-staff-") as name:
            yield {count: f"sqlite+aiosqlite:///{Path(name) / f'{count}.sqlite'}" for count in (FEW, MANY)}
        return
    with postgres.cluster() as server:
        with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
            for count in (FEW, MANY):
                connection.execute(f"CREATE DATABASE cases_{count}".encode())
        yield {count: server.replace("/postgres?", f"/cases_{count}?") for count in (FEW, MANY)}


def _measure(kind: str) -> tuple[dict[str, Figures], dict[str, bool]]:
    rows: dict[str, Figures] = {}
    peaks: dict[int, float] = {}
    with _stores(kind) as stores:
        for count, url in stores.items():
            asyncio.run(_make(url, count))
            command = [sys.executable, "-m", "benchmarks.staff_load", "--ask", url]
            done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            peaks[count] = done["peak_rss_mb"]
            rows |= {f"{kind}, {count:,} cases: {name}": figures for name, figures in done["answers"].items()}
            rows[f"{kind}, {count:,} cases: process"] = {"peak_rss_mb": done["peak_rss_mb"]}
    slow = [name for name, row in rows.items() if row.get("p95_ms", 0.0) >= P95_GOAL]
    goals = {
        f"{kind}: with {MANY:,} cases every answer has a p95 below {P95_GOAL:.0f} ms": not slow,
        f"{kind}: {MANY:,} cases take at most {GROWTH_GOAL:.0f} MiB more than {FEW:,}": peaks[MANY] - peaks[FEW]
        <= GROWTH_GOAL,
    }
    return rows, goals


def main() -> None:
    """Run and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--database", choices=("sqlite", "postgres"), help="only this one; else both")
    arguments.add_argument("--ask", metavar="URL", help=argparse.SUPPRESS)  # what the process of its own does
    chosen = arguments.parse_args()
    if chosen.ask:
        answers = asyncio.run(_ask(chosen.ask))
        print(json.dumps({"answers": answers, "peak_rss_mb": round(high_water(os.getpid()), 1)}))
        return
    rows: dict[str, Figures] = {}
    goals: dict[str, bool] = {}
    for kind in (chosen.database,) if chosen.database else ("sqlite", "postgres"):
        figures, reached = _measure(kind)
        rows |= figures
        goals |= reached
    report("staff load", rows, goals)


if __name__ == "__main__":
    main()
