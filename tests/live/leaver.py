"""Somebody who leaves the homeserver, and what its database says of them before and after."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from dpobot.demo.synapse import Synapse
from tests.live.http import Client
from tests.live.story import edit, relates

SECRET = "private"  # in all that they send: nobody may read it afterwards
ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
_ANYBODY = {"state_default": 0}

EventId = str


@dataclass
class Leaver:
    """A person, a friend who stays, and what the person did. ``unreachable``: nobody can redact that any more."""

    me: Client
    friend: Client
    rooms: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    said: set[EventId] = field(default_factory=set)
    unreachable: set[EventId] = field(default_factory=set)

    async def live(self, words: int) -> None:
        """Fill rooms of every kind, about ``words`` messages in the largest."""
        await self.me.put("profile", self.me.user_id, "displayname", body={"displayname": f"{SECRET} name"})
        await self._shared("club", self.friend)
        await self._talk("club", words)
        await self._shared("old house", self.me, room_version="9")
        await self._talk("old house", words // 3)
        await self._shared("encrypted", self.friend, initial_state=[ENCRYPTED])
        await self._whisper("encrypted", words // 6)
        await self._shared("left", self.friend)
        await self._talk("left", words // 10)
        await self.me.member(self.rooms["left"], "leave")
        self.rooms["diary"] = await self.me.create(preset="private_chat", name=f"{SECRET} diary")
        for room in ("club", "club", "diary"):
            await self._share(room)
        await self._friends_file()

    @property
    def shared(self) -> list[str]:
        """The rooms of both, by ID."""
        return [room for name, room in self.rooms.items() if name != "diary"]

    async def _shared(self, name: str, creator: Client, **body: Any) -> None:
        other = self.friend if creator is self.me else self.me
        levels = {"power_level_content_override": _ANYBODY, "invite": [other.user_id]}
        self.rooms[name] = await creator.create(preset="private_chat", **levels, **body)
        await other.member(self.rooms[name], "join")

    async def _talk(self, name: str, words: int) -> None:
        """Messages, an edit, a topic, reactions to what the friend says: all that people do with each other."""
        room = self.rooms[name]
        theirs = [await self.friend.say(room, f"the friend's words {number}") for number in range(5)]
        mine = await self._all([self.me.say(room, f"{SECRET} word {number}") for number in range(words)])
        self.said |= {*mine, await self.me.send(room, edit(mine[0], f"{SECRET} correction"))}
        topic = await self.me.state(room, "m.room.topic", {"topic": f"{SECRET} topic"})
        liked = [relates("m.annotation", event, key=f"{SECRET} {number}") for event in theirs for number in range(2)]
        reactions = await self._all([self.me.send(room, content, "m.reaction") for content in liked])
        self.said |= {topic, *reactions}
        if name == "left":  # of what was sent there the homeserver's bulk call knows messages alone
            self.unreachable |= {topic, *reactions}

    async def _whisper(self, name: str, words: int) -> None:
        device = {"algorithm": "m.megolm.v1.aes-sha2", "session_id": "none", "sender_key": "none", "device_id": "NONE"}
        contents = [{**device, "ciphertext": f"{SECRET} {number}"} for number in range(words)]
        sent = [self.me.send(self.rooms[name], content, "m.room.encrypted") for content in contents]
        self.said |= set(await self._all(sent))

    async def _share(self, name: str) -> None:
        url = await self.me.upload(f"{SECRET} bytes".encode(), "text/plain", f"{SECRET}.txt")
        self.files.append(url)
        event = await self.me.send(self.rooms[name], {"msgtype": "m.file", "body": f"{SECRET}.txt", "url": url})
        if name != "diary":
            self.said.add(event)

    async def _friends_file(self) -> None:
        url = await self.friend.upload(b"the friend's bytes", "text/plain", "notes.txt")
        await self.friend.send(self.rooms["club"], {"msgtype": "m.file", "body": "notes.txt", "url": url})

    async def _all(self, sending: list[Any]) -> list[EventId]:
        return list(await asyncio.gather(*sending))


class Ledger:
    """Reads the homeserver's database: what really is there, whoever asked for it and however often."""

    def __init__(self, synapse: Synapse, leaver: Leaver) -> None:
        self._file = synapse.folder / "homeserver.db"
        self._leaver = leaver

    def redactions(self) -> Mapping[EventId, int]:
        """Return how often each event was redacted by the person."""
        query = (
            "SELECT redacts, count(*) FROM redactions JOIN events USING (event_id) WHERE sender = ? GROUP BY redacts"
        )
        return dict(self._ask(query, self._leaver.me.user_id))

    def redacted_state(self) -> int:
        """Return how many of the redacted events are state."""
        query = (
            "SELECT count(DISTINCT target.event_id) FROM redactions AS of JOIN events AS redaction USING (event_id)"
            " JOIN events AS target ON target.event_id = of.redacts"
            " WHERE redaction.sender = ? AND target.state_key IS NOT NULL"
        )
        return int(self._ask(query, self._leaver.me.user_id)[0][0])

    def others(self) -> Mapping[EventId, str]:
        """Return what the others' events hold, in all rooms of both.

        Their invitations of the person aside: from those Synapse takes the name when it erases an account.
        """
        query = (
            "SELECT event_id, json FROM events JOIN event_json USING (event_id)"
            " WHERE events.room_id = ? AND sender != ? AND coalesce(state_key, '') != ?"
        )
        person = self._leaver.me.user_id
        rows = [row for room in self._leaver.shared for row in self._ask(query, room, person, person)]
        return dict(rows)

    def partings(self) -> Mapping[str, int]:
        """Return how often the person has left each room, by its name."""
        query = (
            "SELECT json FROM events JOIN event_json USING (event_id)"
            " WHERE events.room_id = ? AND sender = ? AND state_key = sender AND type = 'm.room.member'"
        )
        left = Counter[str]()
        for name, room in self._leaver.rooms.items():
            for (event,) in self._ask(query, room, self._leaver.me.user_id):
                left[name] += json.loads(event)["content"]["membership"] == "leave"
        return dict(left)

    def end(self) -> Mapping[str, object]:
        """Return all that there is, without IDs and moments: of two erasures of the same life it is the same."""
        person = self._leaver.me.user_id
        return {
            "rooms": {name: self._room(room) for name, room in self._leaver.rooms.items()},
            "account": self._ask("SELECT deactivated, locked, suspended FROM users WHERE name = ?", person),
            **{table: self._count(table, column, person) for table, column in _OF_A_PERSON},
        }

    def rooms(self) -> int:
        """Return how many rooms there are on the server in which the person ever was."""
        query = "SELECT count(DISTINCT room_id) FROM room_memberships JOIN rooms USING (room_id) WHERE user_id = ?"
        return int(self._ask(query, self._leaver.me.user_id)[0][0])

    def _room(self, room: str) -> Mapping[str, int]:
        """Count a room's events by whose they are, what they are, and how often they were redacted."""
        query = (
            "SELECT sender = ?, type, (SELECT count(*) FROM redactions WHERE redacts = events.event_id), count(*)"
            " FROM events WHERE room_id = ? GROUP BY 1, 2, 3"
        )
        rows = self._ask(query, self._leaver.me.user_id, room)
        return {f"{'own' if own else 'others'} {kind}, redacted {times}": count for own, kind, times, count in rows}

    def _count(self, table: str, column: str, person: str) -> int:
        return int(self._ask(f"SELECT count(*) FROM {table} WHERE {column} = ?", person)[0][0])

    def _ask(self, query: str, *values: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(query, values).fetchall()


# what a homeserver keeps of a person in a table of its own, and the column that says whose it is
_OF_A_PERSON = (
    ("erased_users", "user_id"),
    ("local_media_repository", "user_id"),
    ("access_tokens", "user_id"),
    ("devices", "user_id"),
    ("account_data", "user_id"),
    ("user_threepids", "user_id"),
    ("ratelimit_override", "user_id"),
    ("profiles", "full_user_id"),
)
