"""What the demo's person has done before she asks for it: rooms, messages, edits, reactions, a picture, an old room."""

import itertools
import struct
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.model.ids import RoomId

_CLIENT = "/_matrix/client/v3"


@dataclass
class Resident:
    """Somebody who uses the homeserver with an ordinary client (plain HTTP, no encryption of their own)."""

    synapse: Synapse
    account: Credentials

    def __post_init__(self) -> None:
        self._numbers = itertools.count()

    async def call(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        """Make one request of the client API as this person."""
        return await self.synapse.request(method, _CLIENT + path, self.account.access_token, body, **params)

    async def room(self, name: str, *invited: "Resident", encrypted: bool = False) -> RoomId:
        """Create a room and let the invited ones join."""
        state = [{"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}] if encrypted else []
        body = {
            "name": name,
            "preset": "private_chat",
            "invite": [person.account.user_id for person in invited],
            "initial_state": state,
        }
        room_id = RoomId((await self.call("POST", "/createRoom", body))["room_id"])
        for person in invited:
            await person.call("POST", f"/join/{quote(room_id)}", {})
        return room_id

    async def send(self, room_id: RoomId, content: dict[str, Any], type_: str = "m.room.message") -> str:
        """Send an event; return its ID."""
        path = f"/rooms/{quote(room_id)}/send/{quote(type_)}/demo{next(self._numbers)}"
        return str((await self.call("PUT", path, content))["event_id"])

    async def say(self, room_id: RoomId, text: str) -> str:
        """Send a text; return its event ID."""
        return await self.send(room_id, {"msgtype": "m.text", "body": text})

    async def upload(self, data: bytes, name: str, media_type: str) -> str:
        """Upload a file; return its mxc address."""
        headers = {"Authorization": f"Bearer {self.account.access_token}", "Content-Type": media_type}
        address = f"{self.synapse.url}/_matrix/media/v3/upload"
        async with (
            aiohttp.ClientSession() as http,
            http.post(address, data=data, headers=headers, params={"filename": name}) as answer,
        ):
            return str((await answer.json())["content_uri"])


@dataclass(frozen=True, slots=True)
class World:
    """What was made, for the story to tell."""

    rooms: int
    events: int
    family: RoomId  # encrypted; the person's own client writes there


async def build(synapse: Synapse, anna: Resident) -> World:
    """Give Anna a small life on the homeserver, among other people whose words must never be in her archive."""
    ben = Resident(synapse, await synapse.register("ben"))
    cleo = Resident(synapse, await synapse.register("cleo"))
    await anna.call("PUT", f"/profile/{quote(anna.account.user_id)}/displayname", {"displayname": "Anna"})
    club = await anna.room("Book club", ben, cleo)
    events = await _book_club(club, anna, ben)
    job = await ben.room("Old job", anna)
    for text in ("Here is the report.", "I am leaving on Friday - thanks for everything!"):
        await anna.say(job, text)
    await ben.say(job, "We will miss you.")
    await anna.call("POST", f"/rooms/{quote(job)}/leave", {})
    flat = await cleo.room("Flat share", anna)
    await anna.say(flat, "The heating is broken again.")
    await anna.call("POST", f"/rooms/{quote(flat)}/leave", {})
    await anna.call("POST", f"/rooms/{quote(flat)}/forget", {})
    await anna.call("PUT", f"/user/{quote(anna.account.user_id)}/account_data/org.example.theme", {"theme": "dark"})
    family = await anna.room("Family", ben, encrypted=True)
    return World(rooms=4, events=events + 3, family=family)


async def _book_club(room_id: RoomId, anna: Resident, ben: Resident) -> int:
    for number in range(1, 31):
        await anna.say(room_id, f"Notes on chapter {number}: I liked it more than the last one.")
        if number % 5 == 0:
            await ben.say(room_id, f"Chapter {number} was too long for me.")
    typo = await anna.say(room_id, "See you on Tusday")
    fixed = {"msgtype": "m.text", "body": "See you on Tuesday"}
    edit = {
        "body": "* See you on Tuesday",
        "msgtype": "m.text",
        "m.new_content": fixed,
        "m.relates_to": {"rel_type": "m.replace", "event_id": typo},
    }
    await anna.send(room_id, edit)
    answer = await ben.say(room_id, "I will bring cake.")
    await anna.send(
        room_id, {"m.relates_to": {"rel_type": "m.annotation", "event_id": answer, "key": "🎂"}}, "m.reaction"
    )
    shelf = await anna.upload(picture(), "our shelf.png", "image/png")
    info = {"mimetype": "image/png", "w": 160, "h": 96}
    await anna.send(room_id, {"msgtype": "m.image", "body": "our shelf.png", "url": shelf, "info": info})
    secret = await anna.say(room_id, "Something I should not have written")
    await anna.call("PUT", f"/rooms/{quote(room_id)}/redact/{quote(secret)}/gone", {"reason": "a slip"})
    return 36


def picture(width: int = 160, height: int = 96) -> bytes:
    """Return a small PNG with coloured stripes (PNG specification, third edition)."""
    colours = ((181, 101, 29), (46, 94, 78), (120, 40, 50), (222, 184, 92))
    row = b"\0" + b"".join(bytes(colours[x // 20 % len(colours)]) for x in range(width))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b"")
