"""Peak memory and time of packaging 5,000 to 100,000 events, each in a process of its own; and what makes memory grow.

Run: ``.venv/bin/python benchmarks/archive_memory.py``; with a number it packages that many events and prints one line.
A second word says how they lie: ``related`` (one room, each second event edits, answers or reacts to the one before),
``rooms`` (a room for each), ``keys`` (encrypted, each with a key in the backup).
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


def fill(spool: Spool, events: int, how: str) -> None:
    count = {"related": 1, "keys": 1, "rooms": events}.get(how, ROOMS)
    rooms = [
        Room(number, f"!room{number}:example.org", f"Room {number}", "join", False) for number in range(1, count + 1)
    ]
    spool.rooms(rooms)
    make = {"related": related, "keys": encrypted}.get(how, event)
    for room in rooms:
        offset = 0
        for start in range(0, events // count, 1000):
            page = [make(room, number) for number in range(start, min(start + 1000, events // count))]
            offset = spool.append(room.number, offset, page).offset
    if how == "keys":
        spool.account("key_backup", [key(rooms[0], number) for number in range(events)])


def key(room: Room, number: int) -> dict[str, object]:
    """A session of the key backup; in a real one its data are as long."""
    named = {"kind": "session", "version": "1", "room_id": room.room_id, "session_id": f"{number:043d}"}
    return named | {"session_data": {"ciphertext": "x" * 600, "mac": "y" * 11, "ephemeral": "z" * 43}}


def encrypted(room: Room, number: int) -> dict[str, object]:
    content = {"algorithm": "m.megolm.v1.aes-sha2", "session_id": f"{number:043d}", "ciphertext": "x" * 200}
    return event(room, number) | {"type": "m.room.encrypted", "content": content}


def related(room: Room, number: int) -> dict[str, object]:
    """Each second event refers to the one before it: an edit, an answer, a reaction in turn."""
    made = event(room, number)
    if number % 2 == 0:
        return made
    before = f"${room.number:02d}{number - 1:041d}"
    if number % 6 == 1:
        new = {"msgtype": "m.text", "body": f"better {number}"}
        relation: dict[str, object] = {"rel_type": "m.replace", "event_id": before}
        return made | {"content": {"body": "* better", "m.new_content": new, "m.relates_to": relation}}
    if number % 6 == 3:
        relation = {"m.in_reply_to": {"event_id": before}}
        return made | {"content": {"msgtype": "m.text", "body": f"indeed {number}", "m.relates_to": relation}}
    relation = {"rel_type": "m.annotation", "event_id": before, "key": "+"}
    return made | {"type": "m.reaction", "content": {"m.relates_to": relation}}


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


def measure(events: int, how: str = "") -> dict[str, float | str]:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "spool")
        fill(spool, events, how)
        facts = PackageFacts(Reference("DPO-2026-0001"), PERSON, OPERATOR, datetime(2026, 1, 1, tzinfo=UTC), "1")
        began = time.monotonic()
        made = package(spool, Path(folder) / "out", facts, 90_000_000, Renderer(templates_folder(), {}))
        packed = time.monotonic()
        looked = inspect([volume.path for volume in made.volumes], PERSON, Scope.MINE)
        assert looked.events == made.totals.events == events
        return {
            "events": events,
            "how": how or "plain",
            "package_seconds": round(packed - began, 2),
            "inspect_seconds": round(time.monotonic() - packed, 2),
            "archive_megabytes": round(made.totals.size / 1e6, 1),
            "peak_rss_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]), *sys.argv[2:3])))
        return
    results = []
    for events, how in (
        (5_000, ""),
        (20_000, ""),
        (100_000, ""),
        (100_000, "related"),
        (5_000, "rooms"),
        (5_000, "keys"),
    ):
        asked = [sys.executable, __file__, str(events), how]
        done = subprocess.run(asked, check=True, capture_output=True, text=True)
        results.append(json.loads(done.stdout))
        print(done.stdout.strip())
    ratio = results[2]["peak_rss_megabytes"] / results[0]["peak_rss_megabytes"]
    print(f"peak of 100,000 events / peak of 5,000: {ratio:.2f}")


if __name__ == "__main__":
    main()
