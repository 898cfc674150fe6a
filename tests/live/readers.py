"""Rooms of each history visibility; people who came, went, were banned, invited, knocked; and what they can read."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp

from dpobot.demo.synapse import Synapse
from dpobot.errors import Rejected
from tests.live.http import Client, Json

PEOPLE = (
    "early", "late", "left", "banned", "rejoined", "invited", "knocked", "ignoring", "forgot", "declined", "unbanned",
)  # fmt: skip
# from the room's creation, and what it is changed to between the chapters below
VISIBILITIES = {
    "world_readable": (),
    "shared": (),
    "invited": (),
    "joined": (),
    "joined, then laxer": ("shared", "world_readable", "shared"),
    "shared, then stricter": ("invited", "joined", "nonsense"),
}


@dataclass
class Readers:
    """The people, by what becomes of them; ``owner`` makes the rooms, ``noisy`` is the one who is ignored."""

    synapse: Synapse
    http: aiohttp.ClientSession
    owner: Client
    noisy: Client
    people: dict[str, Client]

    @classmethod
    async def gather(cls, synapse: Synapse, http: aiohttp.ClientSession) -> "Readers":
        """Register everybody."""
        tag = secrets.token_hex(3)

        async def client(name: str) -> Client:
            return Client(http, synapse.url, await synapse.register(f"{name}-{tag}"))

        owner, noisy, *people = await asyncio.gather(*(client(name) for name in ("owner", "noisy", *PEOPLE)))
        made = cls(synapse, http, owner, noisy, dict(zip(PEOPLE, people, strict=True)))
        ignoring = made.people["ignoring"]
        ignored: Json = {"ignored_users": {noisy.user_id: {}}}
        await ignoring.put("user", ignoring.user_id, "account_data", "m.ignored_user_list", body=ignored)
        return made

    async def room(self, visibility: str, version: str) -> str:
        """Let a room's life happen, and return its ID."""
        changes = iter(VISIBILITIES[visibility])
        state = {"type": "m.room.history_visibility", "state_key": ""}
        opening = {**state, "content": {"history_visibility": visibility.split(",")[0]}}
        room = await self.owner.create(preset="public_chat", room_version=version, initial_state=[opening])
        await self._chapter(room, changes)
        await self._join(room, "early", "left", "banned", "rejoined", "ignoring", "forgot", "unbanned")
        await self.noisy.member(room, "join")
        await self._talk(room)
        await self._chapter(room, changes)
        await self._leave(room, "left", "rejoined", "forgot")
        for name in ("banned", "unbanned"):
            await self.owner.member(room, "ban", user_id=self.people[name].user_id)
        await self._chapter(room, changes)
        for name in ("late", "declined", "invited"):
            await self.owner.member(room, "invite", user_id=self.people[name].user_id)
        await self._chapter(room, changes)
        await self._join(room, "late", "rejoined")
        await self._leave(room, "declined")
        await self.owner.member(room, "unban", user_id=self.people["unbanned"].user_id)
        await self.owner.state(room, "m.room.join_rules", {"join_rule": "knock"})
        await self.people["knocked"].post("knock", room)
        await self.people["forgot"].member(room, "forget")
        await self._chapter(room, changes)
        return room

    async def _chapter(self, room: str, changes: Iterator[str]) -> None:
        """Let something be said, and the visibility change behind it."""
        await self.owner.say(room, "something")
        change = next(changes, None)
        if change is not None:
            await self.owner.state(room, "m.room.history_visibility", {"history_visibility": change})
            await self.owner.say(room, "after the change")

    async def _talk(self, room: str) -> None:
        """Let people answer each other, react, and take something back."""
        first = await self.owner.say(room, f"hello {self.noisy.user_id}")
        annotation = {"rel_type": "m.annotation", "event_id": first, "key": "+"}
        await self.noisy.send(room, {"m.relates_to": annotation}, "m.reaction")
        for client in (self.noisy, self.people["early"], self.people["rejoined"]):
            await client.say(room, f"said by {client.user_id}")
        gone = await self.owner.say(room, "taken back")
        await self.owner.redact(room, gone, "a mistake")

    async def _join(self, room: str, *names: str) -> None:
        for name in names:
            await self.people[name].member(room, "join")

    async def _leave(self, room: str, *names: str) -> None:
        for name in names:
            await self.people[name].member(room, "leave")

    async def own_client(self, name: str) -> Client:
        """Log somebody in anew, with their password."""
        given = self.people[name].credentials
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": given.user_id},
            "password": given.password,
        }
        answer = await self.synapse.request("POST", "/_matrix/client/v3/login", None, body)
        fresh = type(given)(given.user_id, given.password, answer["access_token"], answer["device_id"])
        return Client(self.http, self.synapse.url, fresh)


async def scrolled(client: Client, room: str) -> list[str]:
    """Return the IDs of all events that a client sees who scrolls a room back to its beginning, oldest first."""
    seen: list[str] = []
    start: dict[str, str] = {}
    while True:
        try:
            page = await client.get("rooms", room, "messages", dir="b", limit="50", **start)
        except Rejected as refusal:
            if refusal.status != 403:
                raise
            return []
        seen += [event["event_id"] for event in page["chunk"]]
        if "end" not in page:
            return seen[::-1]
        start = {"from": page["end"]}
