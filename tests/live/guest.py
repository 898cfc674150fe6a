"""A person who talks with the running bot through end-to-end encryption, and remembers all that it said."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from dpobot.demo.client import Client
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Unavailable
from dpobot.matrix.api import Received
from dpobot.model.ids import EventId, RoomId, UserId
from tests.live.bot import RunningBot
from tests.live.staffer import send_file

ACCEPTED = "is accepted; its number is"
COMPLETE = "Your data is here:"
THANKED = "Our copy of the files of"
HELP = "You can write any of these"

Arrive = Callable[..., Awaitable["Guest"]]


@dataclass
class Guest:
    """One person's client, the bot's account, and the direct message of the two."""

    client: Client
    bot: UserId
    room: RoomId

    @classmethod
    async def arrive(cls, synapse: Synapse, account: Credentials, bot: str, folder: Path) -> Self:
        """Log in with a new device and open an encrypted direct message with the bot."""
        client = await Client.open(synapse, account, folder)
        return cls(client, UserId(bot), await client.direct_message(UserId(bot)))

    async def leave(self) -> None:
        """Log off."""
        await self.client.close()

    async def say(self, text: str) -> None:
        """Say something in the direct message."""
        await self.client.say(self.room, text)

    async def send_file(self, file: Path, name: str) -> EventId:
        """Send an encrypted file in the direct message."""
        return await send_file(self.client, self.room, file, name)

    async def listen(self, timeout_ms: int = 500) -> None:
        """Hear what is new; a homeserver that is away is asked again."""
        try:
            await self.client.listen(timeout_ms)
        except Unavailable:
            await asyncio.sleep(0.3)

    def messages(self, room: RoomId | None = None) -> list[Received]:
        """Return what the bot said, each message once, edits not counted; in one room or in all."""
        seen = {
            event.event_id: event
            for event in self.client.heard
            if event.sender == self.bot and event.type == "m.room.message" and (room is None or event.room_id == room)
        }
        return [event for event in seen.values() if "m.new_content" not in event.content]

    def unread(self) -> list[Received]:
        """Return what the bot said and this client could not read."""
        return [event for event in self.client.heard if event.sender == self.bot and event.undecryptable is not None]

    def heard(self, text: str) -> list[Received]:
        """Return the bot's messages that hold ``text``."""
        return [event for event in self.messages() if text in str(event.content.get("body", ""))]

    def files(self) -> list[Received]:
        """Return the volumes' messages."""
        return [event for event in self.messages() if event.content.get("msgtype") == "m.file"]

    async def hear(self, text: str, times: int = 1, seconds: float = 150) -> Received:
        """Listen until the bot has said ``text`` so many times; return the newest one of these messages."""
        try:
            async with asyncio.timeout(seconds):
                while len(self.heard(text)) < times:
                    await self.listen()
        except TimeoutError:
            raise AssertionError(f"{len(self.heard(text))} of {times} messages came") from None
        return self.heard(text)[-1]

    async def quiet(self, seconds: float) -> None:
        """Listen for what might come although it should not."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await self.listen(300)

    async def fetch(self, folder: Path) -> list[Path]:
        """Download and decrypt all volumes that came so far."""
        folder.mkdir(parents=True, exist_ok=True)
        return [
            await self.client.fetch(dict(event.content), folder / f"{number:03d}.zip")
            for number, event in enumerate(self.files(), start=1)
        ]


@pytest.fixture
async def arrive(synapse: Synapse, tmp_path: Path) -> AsyncIterator[Arrive]:
    """Let people arrive: `await arrive(bot, account)`, on another homeserver `await arrive(bot, account, server)`.

    All are logged off after the test.
    """
    arrived: list[Guest] = []

    async def make(bot: RunningBot, account: Credentials, server: Synapse = synapse) -> Guest:
        guest = await Guest.arrive(server, account, bot.user_id, tmp_path / f"guest-{secrets.token_hex(4)}")
        arrived.append(guest)
        return guest

    yield make
    for guest in arrived:
        await guest.leave()
