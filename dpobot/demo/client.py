"""The demo person's client: an end-to-end-encrypted account that talks to the bot and keeps what it hears."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Unavailable
from dpobot.matrix.api import Invite, Received
from dpobot.matrix.session import Session
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.model.records import EncryptedFile

Wanted = Callable[[Received], bool]


class Client:
    """Sends, listens, and waits for what the other side says."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.heard: list[Received] = []
        self.invites: list[Invite] = []
        self._since: str | None = None
        self._read = 0

    @classmethod
    async def open(cls, synapse: Synapse, account: Credentials, folder: Path) -> "Client":
        """Log in, publish cross-signing keys, and be ready to talk."""
        session = await Session.open(
            homeserver_url=synapse.url,
            user_id=UserId(account.user_id),
            password=lambda: account.password,
            device_name="demo client",
            folder=folder,
        )
        client = cls(session)
        await client.listen(0)
        return client

    async def close(self) -> None:
        """Stop."""
        await self.session.close()

    async def listen(self, timeout_ms: int = 1000) -> None:
        """Hear what is new; late keys are tried on what could not be read."""
        batch = await self.session.sync(self._since, timeout_ms)
        self._since = batch.next_batch
        if batch.new_sessions:
            self.heard = [await self.session.decrypt(event) if event.undecryptable else event for event in self.heard]
        self.heard += batch.events
        self.invites += batch.invites

    async def accept(self, inviter: UserId, seconds: float = 60.0) -> RoomId:
        """Wait for an invitation of somebody, and accept it."""
        async with asyncio.timeout(seconds):
            while not (found := [invite.room_id for invite in self.invites if invite.inviter == inviter]):
                await self.listen()
        await self.session.join(found[-1])
        return found[-1]

    async def direct_message(self, bot: UserId) -> RoomId:
        """Open an encrypted direct message and wait until the bot is in."""
        room_id = await self.session.create_direct(bot)
        async with asyncio.timeout(60):
            while bot not in (await self.session.room(room_id)).joined:
                await asyncio.sleep(0.2)
        return room_id

    async def say(self, room_id: RoomId, text: str, thread: EventId | None = None) -> None:
        """Send a text, in the thread under an event if one is named (spec 11.10 "Threading")."""
        content: dict[str, Any] = {"msgtype": "m.text", "body": text}
        if thread is not None:
            content["m.relates_to"] = {"rel_type": "m.thread", "event_id": thread}
        await self.session.send(room_id, content, txn_id=secrets.token_hex(8))

    async def attach(self, room_id: RoomId, path: Path, media_type: str) -> None:
        """Send a file, encrypted before it leaves (spec, "Sending encrypted attachments")."""
        file = await self.session.upload_encrypted(path, media_type)
        info = {"mimetype": media_type, "size": file.size}
        content = {"msgtype": "m.image", "body": path.name, "info": info, "file": file.event_file()}
        await self.session.send(room_id, content, txn_id=secrets.token_hex(8))

    async def wait(self, sender: str, wanted: Wanted, seconds: float = 120.0) -> Received:
        """Return the next event of ``sender`` that is ``wanted``, counted from the last one returned."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for number in range(self._read, len(self.heard)):
                        event = self.heard[number]
                        if event.sender == sender and event.undecryptable is None and wanted(event):
                            self._read = number + 1
                            return event
                    await self.listen()
        except TimeoutError:
            raise Unavailable("no answer came in time") from None

    async def fetch(self, content: dict[str, Any], target: Path) -> Path:
        """Download and decrypt the attachment of a message."""
        file = content["file"]
        size = content.get("info", {}).get("size", 0)
        attachment = EncryptedFile(Mxc(file["url"]), file["key"], file["iv"], file["hashes"], size)
        await self.session.download_encrypted(attachment, target)
        return target
