"""Peak memory and time of packaging 5,000 and 100,000 events, each in a process of its own.

Run: ``.venv/bin/python benchmarks/archive_memory.py``; with a number it packages that many events and prints one line.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from dpobot.archive.facts import PackageFacts
from dpobot.archive.inspect import inspect
from dpobot.archive.package import package
from dpobot.archive.spool import Room, Spool
from dpobot.config import OperatorConfig
from dpobot.model.ids import Reference, UserId
from dpobot.model.words import Scope
from dpobot.text.render import Renderer, templates_folder

PERSON = UserId("@alice:example.org")
ROOMS = 20
OPERATOR = OperatorConfig(
    name="Example Ltd",
    service="example.org",
    dpo_email="dpo@example.org",
    security_email="security@example.org",
    postal_address="1 Example Street",
    authority="ICO",
    authority_url="https://ico.org.uk",
)


def fill(spool: Spool, events: int) -> None:
    rooms = [
        Room(number, f"!room{number}:example.org", f"Room {number}", "join", False) for number in range(1, ROOMS + 1)
    ]
    spool.rooms(rooms)
    for room in rooms:
        offset = 0
        for start in range(0, events // ROOMS, 1000):
            page = [event(room, number) for number in range(start, min(start + 1000, events // ROOMS))]
            offset = spool.append(room.number, offset, page).offset


def event(room: Room, number: int) -> dict[str, object]:
    return {
        "type": "m.room.message",
        "event_id": f"${room.number:02d}{number:041d}",
        "room_id": room.room_id,
        "sender": PERSON,
        "origin_server_ts": 1_700_000_000_000 + number * 600_000,
        "content": {
            "msgtype": "m.text",
            "body": f"Message {number * 7919 % 100_003}: the quick brown fox said {number**3}",
        },
    }


def measure(events: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "spool")
        fill(spool, events)
        facts = PackageFacts(Reference("DPO-2026-0001"), PERSON, OPERATOR, datetime(2026, 1, 1, tzinfo=UTC), "1")
        began = time.monotonic()
        made = package(spool, Path(folder) / "out", facts, 90_000_000, Renderer(templates_folder(), {}))
        packed = time.monotonic()
        looked = inspect([volume.path for volume in made.volumes], PERSON, Scope.MINE)
        assert looked.events == made.totals.events == events
        return {
            "events": events,
            "package_seconds": round(packed - began, 2),
            "inspect_seconds": round(time.monotonic() - packed, 2),
            "archive_megabytes": round(made.totals.size / 1e6, 1),
            "peak_rss_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    results = []
    for events in (5_000, 20_000, 100_000):
        done = subprocess.run([sys.executable, __file__, str(events)], check=True, capture_output=True, text=True)
        results.append(json.loads(done.stdout))
        print(done.stdout.strip())
    ratio = results[-1]["peak_rss_megabytes"] / results[0]["peak_rss_megabytes"]
    print(f"peak of 100,000 events / peak of 5,000: {ratio:.2f}")


if __name__ == "__main__":
    main()
