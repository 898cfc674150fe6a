"""People for the live tests: real sessions on the test's homeserver, each with its own sync token."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.matrix.api import Received, SyncBatch
from dpobot.matrix.session import Session
from dpobot.model.ids import EventId, RoomId, UserId


async def opened(
    synapse: Synapse, account: Credentials, folder: Path, recovery_key: str | None = None, *, founds: bool = True
) -> Session:
    """Open a session of an account."""
    return await Session.open(
        homeserver_url=synapse.url,
        user_id=UserId(account.user_id),
        password=lambda: account.password,
        device_name="test",
        folder=folder,
        recovery_key=(lambda: recovery_key) if recovery_key is not None else None,
        founds=founds,
    )


@dataclass
class Client:
    """A session that remembers where it is and what it has received."""

    session: Session
    token: str | None = None
    heard: list[Received] = field(default_factory=list)

    @property
    def user_id(self) -> UserId:
        return self.session.user_id

    async def sync(self, wait_ms: int = 300) -> SyncBatch:
        batch = await self.session.sync(self.token, wait_ms)
        self.token = batch.next_batch
        self.heard += batch.events
        return batch

    async def say(self, room: RoomId, body: str) -> EventId:
        return await self.session.send(room, {"msgtype": "m.text", "body": body}, txn_id=secrets.token_hex(8))

    def messages(self) -> list[Received]:
        return [event for event in self.heard if event.type == "m.room.message" and event.sender != self.user_id]

    def bodies(self) -> list[Any]:
        return [event.content.get("body") for event in self.messages()]

    async def until(self, *bodies: str) -> Received:
        """Sync until everything of ``bodies`` was heard; returns the last one's event."""
        for _ in range(20):
            if set(bodies) <= {body for body in self.bodies() if isinstance(body, str)}:
                break
            await self.sync()
        assert [body for body in bodies if body not in self.bodies()] == []
        return next(event for event in reversed(self.messages()) if event.content["body"] == bodies[-1])


async def joined(person: Client, other: Client) -> RoomId:
    """Make a direct message of two clients; ``other`` accepts."""
    room = await person.session.create_direct(other.user_id)
    await other.session.join(room)
    await other.sync()
    return room
