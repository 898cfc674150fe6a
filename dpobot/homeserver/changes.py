"""What dpobot asks a homeserver to change: erasure, restriction, rectification. One Protocol, beside the reading one.

Every call is harmless to repeat. Errors are those of `homeserver.api.Homeserver`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from dpobot.model.ids import Mxc, RoomId, UserId


class Depth(StrEnum):
    """How much of what a person sent is redacted."""

    ALL = "all"  # whatever holds content: messages, reactions, stickers, polls, state that no room needs
    STATE = "state"  # only state events, of which what is not essential goes (notice 2.1.3)


@dataclass(frozen=True, slots=True)
class OwnEvents:
    """How many of a person's events of one room still hold content, by what becomes of them."""

    messages: int  # redacted at `Depth.ALL`
    state: int  # redacted at both depths
    kept: int  # state that keeps the room working (encryption, power levels, join rules, ...): never redacted


@dataclass(frozen=True, slots=True)
class RoomPeople:
    """Who else is, or was, in a room."""

    joined: int  # others that are joined now
    ever: int  # others that have ever joined
    servers: frozenset[str]  # of everybody who has ever joined, without our own


@dataclass(frozen=True, slots=True)
class Redacted:
    """What one window of redactions did. ``next``: where the next begins, None at the end of the room.

    ``refused``: errcode -> how many the server refuses for good.
    """

    count: int
    refused: Mapping[str, int] = field(default_factory=dict)
    next: str | None = None


class Changes(Protocol):
    """A homeserver's administration, as far as it changes something of a person's."""

    # what is looked at first

    async def people(self, room_id: RoomId, user: UserId) -> RoomPeople:
        """Return who else is, or was, in a room; works for rooms that the server has left."""
        ...

    async def own_counts(self, room_id: RoomId, user: UserId) -> OwnEvents:
        """Return how many of the person's events in a room still hold content."""
        ...

    async def direct_rooms(self, user: UserId) -> frozenset[RoomId]:
        """Return the rooms that the person's account data names as direct messages (``m.direct``)."""
        ...

    async def media_in(self, room_id: RoomId, user: UserId) -> frozenset[Mxc] | None:
        """Return the local media that the person's events in a room name; None if encrypted events may name more."""
        ...

    # erasure

    async def prepare_erasure(self, user: UserId) -> None:
        """Unlock and unsuspend the account and lift its rate limit, so that what follows can act as the person."""
        ...

    async def redact(self, room_id: RoomId, user: UserId, depth: Depth, start: str | None, at_once: int) -> Redacted:
        """Redact one page of the person's events as the person, in a room that they are in, oldest first.

        What is redacted already is left alone. Rejected("not_joined") if they are not in the room, or may no longer
        send anything there, as after its upgrade: `redact_left` is the way then.
        """
        ...

    async def redact_left(self, room_id: RoomId, user: UserId, depth: Depth) -> Redacted:
        """Redact what can be in a room where `redact` is not possible; what can't is in ``refused``."""
        ...

    async def delete_all_media(self, user: UserId) -> int:
        """Delete a batch of the person's uploads; return how many went, 0 when nothing is left."""
        ...

    async def delete_links(self, user: UserId) -> int:
        """Remove single-sign-on links, room addresses, tags and the status message; return how many went."""
        ...

    async def clear_profile(self, user: UserId) -> None:
        """Remove every custom field; display name and picture go with `deactivate`, which tells no room of it."""
        ...

    async def delete_room(self, room_id: RoomId) -> bool:
        """Begin or follow the deletion of a room with all its events; True once it is gone."""
        ...

    async def deactivate(self, user: UserId) -> None:
        """Deactivate the account and erase it (spec: ``erase``, MSC4025), wherever accounts are managed."""
        ...

    async def finish_erasure(self, user: UserId) -> bool:
        """Take back what `prepare_erasure` lifted; True once the account has left every room and counts as erased."""
        ...

    # restriction and rectification

    async def suspend(self, user: UserId, on: bool) -> None:
        """Suspend an account, or end that (Synapse admin API, MSC3823)."""
        ...

    async def set_display_name(self, user: UserId, name: str | None) -> None:
        """Set or remove the display name."""
        ...

    async def set_avatar(self, user: UserId, picture: bytes | None, media_type: str | None) -> None:
        """Upload a picture as the person and show it in their profile; None removes the one there is."""
        ...

    async def set_email(self, user: UserId, old: str | None, new: str | None) -> None:
        """Replace, add (``old`` None) or remove (``new`` None) an e-mail address. Gone("no_such_email") for ``old``."""
        ...
