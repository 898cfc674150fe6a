"""Our whole export beside its peers, in one run on one homeserver: from the command to the delivered archive.

For each account in turn: the bare admin API, a bot of its own, fresh for each account, that a person asks in an
encrypted room, and (for the account ``main``) ``export-data``. The goals are those of the first milestone.

    python -m benchmarks.export [--folder FOLDER] [--person NAME]... [--limit SECONDS]
"""

import argparse
import asyncio
import json
import secrets
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks import admin_api_speed, peer_speed
from benchmarks.measure import Figures, Watch, high_water, report
from benchmarks.seed import seeded
from benchmarks.world import Person, World, copy_of
from dpobot.archive.inspect import inspect
from dpobot.demo.client import Client
from dpobot.demo.process import BotProcess
from dpobot.demo.synapse import Synapse
from dpobot.matrix.api import Received
from dpobot.model.ids import RoomId, UserId
from dpobot.model.words import Scope

_PEER_FOR = "main"
_EVENTS = ":events:"  # in the name of the steps that write a page of events


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the person saw: seconds from the command to the first answer and to the last volume; the volumes."""

    first_answer: float
    delivered: float
    volumes: list[Received]


@dataclass(frozen=True, slots=True)
class Export:
    """One export by the bot. ``rate``: events a second while collecting; ``rss``: the bot's peak, MiB."""

    wall: float
    rate: float
    rss: float
    figures: Figures


async def ask(person: Client, room: RoomId, bot: UserId, limit: float) -> Delivery:
    """Say "export" and wait until the bot says that everything was delivered (a text after the volumes)."""
    began = time.monotonic()
    await person.say(room, "export")
    await person.wait(bot, lambda event: event.type == "m.room.message", limit)
    first = time.monotonic() - began
    volumes: list[Received] = []
    delivered = 0.0
    while True:
        event = await person.wait(bot, lambda event: event.type == "m.room.message", limit)
        if event.content.get("msgtype") == "m.file":
            volumes.append(event)
            delivered = time.monotonic() - began
        elif volumes and event.content.get("msgtype") == "m.text":
            return Delivery(first, delivered, volumes)


def collecting_rate(database: Path) -> tuple[int, float]:
    """Return how many events the bot's only export collected, and how many a second, from its journal of steps."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT job_step.name, result, at FROM job_step JOIN job ON job.id = job_id"
            " WHERE job.name = 'export' ORDER BY at"
        ).fetchall()
    steps = [(_EVENTS in name, json.loads(result), datetime.fromisoformat(at)) for name, result, at in rows]
    pages = [(result["count"], at) for is_page, result, at in steps if is_page]
    if not pages:
        raise RuntimeError("the bot collected no events")
    events = sum(count for count, _ in pages)
    began = max(at for is_page, _, at in steps if not is_page and at <= pages[0][1])  # the step before the first page
    seconds = (pages[-1][1] - began).total_seconds()
    return events, events / seconds


async def measure(synapse: Synapse, world: World, person: Person, work: Path, limit: float) -> Export:
    """Start a bot of its own, let the person ask it for an export, and read the archive back."""
    folder = work / f"bot-{secrets.token_hex(4)}"
    account = await synapse.register(f"dpo-{secrets.token_hex(4)}")
    bot = BotProcess(folder, synapse, account, world.admin)
    await bot.start()
    try:
        client = await Client.open(synapse, person.credentials, folder / "person")
        try:
            return await _one(bot, client, person, limit)
        finally:
            await client.close()
    finally:
        await bot.stop()


async def _one(bot: BotProcess, client: Client, person: Person, limit: float) -> Export:
    user = UserId(bot.user_id)
    room = await client.direct_message(user)
    await client.wait(user, lambda event: event.type == "m.room.message")  # the greeting
    idle = high_water(bot.pid)
    with Watch(bot.pid) as watch:
        delivery = await ask(client, room, user, limit)
    rss = max(watch.cost.rss, high_water(bot.pid))
    events, rate = await asyncio.to_thread(collecting_rate, bot.data / "dpobot.sqlite")
    files = [
        await client.fetch(dict(event.content), bot.folder / f"{number}.zip")
        for number, event in enumerate(delivery.volumes)
    ]
    read = await asyncio.to_thread(inspect, files, UserId(person.credentials.user_id), Scope.MINE)
    if read.events < person.own:
        raise RuntimeError(f"the archive holds {read.events} events, {person.own} were sent")
    return Export(
        delivery.delivered,
        rate,
        rss,
        {
            "own_events": events,
            "wall_s": round(delivery.delivered, 2),
            "first_answer_s": round(delivery.first_answer, 2),
            "events_per_s": round(rate),
            "cpu_s": round(watch.cost.cpu, 2),
            "idle_rss_mb": round(idle, 1),
            "peak_rss_mb": round(rss, 1),
            "volumes": len(files),
            "output_mb": round(sum(file.stat().st_size for file in files) / 1e6, 1),
        },
    )


async def compare(folder: Path, names: list[str], limit: float) -> None:
    """Measure everything for these accounts and print figures and goals."""
    await seeded(folder)
    rows: dict[str, Figures] = {}
    goals: dict[str, bool] = {}
    exports: dict[str, Export] = {}
    with tempfile.TemporaryDirectory(prefix="dpobot-benchmark-") as made:
        work = Path(made)
        synapse, world = copy_of(folder, work / "synapse")
        await synapse.start()
        try:
            for name in names:
                person = world.people[name]
                # before and after: what else the machine does meanwhile weighs on both alike
                before, rows[f"bare admin API, {name}"] = await admin_api_speed.measure(synapse, world, person, 1)
                exports[name] = await measure(synapse, world, person, work, limit)
                rows[f"dpobot, {name}"] = exports[name].figures
                after, rows[f"bare admin API again, {name}"] = await admin_api_speed.measure(synapse, world, person, 1)
                share = exports[name].rate / ((before + after) / 2)
                goals[f"{name}: at least 80 % of the bare admin API's events a second (it is {share:.0%})"] = (
                    share >= 0.8
                )
                goals[f"{name}: the bot's peak memory is at most 150 MB"] = exports[name].rss <= 150
                if name == _PEER_FOR:
                    peer, rows[f"export-data, {name}"] = await peer_speed.measure(synapse, person, work / "peer")
                    part = exports[name].wall / peer.wall
                    goals[f"{name}: at most a fifth of export-data's time (it is {part:.0%})"] = part <= 0.2
        finally:
            await synapse.stop()
    if {"small", "large"} <= exports.keys():
        growth = exports["large"].rss / exports["small"].rss
        goals[f"memory for 100,000 events is at most 1.1 times that for 5,000 (it is {growth:.2f})"] = growth <= 1.1
    report("export", rows, goals)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Our whole export beside its peers")
    parser.add_argument("--folder", type=Path, default=admin_api_speed.DEFAULT, help="seeded homeserver")
    parser.add_argument("--person", action="append", help="small, main or large; default: all three")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds to wait for a message of the bot")
    given = parser.parse_args()
    asyncio.run(compare(given.folder, given.person or ["small", "main", "large"], given.limit))


if __name__ == "__main__":
    main()
