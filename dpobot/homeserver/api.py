"""What dpobot asks of a homeserver's administration: one Protocol, frozen answers (facts: homeserver.md)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from dpobot.model.ids import Mxc, RoomId, UserId


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """Name and version of the homeserver software (``/_matrix/federation/v1/version``)."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Account:
    """What decides whether and how a request can be served."""

    user_id: UserId
    created_at: datetime | None
    deactivated: bool
    locked: bool
    suspended: bool
    erased: bool


@dataclass(frozen=True, slots=True)
class RoomSeen:
    """A room that the person was ever in. ``membership`` is the newest known one; ``source`` where we learnt of it."""

    room_id: RoomId
    membership: str  # join, leave, ban, invite, knock, forgotten, unknown
    name: str | None = None
    encrypted: bool | None = None
    alias: str | None = None  # the room's main address
    join_rule: str | None = None  # public, knock, restricted, invite, ...


@dataclass(frozen=True, slots=True)
class Rooms:
    """All rooms found, sorted by ID, and how many joined ones the server says there must be (None: it can't say)."""

    rooms: tuple[RoomSeen, ...]
    joined_ever: int | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events in client format, oldest first. ``next`` is None at the end."""

    events: tuple[Mapping[str, Any], ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One medium that the person uploaded. ``size`` bytes, ``name`` as given at upload (untrusted!)."""

    url: Mxc
    media_type: str
    size: int
    name: str | None
    created_at: datetime | None
    quarantined: bool


@dataclass(frozen=True, slots=True)
class MediaPage:
    """A page of media. ``next`` is None at the end."""

    items: tuple[MediaItem, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Collected:
    """What one category holds of a person; ``missing`` is a reason code, or None if the server answered."""

    category: str
    records: tuple[Mapping[str, Any], ...]
    truncated: bool = False
    missing: str | None = None
    title: str | None = None  # for people, in English


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in which a server had somebody in a room, milliseconds since the epoch; ``until`` None: still."""

    server: str
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Service:
    """A bridge or a bot in a room; ``network``: what it connects to, as it says itself (untrusted!).

    ``user_id`` is the name of its server where the account can't be told from a person's.
    """

    user_id: UserId
    kind: str  # bridge, bot
    network: str | None
    since: int | None
    until: int | None


@dataclass(frozen=True, slots=True)
class RoomCompany:
    """Which servers and which services were in a room, and when.

    ``whole``: all is known since the server has the room; ``all_services``: every account was looked at.
    Nobody else is in it: who the people are that were there is not the person's data (Art. 15(4) GDPR).
    """

    stays: tuple[Stay, ...]
    services: tuple[Service, ...]
    whole: bool
    all_services: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """What decides who may read an event: its place in the room's order, and what it says of two states.

    ``visibility``: what an ``m.room.history_visibility`` sets; ``membership``: what an ``m.room.member`` of the person
    we speak of sets; both None for any other event. ``before``: what that was until then, None if it wasn't set.
    """

    event_id: str
    visibility: str | None = None
    membership: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class StoryPage:
    """A page of a room's story in the server's order, oldest first. ``next`` is None at the end.

    ``visibility``: the history visibility that is in force now, on the first page, None if the server doesn't say: a
    story may begin late, where a server has deleted or never fetched what was before.
    """

    told: tuple[Told, ...]
    next: str | None
    visibility: str | None = None


class Homeserver(Protocol):
    """A homeserver's administration.

    Raises `Unavailable` for what may work later (429 with ``retry_after``, 5xx, time-outs), `Gone` for 404, `Rejected`
    otherwise. Answers never hold tokens or password hashes, nor, except for `visible_events`, somebody else's events.
    """

    @property
    def categories(self) -> Sequence[str]:
        """Names of the account-level categories, in the order of the archive."""
        ...

    async def version(self) -> ServerVersion:
        """Return what software this is."""
        ...

    async def account(self, user: UserId) -> Account | None:
        """Return the account, or None if this server has none of that name (also for remote users)."""
        ...

    async def collect(self, category: str, user: UserId) -> Collected:
        """Return what one category holds: allow-listed fields only."""
        ...

    async def rooms(self, user: UserId) -> Rooms:
        """Return every room ever joined, invited to or knocked at, forgotten and server-left ones included."""
        ...

    async def own_events(self, room_id: RoomId, user: UserId, start: str | None, limit: int = 1000) -> EventPage:
        """Return a page of the events that ``user`` sent in a room, oldest first."""
        ...

    async def company(self, room_id: RoomId, user: UserId) -> RoomCompany:
        """Return which servers and services were in a room with ``user``, their own server included."""
        ...

    async def visible_events(self, room_id: RoomId, user: UserId, start: str | None, limit: int = 500) -> EventPage:
        """Return a page of what ``user`` may read in a room, oldest first, as the server decides it for them.

        Asked as the person. A room that they may not read at all has no events.
        """
        ...

    async def story(self, room_id: RoomId, user: UserId, start: str | None, limit: int = 1000) -> StoryPage:
        """Return a page of a room's whole story, reduced to what decides what ``user`` may read; asked as the admin."""
        ...

    async def media(self, user: UserId, start: int = 0, limit: int = 500) -> MediaPage:
        """Return a page of the media that ``user`` uploaded."""
        ...

    def media_bytes(self, item: MediaItem) -> AsyncIterator[bytes]:
        """Yield the bytes of a medium in blocks; `Gone` if the server no longer has them."""
        ...

    async def delete_media(self, url: Mxc) -> bool:
        """Delete one local medium; False if it was gone already."""
        ...
