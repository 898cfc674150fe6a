"""The two stages on which everything that keeps `Changes` is tested: in memory, and on a real Synapse."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import aiohttp

from dpobot.demo.synapse import Synapse
from dpobot.homeserver.api import Homeserver
from dpobot.homeserver.changes import Changes
from dpobot.model.ids import Mxc, RoomId, UserId
from tests.fakes.changes import FakeChanges
from tests.fakes.homeserver import FakeHomeserver
from tests.live.http import Client

Content = Mapping[str, Any]


class Stage(Protocol):
    """Lets things happen on a homeserver, and shows what became of them."""

    homeserver: Homeserver
    changes: Changes

    async def person(self, name: str) -> UserId:
        """Register somebody with a display name."""

    async def room(self, owner: UserId, *members: UserId) -> RoomId:
        """Let ``owner`` make a room in which everybody may do everything, and the others join it."""

    async def send(self, room: RoomId, user: UserId, kind: str, content: Content) -> str:
        """Let somebody send an event; returns its ID."""

    async def state(self, room: RoomId, user: UserId, kind: str, content: Content) -> None:
        """Let somebody set state."""

    async def listed(self, room: RoomId, topic: str) -> bool:
        """Tell whether the directory of rooms shows this topic, as soon as it does; False if it goes on not to."""

    async def leave(self, room: RoomId, user: UserId) -> None:
        """Let somebody leave."""

    async def close(self, room: RoomId, owner: UserId, *members: UserId) -> None:
        """Let ``owner`` upgrade the room, so that ``members`` may no longer send anything in it."""

    async def upload(self, user: UserId) -> Mxc:
        """Let somebody upload something."""

    async def tag(self, room: RoomId, user: UserId) -> None:
        """Let somebody put a tag on a room."""

    async def direct(self, user: UserId, other: UserId, room: RoomId) -> None:
        """Let somebody call a room their direct message with another."""

    async def custom(self, user: UserId) -> None:
        """Let somebody add a custom field to their profile."""

    async def lock(self, user: UserId) -> None:
        """Let an admin lock an account."""


class InMemory:
    """The stage in memory."""

    def __init__(self) -> None:
        self.fake = FakeHomeserver(categories=("account", "profile", "third_party_ids", "tags"))
        self.homeserver: Homeserver = self.fake
        self.changes: Changes = FakeChanges(self.fake)

    async def person(self, name: str) -> UserId:
        user = self.fake.add_account(UserId(f"@p{secrets.token_hex(4)}:{self.fake.server_name}"))
        self.fake.hold("profile", user, {"field": "displayname", "value": name})
        return user

    async def room(self, owner: UserId, *members: UserId) -> RoomId:
        room = self.fake.add_room(RoomId(f"!{secrets.token_hex(6)}"))
        self.fake.send(room, owner, {"room_version": "12"}, "m.room.create", state_key="")
        for member in (owner, *members):
            self.fake.set_membership(room, member, "join")
            content = {"membership": "join", "displayname": self.fake.held("profile", member)[0]["value"]}
            self.fake.send(room, member, content, "m.room.member", state_key=member)
        return room

    async def send(self, room: RoomId, user: UserId, kind: str, content: Content) -> str:
        return self.fake.send(room, user, content, kind)

    async def state(self, room: RoomId, user: UserId, kind: str, content: Content) -> None:
        self.fake.send(room, user, content, kind, state_key="")

    async def listed(self, room: RoomId, topic: str) -> bool:
        return bool(self.fake.rooms_held[room].shown["m.room.topic"] == topic)

    async def leave(self, room: RoomId, user: UserId) -> None:
        self.fake.send(room, user, {"membership": "leave"}, "m.room.member", state_key=user)
        self.fake.set_membership(room, user, "leave")

    async def close(self, room: RoomId, owner: UserId, *members: UserId) -> None:
        self.fake.silence(room, *members)

    async def upload(self, user: UserId) -> Mxc:
        return self.fake.upload(user, b"a file")

    async def tag(self, room: RoomId, user: UserId) -> None:
        self.fake.hold("tags", user, {"room_id": room, "tag": "u.secret", "content": {}})

    async def direct(self, user: UserId, other: UserId, room: RoomId) -> None:
        self.fake.hold("account_data", user, {"type": "m.direct", "content": {other: [room]}})

    async def custom(self, user: UserId) -> None:
        held = self.fake.held("profile", user)
        self.fake.hold("profile", user, *held, {"field": "m.tz", "value": "Europe/Berlin"})

    async def lock(self, user: UserId) -> None:
        self.fake.accounts[user] = replace(self.fake.accounts[user], locked=True)


@dataclass
class Real:
    """The stage on a real Synapse."""

    synapse: Synapse
    admin: Client
    http: aiohttp.ClientSession
    homeserver: Homeserver
    changes: Changes
    _people: dict[str, Client] = field(default_factory=dict)

    async def person(self, name: str) -> UserId:
        made = await self.synapse.register(f"p{secrets.token_hex(4)}")
        client = self._people[made.user_id] = Client(self.http, self.synapse.url, made)
        await client.put("profile", made.user_id, "displayname", body={"displayname": name})
        return UserId(made.user_id)

    async def room(self, owner: UserId, *members: UserId) -> RoomId:
        levels = {"state_default": 0, "events": {}}
        room = await self._people[owner].create(preset="public_chat", power_level_content_override=levels)
        for member in members:
            await self._people[member].member(room, "join")
        return RoomId(room)

    async def send(self, room: RoomId, user: UserId, kind: str, content: Content) -> str:
        return await self._people[user].send(room, dict(content), kind)

    async def state(self, room: RoomId, user: UserId, kind: str, content: Content) -> None:
        await self._people[user].state(room, kind, dict(content))

    async def listed(self, room: RoomId, topic: str) -> bool:
        for _ in range(200):
            if (await self.admin.admin("GET", "v1", "rooms", room))["topic"] == topic:
                return True
            await asyncio.sleep(0.05)  # the server brings it up to date by and by, and tells nobody
        return False

    async def leave(self, room: RoomId, user: UserId) -> None:
        await self._people[user].member(room, "leave")

    async def close(self, room: RoomId, owner: UserId, *members: UserId) -> None:
        await self._people[owner].post("rooms", room, "upgrade", body={"new_version": "12"})

    async def upload(self, user: UserId) -> Mxc:
        return Mxc(await self._people[user].upload(b"a file", "text/plain", "a.txt"))

    async def tag(self, room: RoomId, user: UserId) -> None:
        await self._people[user].put("user", user, "rooms", room, "tags", "u.secret", body={})

    async def direct(self, user: UserId, other: UserId, room: RoomId) -> None:
        await self._people[user].put("user", user, "account_data", "m.direct", body={other: [room]})

    async def custom(self, user: UserId) -> None:
        await self._people[user].put("profile", user, "m.tz", body={"m.tz": "Europe/Berlin"})

    async def lock(self, user: UserId) -> None:
        await self.admin.admin("PUT", "v2", "users", user, body={"locked": True})
