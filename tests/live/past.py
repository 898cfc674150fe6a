"""A past for people of the tests: some rooms, some words, some files, and exact knowledge of them."""

import asyncio
import secrets
from dataclasses import dataclass, field

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.demo.world import Resident
from dpobot.model.ids import RoomId


@dataclass
class Past:
    """What somebody did: event IDs, rooms, and media (mxc address -> bytes)."""

    resident: Resident
    rooms: list[RoomId] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    media: dict[str, bytes] = field(default_factory=dict)

    @property
    def account(self) -> Credentials:
        """Whose past it is."""
        return self.resident.account


async def lived(
    synapse: Synapse, account: Credentials, *, rooms: int = 3, words: int = 25, files: int = 0, size: int = 900_000
) -> Past:
    """Let an account make ``rooms`` with ``words`` messages each, and send random ``files`` in the last one."""
    past = Past(Resident(synapse, account))
    for number in range(rooms):
        past.rooms.append(await past.resident.room(f"Private name {number}"))
        told = [past.resident.say(past.rooms[-1], f"private word {word}") for word in range(words)]
        past.events |= set(await asyncio.gather(*told))
    for number in range(files):
        data = secrets.token_bytes(size)  # random bytes don't shrink
        url = await past.resident.upload(data, f"private file {number}.bin", "application/octet-stream")
        content = {"msgtype": "m.file", "body": f"private file {number}.bin", "url": url}
        past.events.add(await past.resident.send(past.rooms[-1], content))
        past.media[url] = data
    return past
