"""Where the contract of `Matrix` is played: accounts and rooms in memory, or at a real Synapse."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from dpobot.demo.synapse import Synapse
from dpobot.matrix.api import Matrix, Received
from dpobot.matrix.http import path
from dpobot.model.ids import EventId, RoomId, UserId
from tests.fakes.matrix import FakeMatrix, FakeServer
from tests.live.people import opened

NOWHERE = RoomId("!nowhere:dpobot.test")


class Account:
    """One account: what it asks, and what it has heard so far."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix
        self.user_id = matrix.user_id
        self.token: str | None = None
        self.heard: list[Received] = []

    async def sync(self) -> None:
        """Hear what is new."""
        batch = await self.matrix.sync(self.token, 300)
        self.token = batch.next_batch
        self.heard += batch.events

    async def say(self, room_id: RoomId, body: str, txn_id: str | None = None) -> EventId:
        """Say something in an encrypted room."""
        return await self.matrix.send(room_id, text(body), txn_id=txn_id or secrets.token_hex(8))

    async def hears(self, *bodies: str) -> list[str]:
        """Listen until all this has been heard; return all texts so far, in their order."""
        for _ in range(20):
            await self.sync()
            if set(bodies) <= set(self.texts()):
                break
        return self.texts()

    def texts(self) -> list[str]:
        """Return the texts of others."""
        mine = [event for event in self.heard if event.type == "m.room.message" and event.sender != self.user_id]
        return [str(event.content.get("body")) for event in mine]


class Stage(Protocol):
    """Makes accounts and rooms."""

    async def account(self, name: str) -> Account:
        """Return a new account that has synced once."""

    async def cleartext_room(self, owner: Account, other: UserId) -> RoomId:
        """Let somebody make a room without encryption in which the other has no power, and invite them."""

    async def invite(self, owner: Account, room_id: RoomId, other: UserId) -> None:
        """Let somebody invite another into a room."""

    async def group(
        self,
        owner: Account,
        levels: Mapping[UserId, int],
        *,
        join_rule: str = "invite",
        history: str = "shared",
        encrypted: bool = True,
    ) -> RoomId:
        """Let somebody make a group, invite people and give each a power level."""

    async def level(self, owner: Account, room_id: RoomId, person: UserId, level: int) -> None:
        """Let somebody give another one a power level."""

    async def react(self, account: Account, room_id: RoomId, event_id: EventId, key: str) -> EventId:
        """Let somebody react to an event, as clients do: in clear."""


class InMemory:
    """The stage in memory."""

    def __init__(self) -> None:
        self.server = FakeServer()

    async def account(self, name: str) -> Account:
        account = Account(FakeMatrix(self.server, UserId(f"@{name}:dpobot.test")))
        await account.sync()
        return account

    async def cleartext_room(self, owner: Account, other: UserId) -> RoomId:
        room_id = self.server.room(owner.user_id, other, encrypted=False)
        self.server.rooms[room_id].powers = {owner.user_id}
        return room_id

    async def invite(self, owner: Account, room_id: RoomId, other: UserId) -> None:
        self.server.invite(room_id, owner.user_id, other)

    async def group(
        self,
        owner: Account,
        levels: Mapping[UserId, int],
        *,
        join_rule: str = "invite",
        history: str = "shared",
        encrypted: bool = True,
    ) -> RoomId:
        room_id = self.server.staff_room(
            owner.user_id, {}, *levels, encrypted=encrypted, join_rule=join_rule, history=history
        )
        self.server.rooms[room_id].levels |= levels
        return room_id

    async def level(self, owner: Account, room_id: RoomId, person: UserId, level: int) -> None:
        self.server.rooms[room_id].levels[person] = level

    async def react(self, account: Account, room_id: RoomId, event_id: EventId, key: str) -> EventId:
        return self.server.react(room_id, account.user_id, event_id, key)


class Real:
    """The stage on a real Synapse."""

    def __init__(self, synapse: Synapse, folder: Path, stack: AsyncExitStack) -> None:
        self.synapse = synapse
        self._folder = folder
        self._stack = stack

    async def account(self, name: str) -> Account:
        credentials = await self.synapse.register(f"{name}-{secrets.token_hex(4)}")
        session = await opened(self.synapse, credentials, self._folder / name)
        self._stack.push_async_callback(session.close)
        account = Account(session)
        await account.sync()
        return account

    async def cleartext_room(self, owner: Account, other: UserId) -> RoomId:
        body = {"preset": "private_chat", "is_direct": True, "invite": [other]}
        return RoomId((await call(owner, "POST", path("createRoom"), body))["room_id"])

    async def invite(self, owner: Account, room_id: RoomId, other: UserId) -> None:
        await call(owner, "POST", path("rooms", room_id, "invite"), {"user_id": other})

    async def group(
        self,
        owner: Account,
        levels: Mapping[UserId, int],
        *,
        join_rule: str = "invite",
        history: str = "shared",
        encrypted: bool = True,
    ) -> RoomId:
        allow = {"allow": [{"type": "m.room_membership", "room_id": NOWHERE}]} if join_rule == "restricted" else {}
        state: dict[str, dict[str, Any]] = {
            "m.room.join_rules": {"join_rule": join_rule, **allow},
            "m.room.history_visibility": {"history_visibility": history},
        }
        if encrypted:
            state["m.room.encryption"] = {"algorithm": "m.megolm.v1.aes-sha2"}
        body = {
            "invite": list(levels),
            "initial_state": [{"type": type_, "state_key": "", "content": content} for type_, content in state.items()],
        }
        room_id = RoomId((await call(owner, "POST", path("createRoom"), body))["room_id"])
        for person, level in levels.items():
            await self.level(owner, room_id, person, level)
        return room_id

    async def level(self, owner: Account, room_id: RoomId, person: UserId, level: int) -> None:
        endpoint = path("rooms", room_id, "state", "m.room.power_levels", "")
        content = await call(owner, "GET", endpoint)
        content["users"] = content["users"] | {person: level}
        await call(owner, "PUT", endpoint, content)

    async def react(self, account: Account, room_id: RoomId, event_id: EventId, key: str) -> EventId:
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        endpoint = path("rooms", room_id, "send", "m.reaction", secrets.token_hex(8))
        return EventId((await call(account, "PUT", endpoint, {"m.relates_to": relation}))["event_id"])


async def call(account: Account, method: str, endpoint: str, body: object = None) -> dict[str, Any]:
    """Make a request that the contract has no name for, as somebody who has a real session."""
    answer: dict[str, Any] = await account.matrix._http.call(method, endpoint, body)  # type: ignore[attr-defined] # see above
    return answer


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """What is closed at the end of a test."""
    async with AsyncExitStack() as opened_here:
        yield opened_here


@pytest.fixture(params=["memory", pytest.param("synapse", marks=pytest.mark.live)])
def stage(request: pytest.FixtureRequest, tmp_path: Path, stack: AsyncExitStack) -> Stage:
    """A stage, on each of the two in turn."""
    if request.param == "memory":
        return InMemory()
    return Real(request.getfixturevalue("synapse"), tmp_path, stack)


def text(body: str) -> dict[str, str]:
    """Return a text message's content."""
    return {"msgtype": "m.text", "body": body}


async def talking(stage: Stage) -> tuple[Account, Account, RoomId]:
    """Return a bot, a person, and their encrypted direct message."""
    bot, person = await stage.account("bot"), await stage.account("person")
    room_id = await person.matrix.create_direct(bot.user_id)
    await bot.matrix.join(room_id)
    return bot, person, room_id
