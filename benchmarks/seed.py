"""Offline seeding: hundred thousands of real events in a minute, written into a stopped Synapse's SQLite.

Each sender's one message in a room is the template; copies get new text, depth, predecessor, content hash, signature
and event ID from Synapse's own code (server-server specification, "Event format", "Signing events").

    python -m benchmarks.seed FOLDER [--person name:own:total]...
"""

import argparse
import asyncio
import json
import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signedjson.key import read_signing_keys
from synapse.api.room_versions import KNOWN_ROOM_VERSIONS, RoomVersion
from synapse.crypto.event_signing import add_hashes_and_signatures
from synapse.events import make_event_from_dict

from benchmarks.world import Load, Person, World, people_and_rooms, reopen
from dpobot.demo.synapse import Synapse
from tests.live.http import clients

LOADS = (
    Load("small", own=5_000, total=25_000),
    Load("main", own=20_000, total=100_000),
    Load("large", own=100_000, total=110_000),
)
_SENTENCE = "the quick brown fox jumps over a lazy dog while Äpfel und Öl 🦊 sing about privacy and law"
_WORDS = _SENTENCE.split()
_BATCH = 5_000
Json = dict[str, Any]


async def seed(folder: Path, loads: Sequence[Load] = LOADS) -> World:
    """Make a homeserver in ``folder`` (which must not exist) with the accounts of ``loads``; it is left stopped."""
    synapse = Synapse(folder)
    await synapse.start()
    try:
        world = await people_and_rooms(synapse, loads)
    finally:
        await synapse.stop()
    await asyncio.to_thread(_fill, synapse, loads, world)
    world.save(folder)
    return world


async def seeded(folder: Path, loads: Sequence[Load] = LOADS) -> Path:
    """Seed ``folder`` unless that was done before, and return it."""
    if not (folder / "world.json").exists():
        await seed(folder, loads)
    return folder


def _fill(synapse: Synapse, loads: Sequence[Load], world: World) -> None:
    with closing(sqlite3.connect(synapse.folder / "homeserver.db")) as database:
        database.execute("PRAGMA synchronous=OFF")
        signer = _Signer.of(synapse)
        for load in loads:
            person = world.people[load.localpart]
            for room, (own, total) in zip(person.rooms, load.split(), strict=True):
                _fill_room(database, signer, person, room, own, total)
        # without it SQLite's plan for edits costs 12 s and more for each page of messages
        database.execute("ANALYZE")
        database.commit()


@dataclass(frozen=True, slots=True)
class _Signer:
    server_name: str
    key: Any  # signedjson's SigningKey

    @classmethod
    def of(cls, synapse: Synapse) -> "_Signer":
        with (synapse.folder / "signing.key").open() as stream:
            return cls(synapse.server_name, read_signing_keys(stream)[0])

    def event(self, version: RoomVersion, pdu: Json) -> tuple[str, str]:
        """Return the event ID and the JSON of a PDU that has neither hash nor signature yet."""
        add_hashes_and_signatures(version, pdu, self.server_name, self.key)
        return make_event_from_dict(pdu, version).event_id, json.dumps(pdu, separators=(",", ":"), ensure_ascii=False)


@dataclass(slots=True)
class _End:
    """The newest event of a room: what the next one follows."""

    event_id: str
    depth: int
    state_group: int
    stream: int  # the newest position of the whole server
    sent_at: int  # ms


def _fill_room(database: sqlite3.Connection, signer: _Signer, person: Person, room: str, own: int, total: int) -> None:
    version = KNOWN_ROOM_VERSIONS[_one(database, "SELECT room_version FROM rooms WHERE room_id = ?", room)]
    templates = _templates(database, room)
    me = templates.pop(person.credentials.user_id)
    end = _end(database, room)
    first = end.event_id
    order = _order(me, list(templates.values()), own, total)
    while batch := [template for _, template in zip(range(_BATCH), order, strict=False)]:
        _write(database, room, version, signer, batch, end)
    database.execute("UPDATE event_forward_extremities SET event_id = ? WHERE event_id = ?", (end.event_id, first))
    database.execute("INSERT INTO stream_ordering_to_exterm VALUES (?, ?, ?)", (end.stream, room, end.event_id))
    database.commit()


def _templates(database: sqlite3.Connection, room: str) -> dict[str, Json]:
    rows = database.execute(
        "SELECT sender, json FROM events JOIN event_json USING (event_id)"
        " WHERE events.room_id = ? AND type = 'm.room.message'",
        (room,),
    )
    return {sender: json.loads(text) for sender, text in rows}


def _end(database: sqlite3.Connection, room: str) -> _End:
    newest = database.execute(
        "SELECT event_id, depth, state_group, origin_server_ts FROM event_forward_extremities"
        " JOIN events USING (event_id) JOIN event_to_state_groups USING (event_id)"
        " WHERE events.room_id = ?",
        (room,),
    ).fetchall()
    ((event_id, depth, group, sent_at),) = newest  # quiet rooms have exactly one end
    return _End(event_id, depth, group, _one(database, "SELECT max(stream_ordering) FROM events"), sent_at)


def _one(database: sqlite3.Connection, query: str, *values: object) -> Any:
    return database.execute(query, values).fetchone()[0]


def _order(me: Json, others: list[Json], own: int, total: int) -> Iterator[Json]:
    """Yield the templates in a mixed order that is the same each time."""
    chance = random.Random(total)
    mine = set(chance.sample(range(total), own))
    for number in range(total):
        yield me if number in mine else chance.choice(others)


def _write(
    database: sqlite3.Connection,
    room: str,
    version: RoomVersion,
    signer: _Signer,
    batch: list[Json],
    end: _End,
) -> None:
    events, texts, edges, groups = [], [], [], []
    for template in batch:
        end.stream, end.depth, end.sent_at = end.stream + 1, end.depth + 1, end.sent_at + 1_000
        event_id, text = signer.event(version, _copy(template, end))
        at = (end.depth, event_id, "m.room.message", room, 1, 0, end.depth, end.sent_at, end.sent_at)
        events.append((end.stream, *at, template["sender"], 0, "master"))
        texts.append((event_id, room, "{}", text, int(version.event_format)))
        edges.append((event_id, end.event_id, None, 0))
        groups.append((event_id, end.state_group))
        end.event_id = event_id
    columns = "stream_ordering, topological_ordering, event_id, type, room_id, processed, outlier, depth"
    columns += ", origin_server_ts, received_ts, sender, contains_url, instance_name"
    database.executemany(f"INSERT INTO events ({columns}) VALUES ({', '.join('?' * 13)})", events)
    database.executemany("INSERT INTO event_json VALUES (?, ?, ?, ?, ?)", texts)
    database.executemany("INSERT INTO event_edges VALUES (?, ?, ?, ?)", edges)
    database.executemany("INSERT INTO event_to_state_groups VALUES (?, ?)", groups)


def _copy(template: Json, end: _End) -> Json:
    chance = random.Random(end.stream)
    body = " ".join(chance.choices(_WORDS, k=chance.randrange(2, 40)))
    pdu = {key: value for key, value in template.items() if key not in ("hashes", "signatures")}
    return pdu | {
        "content": {"msgtype": "m.text", "body": f"{end.depth} {body}"},
        "depth": end.depth,
        "prev_events": [end.event_id],
        "origin_server_ts": end.sent_at,
        "unsigned": {"age_ts": end.sent_at},
    }


async def verify(synapse: Synapse, world: World) -> dict[str, tuple[int, int]]:
    """Ask the running server: (own, all) messages of each person, and send one in each room to prove it still works."""
    counted = {}
    for name, person in world.people.items():
        async with clients(synapse, world.admin, person.credentials) as (admin, client):
            own = total = 0
            for room in person.rooms:
                sent = await client.say(room, "still usable")
                events = [event async for event in messages(admin, room, {"types": ["m.room.message"]})]
                if events[-1]["event_id"] != sent:
                    raise RuntimeError(f"room {room} does not end with the newest message")
                total += len(events)
                own += sum(event["sender"] == person.credentials.user_id for event in events)
        counted[name] = (own, total)
    return counted


async def messages(admin: Any, room: str, wanted: Json) -> Any:
    """Yield the events of a room that a room event filter lets through, oldest first."""
    start: dict[str, str] = {}
    while True:
        page = await admin.admin(
            "GET", "v1", "rooms", room, "messages", dir="f", limit="1000", filter=json.dumps(wanted), **start
        )
        for event in page["chunk"]:
            yield event
        if "end" not in page:
            return
        start = {"from": page["end"]}


async def _main(folder: Path, loads: Sequence[Load], check: bool) -> None:
    began = time.monotonic()
    await seed(folder, loads)
    events = sum(load.total for load in loads)
    print(f"{events} events in {time.monotonic() - began:.1f} s -> {folder}")
    if check:
        synapse, world = reopen(folder)
        await synapse.start()
        try:
            for name, (own, total) in (await verify(synapse, world)).items():
                print(f"{name}: {own} own messages of {total}")
        finally:
            await synapse.stop()


def _load(text: str) -> Load:
    localpart, own, total = text.split(":")
    return Load(localpart, int(own), int(total))


def main() -> None:
    """Seed from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--person", type=_load, action="append", help="localpart:own:total; default: three sizes")
    parser.add_argument("--verify", action="store_true", help="start the server afterwards, count, send (changes it)")
    given = parser.parse_args()
    asyncio.run(_main(given.folder.resolve(), given.person or LOADS, given.verify))


if __name__ == "__main__":
    main()
