"""Redactions a second: ours, as the person and many at once, beside the homeserver's own bulk call.

Rooms of the same size take turns on one throwaway homeserver. A forward extremity is an end of a room's history that no
later event follows: many of them make every later event in the room dearer, for all servers in it. The bulk call makes
one with each redaction, so it becomes slower as it goes; a room of 2,000 own events is what the product promises.

    python -m benchmarks.redaction [--events N] [--rounds N] [--at-once N]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Figures, report
from benchmarks.seed import seed
from benchmarks.world import Load, World, reopen
from dpobot.config import ErasureConfig
from dpobot.demo.synapse import Synapse
from dpobot.homeserver.changes import Depth
from dpobot.homeserver.erasing.synapse_changes import SynapseChanges
from dpobot.model.ids import RoomId, UserId
from tests.live.http import Client, clients

_GOAL_RATIO = 4.0
_GOAL_ENDS = 10
_LIMIT_SECONDS = 1200


@dataclass(frozen=True, slots=True)
class Passed:
    """What one way did to one room: events redacted, seconds, and the ends of the room's history afterwards."""

    events: int
    seconds: float
    ends: int

    @property
    def rate(self) -> float:
        """Redactions a second."""
        return self.events / self.seconds


async def ours(changes: SynapseChanges, room: RoomId, user: UserId, at_once: int) -> float:
    """Redact a room our way until a whole pass finds nothing; return the seconds."""
    began = time.monotonic()
    while True:
        passed, start = 0, None
        while True:
            done = await changes.redact(room, user, Depth.ALL, start, at_once)
            if done.refused:
                raise RuntimeError(f"the homeserver refused {sum(done.refused.values())} redactions")
            passed, start = passed + done.count, done.next
            if start is None:
                break
        if not passed:
            return time.monotonic() - began


async def bulk(admin: Client, room: str, user: str, events: int) -> float:
    """Let the homeserver redact a room with its own call; return the seconds."""
    began = time.monotonic()
    body = {"rooms": [room], "limit": events * 2}
    task = (await admin.admin("POST", "v1", "user", user, "redact", body=body))["redact_id"]
    while True:
        status = await admin.admin("GET", "v1", "user", "redact_status", task)
        if status["status"] in {"complete", "failed"}:
            break
        if time.monotonic() - began > _LIMIT_SECONDS:
            raise RuntimeError("the bulk call does not end")
        await asyncio.sleep(0.1)
    if status["status"] == "failed" or status["failed_redactions"]:
        raise RuntimeError("the bulk call failed")
    return time.monotonic() - began


async def _ends(admin: Client, room: str) -> int:
    return int((await admin.admin("GET", "v1", "rooms", room, "forward_extremities"))["count"])


async def measure(synapse: Synapse, world: World, at_once: int) -> dict[str, list[Passed]]:
    """Let both ways take turns, a room each; count what really went: neither way is believed."""
    passed: dict[str, list[Passed]] = {"ours": [], "bulk": []}
    changes = SynapseChanges(synapse.url, world.admin.access_token)
    try:
        async with clients(synapse, world.admin) as (admin,):
            for name, person in world.people.items():
                way, room, user = name.split("-")[0], RoomId(person.rooms[0]), UserId(person.credentials.user_id)
                await changes.prepare_erasure(user)
                before = (await changes.own_counts(room, user)).messages
                if way == "ours":
                    seconds = await ours(changes, room, user, at_once)
                else:
                    seconds = await bulk(admin, room, user, before)
                left = (await changes.own_counts(room, user)).messages
                passed[way].append(Passed(before - left, seconds, await _ends(admin, room)))
    finally:
        await changes.close()
    return passed


def _figures(passed: list[Passed]) -> Figures:
    return {
        "rooms": len(passed),
        "events_a_room": passed[0].events,
        "wall_s": round(statistics.median(one.seconds for one in passed), 2),
        "redactions_per_s": round(statistics.median(one.rate for one in passed), 1),
        "slowest": round(min(one.rate for one in passed), 1),
        "forward_extremities": max(one.ends for one in passed),
    }


async def _main(events: int, rounds: int, at_once: int) -> None:
    ways = ["ours", "bulk"] * rounds
    loads = [Load(f"{way}-{number}", events, events, rooms=1, senders=3) for number, way in enumerate(ways)]
    with tempfile.TemporaryDirectory(prefix="dpobot-benchmark-") as work:
        await seed(Path(work) / "synapse", loads)
        synapse, world = reopen(Path(work) / "synapse")
        await synapse.start()
        try:
            passed = await measure(synapse, world, at_once)
        finally:
            await synapse.stop()
    rates = {name: statistics.median(one.rate for one in done) for name, done in passed.items()}
    ratio, ends = rates["ours"] / rates["bulk"], max(one.ends for one in passed["ours"])
    report(
        "redaction",
        {"bulk call": _figures(passed["bulk"]), f"ours, {at_once} at once": _figures(passed["ours"])},
        {
            f"at least {_GOAL_RATIO:.0f} times the bulk call's redactions a second: {ratio:.1f}": ratio >= _GOAL_RATIO,
            f"at most {_GOAL_ENDS} forward extremities in a room: {ends}": ends <= _GOAL_ENDS,
        },
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Redactions a second, beside the homeserver's bulk call")
    parser.add_argument("--events", type=int, default=2000, help="in each room")
    parser.add_argument("--rounds", type=int, default=1, help="rooms for each of the two ways")
    parser.add_argument("--at-once", type=int, default=ErasureConfig().redactions_at_once)
    given = parser.parse_args()
    asyncio.run(_main(given.events, given.rounds, given.at_once))


if __name__ == "__main__":
    main()
