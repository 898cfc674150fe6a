"""The homeserver of the benchmarks: who is in it, how much they wrote, and where it lies on disk."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dpobot.demo.synapse import Credentials, Synapse
from tests.live.http import clients

_FILE = "world.json"


@dataclass(frozen=True, slots=True)
class Load:
    """An account to seed: ``own`` events among ``total`` of ``senders`` people; half of them in the first room."""

    localpart: str
    own: int
    total: int
    rooms: int = 5
    senders: int = 10

    def split(self) -> list[tuple[int, int]]:
        """Return (own, total) for each room: the first is the big one."""
        return list(zip(_halves(self.own, self.rooms), _halves(self.total, self.rooms), strict=True))


def _halves(number: int, parts: int) -> list[int]:
    if parts == 1:
        return [number]
    small = number // 2 // (parts - 1)
    return [number - small * (parts - 1), *([small] * (parts - 1))]


@dataclass(frozen=True, slots=True)
class Person:
    """A seeded account. ``own`` and ``total`` count the bulk messages alone, not the rooms' few state events."""

    credentials: Credentials
    own: int
    total: int
    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class World:
    """Everybody the benchmarks deal with."""

    admin: Credentials
    people: dict[str, Person]

    def save(self, folder: Path) -> None:
        """Write it into the homeserver's folder."""
        (folder / _FILE).write_text(json.dumps(asdict(self), indent=1))


def load_world(folder: Path) -> World:
    """Read what `World.save` wrote."""
    data = json.loads((folder / _FILE).read_text())
    people = {
        name: Person(Credentials(**one["credentials"]), one["own"], one["total"], tuple(one["rooms"]))
        for name, one in data["people"].items()
    }
    return World(Credentials(**data["admin"]), people)


def reopen(folder: Path) -> tuple[Synapse, World]:
    """Return the stopped homeserver of a seeded folder, on a new port."""
    synapse = Synapse(folder)
    synapse.write_config()
    return synapse, load_world(folder)


def copy_of(seeded: Path, target: Path) -> tuple[Synapse, World]:
    """Copy a seeded folder, so that a run does not change it, and return the stopped homeserver of the copy."""
    shutil.copytree(seeded, target)
    return reopen(target)


async def people_and_rooms(synapse: Synapse, loads: Sequence[Load]) -> World:
    """Register everybody, make the rooms and let every member say one thing in each: the template of their messages."""
    admin = await synapse.register("admin", admin=True)
    people = {}
    for load in loads:
        members = [
            await synapse.register(load.localpart if not number else f"{load.localpart}-{number}")
            for number in range(load.senders)
        ]
        rooms = []
        async with clients(synapse, *members) as everyone:
            for number in range(load.rooms):
                room = await everyone[0].create(preset="public_chat", name=f"Room {number} of {load.localpart}")
                for other in everyone[1:]:
                    await other.member(room, "join")
                for one in everyone:
                    await one.say(room, "template")
                rooms.append(room)
        people[load.localpart] = Person(members[0], load.own, load.total, tuple(rooms))
    return World(admin, people)
