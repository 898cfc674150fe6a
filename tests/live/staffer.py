"""A member of staff: an end-to-end-encrypted client in the staff room, who works in the threads of cases."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from dpobot.demo.client import Client
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.demo.world import Resident
from dpobot.errors import Unavailable
from dpobot.matrix.api import Received
from dpobot.matrix.http import path
from dpobot.model.ids import EventId, RoomId, UserId

Employ = Callable[..., Awaitable["Staffer"]]
CODE: re.Pattern[str] = re.compile(r"\b[A-HJ-NP-Z2-9]{6}\b")
ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


def in_thread(root: EventId | None) -> dict[str, Any]:
    """Return what puts a message into the thread of ``root`` (spec 11.10 "Threading"), nothing without one."""
    if root is None:
        return {}
    reply = {"is_falling_back": True, "m.in_reply_to": {"event_id": root}}
    return {"m.relates_to": {"rel_type": "m.thread", "event_id": root} | reply}


async def send_file(client: Client, room: RoomId, file: Path, name: str, root: EventId | None = None) -> EventId:
    """Encrypt, upload and send a file, in a thread if its root is named."""
    sealed = await client.session.upload_encrypted(file, "application/octet-stream")
    info = {"size": sealed.size, "mimetype": "application/octet-stream"}
    content = {"msgtype": "m.file", "body": name, "filename": name, "info": info, "file": sealed.event_file()}
    return await client.session.send(room, content | in_thread(root), txn_id=secrets.token_hex(8))


def body(event: Received) -> str:
    """Return an event's text; of an edit the new one."""
    content = event.content.get("m.new_content", event.content)
    return str(content.get("body", "")) if isinstance(content, Mapping) else ""


def relation(event: Received, kind: str) -> EventId | None:
    """Return the event that this one is an edit of (``m.replace``), or in whose thread it is (``m.thread``)."""
    relates = event.content.get("m.relates_to")
    if not isinstance(relates, Mapping) or relates.get("rel_type") != kind:
        return None
    return EventId(str(relates.get("event_id")))


@dataclass
class Staffer:
    """One member of staff. ``bot`` and ``room`` are known once they entered the staff room."""

    account: Credentials
    client: Client
    resident: Resident
    bot: UserId = field(init=False)
    room: RoomId = field(init=False)

    @classmethod
    async def hire(cls, synapse: Synapse, account: Credentials, folder: Path) -> Self:
        """Log in with a cross-signed device; the staff room may not exist yet."""
        return cls(account, await Client.open(synapse, account, folder), Resident(synapse, account))

    @property
    def user_id(self) -> UserId:
        """Who this is."""
        return self.client.session.user_id

    async def enter(self, bot: str, room: RoomId | None = None) -> RoomId:
        """Accept the bot's invitation to the staff room, or take a room that one is in already."""
        self.bot = UserId(bot)
        self.room = room or await self.client.accept(self.bot)
        await self.listen(0)
        return self.room

    async def furnish(self, bot: str, *others: str, powers: Mapping[str, int] | None = None, **body: Any) -> RoomId:
        """Make a room that the bot shall adopt, and invite it; ``body`` overrides parts of the request."""
        request: dict[str, Any] = {
            "name": "Data protection",
            "preset": "private_chat",
            "invite": [bot, *others],
            "initial_state": [ENCRYPTION],
            "power_level_content_override": {"users": dict(powers or {})},
        }
        answer = await self.resident.call("POST", "/createRoom", request | body)
        return await self.enter(bot, RoomId(str(answer["room_id"])))

    async def say(self, text: str, root: EventId | None = None) -> EventId:
        """Say something in the staff room, in a thread if its root is named."""
        content = {"msgtype": "m.text", "body": text} | in_thread(root)
        return await self.client.session.send(self.room, content, txn_id=secrets.token_hex(8))

    async def edit(self, event: EventId, text: str) -> EventId:
        """Replace the text of an own message."""
        relates = {"rel_type": "m.replace", "event_id": event}
        new = {"msgtype": "m.text", "body": text}
        content = {"msgtype": "m.text", "body": f"* {text}", "m.new_content": new, "m.relates_to": relates}
        return await self.client.session.send(self.room, content, txn_id=secrets.token_hex(8))

    async def react(self, event: EventId, key: str) -> EventId:
        """React to an event; reactions are not encrypted (spec 11.13 "Event annotations and reactions")."""
        return EventId(
            await self.resident.send(
                self.room, {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": key}}, "m.reaction"
            )
        )

    async def hand_in(self, file: Path, name: str, root: EventId) -> EventId:
        """Send a file into a thread."""
        return await send_file(self.client, self.room, file, name, root)

    async def set_power(self, user: str, level: int) -> None:
        """Give somebody a power level."""
        endpoint = path("rooms", self.room, "state", "m.room.power_levels", "", base="")
        content = await self.resident.call("GET", endpoint)
        content["users"] = content.get("users", {}) | {user: level}
        await self.resident.call("PUT", endpoint, content)

    async def kick(self, user: str) -> None:
        """Remove somebody from the room."""
        await self.resident.call("POST", path("rooms", self.room, "kick", base=""), {"user_id": user})

    async def listen(self, timeout_ms: int = 500) -> None:
        """Hear what is new; a homeserver that is away is asked again."""
        try:
            await self.client.listen(timeout_ms)
        except Unavailable:
            await asyncio.sleep(0.3)

    def heard(self) -> list[Received]:
        """Return all that the bot said in the staff room, each event once, edits among them, in order."""
        events = {event.event_id: event for event in self.client.heard if event.room_id == self.room}
        return [event for event in events.values() if event.sender == self.bot and event.type == "m.room.message"]

    def unread(self) -> list[Received]:
        """Return what the bot said and this client could not read."""
        return [event for event in self.client.heard if event.sender == self.bot and event.undecryptable is not None]

    def main(self) -> list[Received]:
        """Return the bot's messages in the main time line, edits not counted."""
        return [event for event in self.messages() if relation(event, "m.thread") is None]

    def messages(self) -> list[Received]:
        """Return the bot's messages, edits not counted."""
        return [event for event in self.heard() if relation(event, "m.replace") is None]

    def thread(self, root: EventId) -> list[Received]:
        """Return the bot's messages in a thread."""
        return [event for event in self.messages() if relation(event, "m.thread") == root]

    def edits(self, event: EventId) -> list[Received]:
        """Return the bot's edits of one of its messages."""
        return [edit for edit in self.heard() if relation(edit, "m.replace") == event]

    def shown(self, event: Received) -> str:
        """Return what a reader sees: the newest edit of a message, or the message itself."""
        return body([event, *self.edits(event.event_id)][-1])

    def cards(self, reference: str) -> list[Received]:
        """Return the cards of a case: one, if all is well."""
        return [event for event in self.main() if body(event).startswith(f"{reference} ·")]

    async def until(self, wanted: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Listen until something is so."""
        try:
            async with asyncio.timeout(seconds):
                while not wanted():
                    await self.listen()
        except TimeoutError:
            raise AssertionError(f"{what}: not within {seconds} s") from None

    async def card(self, reference: str, shows: str = "", seconds: float = 60) -> Received:
        """Wait for a case's card, and until it ``shows`` a text."""

        def is_there() -> bool:
            return any(shows in self.shown(event) for event in self.cards(reference))

        await self.until(is_there, f"the card {shows}".strip(), seconds)
        return self.cards(reference)[0]

    async def hear(self, text: str, root: EventId | None = None, times: int = 1, seconds: float = 60) -> Received:
        """Wait until the bot said ``text`` so many times in a thread (or in the main time line); the newest of them."""

        def said() -> list[Received]:
            place = self.main() if root is None else self.thread(root)
            return [event for event in place if text in body(event)]

        await self.until(lambda: len(said()) >= times, f"{times} of these answers", seconds)
        return said()[-1]

    async def answered(self, text: str, root: EventId | None = None, pattern: str = "", seconds: float = 60) -> str:
        """Say something; return, as text, the bot's next message in that place in which ``pattern`` is found."""
        return body(await self.next(await self.say(text, root), root, pattern, seconds))

    async def next(
        self, after: EventId, root: EventId | None = None, pattern: str = "", seconds: float = 60
    ) -> Received:
        """Wait for the bot's first message in that place that the room has after an own event and that fits."""

        def later() -> list[Received]:
            order = list(dict.fromkeys(event.event_id for event in self.client.heard))
            place = self.main() if root is None else self.thread(root)
            behind = set(order[order.index(after) :]) if after in order else set()
            return [event for event in place if event.event_id in behind and re.search(pattern, body(event))]

        await self.until(lambda: bool(later()), f"an answer with {pattern}", seconds)
        return later()[0]

    async def code(self, words: str, root: EventId) -> str:
        """Say what wants a typed code, and return the code."""
        return str(CODE.findall(await self.answered(words, root, CODE.pattern))[-1])

    async def quiet(self, seconds: float) -> None:
        """Listen for what might come although it should not."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await self.listen(300)

    async def fetch(self, event: Received, target: Path) -> bytes:
        """Download and decrypt the file of a message."""
        await self.client.fetch(dict(event.content), target)
        return target.read_bytes()

    async def go(self) -> None:
        """Log off."""
        await self.client.close()


@pytest.fixture
async def employ(synapse: Synapse, tmp_path: Path) -> AsyncIterator[Employ]:
    """Hire people: `member = await employ("dora")`, before the bot starts; all are logged off after the test."""
    hired: list[Staffer] = []

    async def hire(prefix: str = "staff") -> Staffer:
        account = await synapse.register(f"{prefix}-{secrets.token_hex(4)}")
        hired.append(await Staffer.hire(synapse, account, tmp_path / account.user_id[1:20]))
        return hired[-1]

    yield hire
    for member in hired:
        await member.go()
