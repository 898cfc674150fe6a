"""How fast the bare admin API gives a person's own events out: read every page of every room, parse it, drop it.

This is the ceiling for the collecting half of our export.

    python -m benchmarks.admin_api_speed [--folder FOLDER] [--repeat N]
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmarks.measure import Figures, Watch, report
from benchmarks.seed import seeded
from benchmarks.world import Person, World, copy_of
from dpobot.demo.synapse import Synapse
from tests.live.http import path

DEFAULT = Path(tempfile.gettempdir()) / "dpobot-benchmark"


@dataclass(frozen=True, slots=True)
class Reading:
    """One pass over all rooms of a person."""

    events: int
    requests: int
    seconds: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


async def read_own(synapse: Synapse, world: World, person: Person) -> Reading:
    """Read all own events of a person, room after room, a page of 1,000 at a time (homeserver's admin API)."""
    user = person.credentials.user_id
    headers = {"Authorization": f"Bearer {world.admin.access_token}"}
    events = requests = 0
    began = time.monotonic()
    async with aiohttp.ClientSession(synapse.url, headers=headers) as http:
        memberships = json.loads(await _get(http, path("v1", "users", user, "memberships"), {}))["memberships"]
        for room in memberships:
            wanted = {"dir": "f", "limit": "1000", "filter": json.dumps({"senders": [user]})}
            while True:
                page = json.loads(await _get(http, path("v1", "rooms", room, "messages"), wanted))
                events += len(page["chunk"])
                requests += 1
                if "end" not in page:
                    break
                wanted["from"] = page["end"]
    return Reading(events, requests, time.monotonic() - began)


async def _get(http: aiohttp.ClientSession, address: str, params: dict[str, str]) -> bytes:
    async with http.get(f"/_synapse/admin/{address}", params=params) as answer:
        answer.raise_for_status()
        return await answer.read()


async def measure(synapse: Synapse, world: World, person: Person, repeat: int = 3) -> tuple[float, Figures]:
    """Return the median rate (events a second) of several readings, and the figures."""
    if synapse.pid is None:
        raise RuntimeError("the homeserver does not run")
    with Watch(synapse.pid) as watch:
        readings = [await read_own(synapse, world, person) for _ in range(repeat)]
    rate = statistics.median(reading.rate for reading in readings)
    return rate, {
        "own_events": readings[0].events,
        "requests": readings[0].requests,
        "wall_s": round(statistics.median(reading.seconds for reading in readings), 2),
        "events_per_s": round(rate),
        "slowest": round(min(reading.rate for reading in readings)),
        "fastest": round(max(reading.rate for reading in readings)),
        "server_cpu_s": round(watch.cost.cpu / repeat, 2),
        "server_rss_mb": round(watch.cost.rss, 1),
    }


async def _main(folder: Path, repeat: int) -> None:
    await seeded(folder)
    with tempfile.TemporaryDirectory(prefix="dpobot-benchmark-") as work:
        synapse, world = copy_of(folder, Path(work) / "synapse")
        await synapse.start()
        try:
            rows = {
                f"bare admin API, {name}": (await measure(synapse, world, person, repeat))[1]
                for name, person in world.people.items()
            }
        finally:
            await synapse.stop()
    report("admin_api_speed", rows)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Own events a second of the bare admin API")
    parser.add_argument("--folder", type=Path, default=DEFAULT, help="seeded homeserver; made if missing")
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(_main(given.folder, given.repeat))


if __name__ == "__main__":
    main()
