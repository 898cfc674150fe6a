"""A homeserver in memory: accounts, rooms, events and media that behave, and faults that a test orders."""

import itertools
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from dpobot.errors import DpobotError, Gone, Rejected
from dpobot.homeserver.api import (
    Account,
    Collected,
    EventPage,
    MediaItem,
    MediaPage,
    RoomCompany,
    Rooms,
    RoomSeen,
    ServerVersion,
    StoryPage,
)
from dpobot.homeserver.events import own_copy
from dpobot.model.ids import Mxc, RoomId, UserId, server_of
from tests.fakes import company, visible

_CREATED = datetime(2026, 1, 1, tzinfo=UTC)
_BLOCK = 64 * 1024
_SHOWN = {"m.room.name": "name", "m.room.topic": "topic", "m.room.avatar": "url"}


@dataclass
class FakeRoom:
    """A room: who was in it with which membership, and its events in client format, oldest first."""

    name: str | None
    encrypted: bool
    members: dict[str, str] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)
    silenced: set[str] = field(default_factory=set)  # who is in it, but has no power to send anything
    version: str = "12"
    shown: dict[str, Any] = field(default_factory=dict)  # in the directory of rooms, which follows no redaction
    leaks: bool = False  # gives all its events to anybody who asks what they may read


class FakeHomeserver:
    """A `Homeserver` in memory.

    ``leaks`` lets other people's events through unchecked, as a broken adapter would: for the check of the finished
    package. ``broken_filter`` is a server whose filter fails: the adapter's own check must stop it.
    """

    def __init__(
        self, server_name: str = "dpobot.test", categories: Sequence[str] = ("account", "devices", "profile")
    ) -> None:
        self.server_name = server_name
        self.accounts: dict[str, Account] = {}
        self.rooms_held: dict[str, FakeRoom] = {}
        self.calls: list[str] = []
        self.leaks = False
        self.broken_filter = False
        self._categories = tuple(categories)
        self._collected: dict[tuple[str, str], Collected] = {}
        self._media: dict[str, tuple[UserId, MediaItem, bytes | None]] = {}
        self._faults: defaultdict[str, deque[DpobotError]] = defaultdict(deque)
        self._numbers = itertools.count(1)

    # what a test arranges

    def add_account(self, user: UserId, **states: bool) -> UserId:
        """Make an account; ``states`` are ``locked``, ``suspended``, ``deactivated``, ``erased``."""
        account = Account(user, _CREATED, deactivated=False, locked=False, suspended=False, erased=False)
        self.accounts[user] = replace(account, **states)  # type: ignore[arg-type] # only truth values are handed in
        return user

    def add_room(self, room_id: RoomId, name: str | None = None, *, encrypted: bool = False) -> RoomId:
        """Make an empty room."""
        self.rooms_held[room_id] = FakeRoom(name, encrypted)
        return room_id

    def set_membership(self, room_id: RoomId, user: UserId, membership: str) -> None:
        """Let somebody be ``join``, ``leave``, ``ban``, ``invite``, ``knock`` or ``forgotten`` in a room."""
        room = self.rooms_held[room_id]
        room.members[user] = membership
        if membership == "join":
            room.ever.add(user)

    def send(
        self,
        room_id: RoomId,
        user: UserId,
        content: Mapping[str, Any],
        type_: str = "m.room.message",
        **more: Any,
    ) -> str:
        """Put an event into a room and return its ID; ``more`` are further top-level members, such as ``state_key``."""
        number = next(self._numbers)
        event = {
            "event_id": f"$event{number}",
            "type": type_,
            "room_id": room_id,
            "sender": user,
            "origin_server_ts": int(_CREATED.timestamp() * 1000) + number * 1000,
            "content": dict(content),
            **more,
        }
        room = self.rooms_held[room_id]
        room.events.append(event)
        if type_ in _SHOWN and more.get("state_key") == "":
            room.shown[type_] = content.get(_SHOWN[type_])
        return str(event["event_id"])

    def say(self, room_id: RoomId, user: UserId, text: str) -> str:
        """Let somebody say something and return the event's ID."""
        return self.send(room_id, user, {"msgtype": "m.text", "body": text})

    def upload(
        self,
        user: UserId,
        data: bytes,
        name: str | None = None,
        media_type: str = "text/plain",
        *,
        quarantined: bool = False,
    ) -> Mxc:
        """Keep a medium and return its address."""
        url = Mxc(f"mxc://{self.server_name}/media{next(self._numbers)}")
        item = MediaItem(url, media_type, len(data), name, _CREATED, quarantined)
        self._media[url] = (user, item, data)
        return url

    def lose_media(self, url: Mxc) -> None:
        """Keep the entry of a medium but lose its bytes."""
        user, item, _ = self._media[url]
        self._media[url] = (user, item, None)

    def hold(self, category: str, user: UserId, *records: Mapping[str, Any], missing: str | None = None) -> None:
        """Say what a category answers for somebody."""
        self._collected[category, user] = Collected(category, records, missing=missing)

    def silence(self, room_id: RoomId, *users: UserId) -> None:
        """Take people's power to send anything, as the upgrade of a room does."""
        self.rooms_held[room_id].silenced.update(users)

    def held(self, category: str, user: UserId) -> tuple[Mapping[str, Any], ...]:
        """Return the records of a category that `hold` arranged."""
        found = self._collected.get((category, user))
        return found.records if found is not None else ()

    def fault(self, method: str, *errors: DpobotError) -> None:
        """Let the next calls of a method fail, one error each; ``media_bytes`` fails after its first block."""
        self._faults[method].extend(errors)

    # what the Protocol promises

    @property
    def categories(self) -> Sequence[str]:
        """Names of the categories."""
        return self._categories

    async def version(self) -> ServerVersion:
        """Return what software this is."""
        self._called("version")
        return ServerVersion("Synapse", "1.163.2")

    async def account(self, user: UserId) -> Account | None:
        """Return the account, or None."""
        self._called("account")
        return self.accounts.get(user)

    async def collect(self, category: str, user: UserId) -> Collected:
        """Return what was arranged with `hold`, else nothing held."""
        self._called("collect")
        if category not in self._categories:
            raise KeyError(category)
        if user not in self.accounts:
            reason = "account_unknown" if server_of(user) == self.server_name else "account_remote"
            return Collected(category, (), missing=reason)
        return self._collected.get((category, user), Collected(category, ()))

    async def rooms(self, user: UserId) -> Rooms:
        """Return the rooms that somebody has any membership in."""
        self._called("rooms")
        seen = tuple(
            RoomSeen(RoomId(room_id), room.members[user], self._name(room, user), room.encrypted)
            for room_id, room in sorted(self.rooms_held.items())
            if user in room.members
        )
        return Rooms(seen, sum(user in room.ever for room in self.rooms_held.values()))

    @staticmethod
    def _name(room: FakeRoom, user: UserId) -> str | None:
        return room.name if room.members[user] in {"join", "leave", "ban"} and user in room.ever else None

    async def own_events(self, room_id: RoomId, user: UserId, start: str | None, limit: int = 1000) -> EventPage:
        """Return a page of somebody's events; an unknown room has none, as in Synapse."""
        self._called("own_events")
        room = self.rooms_held.get(room_id, FakeRoom(None, encrypted=False))
        everybody = self.leaks or self.broken_filter
        events = [event for event in room.events if everybody or event["sender"] == user]
        first = int(start or 0)
        page = events[first : first + limit]
        copies = tuple(dict(event) if self.leaks else own_copy(event, user) for event in page)
        return EventPage(copies, str(first + limit) if first + limit < len(events) else None)

    async def company(self, room_id: RoomId, user: UserId) -> RoomCompany:
        """Return which servers and services were in a room."""
        self._called("company")
        return company.company(self.rooms_held.get(room_id, FakeRoom(None, encrypted=False)), user)

    async def visible_events(self, room_id: RoomId, user: UserId, start: str | None, limit: int = 500) -> EventPage:
        """Return a page of what somebody may read."""
        self._called("visible_events")
        room = self.rooms_held.get(room_id, FakeRoom(None, encrypted=False))
        return visible.visible_events(room, user, start, limit)

    async def story(self, room_id: RoomId, user: UserId, start: str | None, limit: int = 1000) -> StoryPage:
        """Return a page of a room's story."""
        self._called("story")
        return visible.story(self.rooms_held.get(room_id, FakeRoom(None, encrypted=False)), user, start, limit)

    async def media(self, user: UserId, start: int = 0, limit: int = 500) -> MediaPage:
        """Return a page of what somebody uploaded."""
        self._called("media")
        items = [item for owner, item, _ in self._media.values() if owner == user]
        following = start + limit
        return MediaPage(tuple(items[start:following]), following if following < len(items) else None)

    async def media_bytes(self, item: MediaItem) -> AsyncIterator[bytes]:
        """Yield a medium's bytes in blocks of 64 KiB."""
        if item.quarantined:
            raise Gone("quarantined", 404)
        data = self._media[item.url][2] if item.url in self._media else None
        if data is None:
            self._called("media_bytes")
            raise Gone("M_NOT_FOUND", 404)
        blocks = [data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)]
        for number, block in enumerate(blocks):
            if number == 1:
                self._called("media_bytes")
            yield block
        if len(blocks) < 2:
            self._called("media_bytes")

    async def delete_media(self, url: Mxc) -> bool:
        """Delete a medium; False if it was gone already."""
        self._called("delete_media")
        if not url.startswith("mxc://") or url.count("/") != 3:
            raise Rejected("bad_mxc")
        return self._media.pop(url, None) is not None

    def called(self, method: str) -> None:
        """Note that a method was called, and fail if a test ordered that; also for whatever stands on this server."""
        self._called(method)

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self._faults[method]:
            raise self._faults[method].popleft()
