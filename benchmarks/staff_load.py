"""How soon staff and people are answered with 100,000 cases in the store, and whether memory grows with their number.

Each store is filled once; a process of its own then has the desks answer `queue`, `show`, `stats` (with its picture),
`status` and `cases`, each in a transaction and up to the rendered message, and tells its times and its peak of memory.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa

from benchmarks.measure import Figures, high_water, report
from benchmarks.staff_store import NOW, REGULAR, STAFF, fill
from dpobot import config
from dpobot.cases.rules import Rules
from dpobot.commands.desk import Desk
from dpobot.commands.registry import discover
from dpobot.commands.spec import StaffRules
from dpobot.commands.staff_desk import StaffDesk
from dpobot.commands.staff_registry import discover_staff
from dpobot.commands.user.help import lines
from dpobot.model.ids import EventId, RoomId, UserId, reference
from dpobot.model.records import Incoming, IncomingKind, Reply, StaffMessage
from dpobot.model.words import Trust
from dpobot.store import tables
from dpobot.store.database import Database, Tx
from dpobot.store.seal import Seal
from dpobot.text import notice
from dpobot.text.render import Renderer, templates_folder
from tests import postgres

FEW, MANY = 1_000, 100_000  # cases
CALLS = 200
P95_GOAL = 200.0  # milliseconds
GROWTH_GOAL = 5.0  # MiB
_SEAL = Seal({"benchmark": bytes(32)}, "benchmark")
Question = Callable[[Tx, int], Awaitable[object]]


class Answers:
    """The desks of the service, and its renderer: a question is answered as far as the message that would be sent."""

    def __init__(self, newest: int) -> None:
        self._newest = newest  # number of the newest case
        raw = tomllib.loads((Path(__file__).resolve().parent.parent / "bot.example.toml").read_text("utf-8"))
        operator = config.parse(raw).operator
        notices = notice.load(templates_folder() / "notice", operator)
        registry = discover()
        values = {"operator": operator, "bot": "@dpo:example.org", "commands": lines(registry)}
        self._renderer = Renderer(templates_folder(), values)
        self._staff = StaffDesk(discover_staff(), Rules(), StaffRules(), notices)
        self._people = Desk(registry, Rules(), notices)

    def staff(self, words: str) -> Question:
        """Return the question of a member of staff, another one each time."""

        async def ask(tx: Tx, call: int) -> None:
            sender = STAFF[call % len(STAFF)]
            body = words.format(reference=reference(NOW.year, self._newest - call))
            message = StaffMessage(
                EventId(f"$staff{call}"), RoomId("!staff:x"), sender, IncomingKind.TEXT, body, NOW, None,
                staff=frozenset(STAFF),
            )  # fmt: skip
            for outcome in await self._staff.serve(tx, NOW, message):
                assert isinstance(outcome, Reply)
                self._renderer.message(outcome, "en")

        return ask

    def person(self, words: str) -> Question:
        """Return the question of a person, another one each time."""

        async def ask(tx: Tx, call: int) -> None:
            person = REGULAR if call % 10 == 0 else UserId(f"@person{call}:example.org")
            incoming = Incoming(
                EventId(f"$person{call}"), RoomId("!dm:x"), person, IncomingKind.TEXT, words, NOW, True, Trust.SIGNED,
                True,
            )  # fmt: skip
            for reply in await self._people.serve(tx, NOW, incoming):
                self._renderer.message(reply, "en")

        return ask

    def questions(self) -> Mapping[str, Question]:
        """Return what is asked, by its name."""
        staff = ["queue open", "queue due", "queue mine", "queue all", "show {reference}", "stats"]
        people = ["status", "cases"]
        return {words: self.staff(words) for words in staff} | {words: self.person(words) for words in people}


async def _ask(url: str) -> dict[str, Figures]:
    """Ask every question `CALLS` times and return the times (ms)."""
    database = Database(url, _SEAL)
    await database.open()
    try:
        newest = await database.read(_newest)
        return {name: await _time(database, question) for name, question in Answers(newest).questions().items()}
    finally:
        await database.close()


async def _newest(tx: Tx) -> int:
    return int((await tx.conn.execute(sa.select(sa.func.max(tables.case.c.id)))).scalar_one())


async def _time(database: Database, question: Question) -> Figures:
    taken = []
    for call in range(CALLS):
        began = time.perf_counter()
        await database.write(lambda tx, call=call: question(tx, call))  # type: ignore[misc] # mypy can't infer a lambda with a default
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
