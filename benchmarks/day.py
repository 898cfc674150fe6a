"""A day in an hour: 2,000 people, 10,000 commands, and a homeserver, a database and a network that fail all day long.

Real: all of dpobot, in a process of its own, on PostgreSQL; every wait in it runs 24 times as fast, or ``--speed``
times: at 32 a whole day takes ``--minutes 45``. Played: Matrix and
the homeserver's administration, by the fakes that the contract tests hold to the real ones. Exits with 1 if anything
was lost or doubled, or if memory has grown beyond its bound. ``--real`` is the smaller day of `benchmarks.day_real`.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks import day_real
from benchmarks.day_clock import FastClock
from benchmarks.day_line import Exchange
from benchmarks.day_people import People, Tally
from benchmarks.day_rows import rows_of
from benchmarks.day_world import BOT, STAFF, World
from benchmarks.measure import MEGABYTE, Figures, machine
from tests import postgres

SPEED = 24.0
PEOPLE, COMMANDS, MINUTES = 2_000, 10_000, 1_440.0  # of the whole day
FAULTS = {"homeserver": 12, "database": 8, "network": 24}  # in the whole day
GROWTH_GOAL = 30.0  # MiB, from a quarter of the day to its end
_SAMPLES = 24  # of memory: one each hour
_LATENCY = 0.004  # seconds of the wall, at most
_PATIENCE = 180.0  # seconds of the wall that the last answers may take


@dataclass
class Day:
    """One run. Everything is in proportion to ``minutes`` of the wall, of which ``speed`` pass in each."""

    minutes: float
    speed: float
    folder: Path
    database: postgres.Server
    seed: int
    made: dict[str, int] = field(default_factory=lambda: dict.fromkeys([*FAULTS, "bot"], 0))
    memory: list[float] = field(default_factory=list)  # MiB, one each hour

    @property
    def share(self) -> float:
        """How much of a day it is."""
        return self.minutes * self.speed / MINUTES

    async def run(self) -> tuple[Tally, Exchange, dict[str, Figures]]:
        """Let the day pass; return what became of the questions, the line, and what is in the database at its end."""
        share, seconds = self.share, self.minutes * 60
        self._dice = random.Random(self.seed)
        clock = FastClock(time.time(), self.speed)
        world = World(clock, max(20, int(PEOPLE * share)))
        self._line = Exchange(self.folder / "line", world.targets(), _LATENCY, self._dice)
        await self._line.open()
        people = People(world, self._dice)
        plan = people.plan(max(100, int(COMMANDS * share)), seconds)
        self._over = False
        keeper = asyncio.create_task(self._keep(clock))
        while self._line.served < 5:  # the bot is there
            await asyncio.sleep(0.1)
        await self._with_trouble(people.live(plan), seconds)
        await self._last_answers(people)
        self._over = True
        self._process.send_signal(signal.SIGTERM)
        await keeper
        await self._line.close()
        return people.tally(), self._line, await rows_of(self.database.url, self.folder / "data")

    async def _keep(self, clock: FastClock) -> None:
        """Run the bot, and start it again when it ends, as a service manager does."""
        given: dict[str, Any] = {
            "url": self.database.url,
            "socket": str(self.folder / "line"),
            "data": str(self.folder / "data"),
        }
        given |= {"bot": BOT, "staff": STAFF, "began": clock.began, "speed": self.speed}
        with (self.folder / "bot.log").open("ab") as log:
            while not self._over:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "benchmarks.day_bot", json.dumps(given), stdout=log, stderr=log
                )
                await self._process.wait()
                self.made["bot"] += not self._over

    async def _with_trouble(self, life: Awaitable[None], seconds: float) -> None:
        others = [self._measure(seconds)]
        kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "homeserver": self._restart_homeserver,
            "database": self._restart_database,
            "network": self._cut_network,
        }
        for kind, often in FAULTS.items():
            count = max(2, round(often * self.share))
            others += [self._at(self._dice.uniform(0.05, 0.95) * seconds, kinds[kind]) for _ in range(count)]
        await asyncio.gather(life, *others)

    async def _at(self, seconds: float, fault: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(seconds)
        await fault()

    async def _restart_homeserver(self) -> None:
        await self._line.close()
        await asyncio.sleep(self._dice.uniform(1, 5))
        await self._line.open()
        self.made["homeserver"] += 1

    async def _restart_database(self) -> None:
        mode = ("fast", "immediate")[self.made["database"] % 2]
        self.made["database"] += 1
        await asyncio.to_thread(self.database.restart, mode)

    async def _cut_network(self) -> None:
        self._line.cut = True
        await asyncio.sleep(self._dice.uniform(0.2, 2))
        self._line.cut = False
        self.made["network"] += 1

    async def _measure(self, seconds: float) -> None:
        for _ in range(_SAMPLES):
            await asyncio.sleep(seconds / _SAMPLES)
            with suppress(psutil.NoSuchProcess):
                self.memory.append(psutil.Process(self._process.pid).memory_info().rss / MEGABYTE)

    async def _last_answers(self, people: People) -> None:
        """Wait for what is still to be answered and made, and then for what would be too much."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and (people.tally().lost or await self._work()):
            await asyncio.sleep(1)
        await asyncio.sleep(5)

    async def _work(self) -> int:
        """Return how many jobs and messages are not over; what is to be deleted in a week does not count."""
        rows = await rows_of(self.database.url, self.folder / "data")
        jobs = sum(int(count) for name, count in rows["jobs"].items() if name.endswith((" wanted", " running")))
        return jobs - int(rows["jobs"].get("expire wanted", 0)) + int(rows["outbox"].get("new", 0))

    def growth(self) -> float:
        """Return how much memory grew from a quarter of the day to its end, MiB: means of three hours each."""
        quarter = len(self.memory) // 4
        return statistics.mean(self.memory[-3:]) - statistics.mean(self.memory[quarter : quarter + 3])


async def main(minutes: float, speed: float, seed: int) -> int:
    """Run, print, and say with 1 if the day was not what it must be."""
    with tempfile.TemporaryDirectory(prefix="dpobot-day-") as name, postgres.server() as database:
        folder = Path(name)
        (folder / "data").mkdir(mode=0o700)
        day = Day(minutes, speed, folder, database, seed)
        try:
            tally, line, rows = await day.run()
        finally:
            if keep := os.environ.get("DAY_LOG"):
                Path(keep).write_bytes((folder / "bot.log").read_bytes())
    figures = _figures(day, tally, line) | rows
    goals = _goals(day, tally, rows)
    return _told(figures, goals)


async def real(people: int) -> int:
    """The same for the smaller day."""
    return _told(*await day_real.run(people))


def _told(figures: dict[str, Figures], goals: dict[str, bool]) -> int:
    _print(figures, goals)
    return 0 if all(goals.values()) else 1


def _print(figures: dict[str, Figures], goals: dict[str, bool]) -> None:
    """Print everything as one line of JSON, and as a table."""
    about = machine() | {"database": "PostgreSQL"}
    print(json.dumps({"benchmark": "day", "machine": about, "figures": figures, "goals": goals}))
    for part, values in figures.items():
        print(f"{part:>10}  " + ", ".join(f"{name} {value}" for name, value in values.items()))
    for goal, reached in goals.items():
        print(f"{'reached' if reached else 'MISSED':>10}  {goal}")


def _figures(day: Day, tally: Tally, line: Exchange) -> dict[str, Figures]:
    times = tally.seconds or [0.0]
    return {
        "commands": {
            "sent": tally.sent, "answered_once": tally.answered_once, "lost": tally.lost, "doubled": tally.doubled,
            "p50_wall_s": round(statistics.median(times), 3), "p95_wall_s": round(times[int(len(times) * 0.95)], 3),
            "max_wall_s": round(times[-1], 2), "archives": tally.archives,
        },
        "trouble": {f"{kind}_restarts": day.made[kind] for kind in ("homeserver", "database", "bot")}
        | {"network_cuts": day.made["network"], "answers_lost_on_the_way": line.lost, "calls": line.served},
        "memory": {f"h{number}": round(rss, 1) for number, rss in enumerate(day.memory, 1)}
        | {"growth_mb": round(day.growth(), 1)},
    }  # fmt: skip


def _goals(day: Day, tally: Tally, rows: dict[str, Figures]) -> dict[str, bool]:
    return {
        "every command answered, none lost": tally.lost == 0,
        "nothing doubled": tally.doubled == 0,
        "every case of an export has one archive": tally.archives == rows["cases"].get("export delivered", 0),
        "nothing waits or has failed in inbox and outbox": rows["inbox"].keys() | rows["outbox"].keys()
        <= {"done", "sent"},
        "the audit trail holds": rows["audit"]["holds"] == 1,
        f"memory grew by at most {GROWTH_GOAL} MiB": day.growth() <= GROWTH_GOAL,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of the wall; 60 are a day, 3 are a short one")
    parser.add_argument("--speed", type=float, default=SPEED, help="how many times as fast as the wall the day passes")
    parser.add_argument("--seed", type=int, default=1, help="of what happens when")
    parser.add_argument("--real", action="store_true", help="a real Synapse, real encryption, five waves of questions")
    parser.add_argument("--people", type=int, default=100, help="of --real")
    given = parser.parse_args()
    sys.exit(asyncio.run(real(given.people) if given.real else main(given.minutes, given.speed, given.seed)))
