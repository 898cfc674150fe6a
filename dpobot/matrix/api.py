"""What the rest of dpobot may ask of Matrix: one Protocol, kept by the real session and by the tests' fake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.model.records import CryptoOrigin, EncryptedFile
from dpobot.model.words import Trust


@dataclass(frozen=True, slots=True)
class Received:
    """One timeline event, decrypted where that was possible.

    ``undecryptable`` is None, or a stable code (``no_session``, ``m.unverified``, ``failed``); then ``content`` is the
    raw ``m.room.encrypted`` event, so that `Matrix.decrypt` can try again when the key comes late.
    """

    event_id: EventId
    room_id: RoomId
    sender: UserId
    sent_at: datetime
    type: str
    content: Mapping[str, Any]
    encrypted: bool
    origin: CryptoOrigin | None = None
    undecryptable: str | None = None
    state_key: str | None = None


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation. ``direct`` is the inviter's ``is_direct`` flag; ``encrypted`` what the stripped state says."""

    room_id: RoomId
    inviter: UserId
    direct: bool
    encrypted: bool


@dataclass(frozen=True, slots=True)
class SyncBatch:
    """What one /sync brought. Nothing of it counts until the caller has committed it together with ``next_batch``."""

    next_batch: str
    events: tuple[Received, ...] = ()
    invites: tuple[Invite, ...] = ()
    new_sessions: frozenset[str] = frozenset()  # Megolm session IDs whose keys came with this batch
    left: frozenset[RoomId] = frozenset()


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """What the server says of a room at this moment."""

    room_id: RoomId
    encrypted: bool
    joined: frozenset[UserId]
    invited: frozenset[UserId]

    def is_exactly(self, *people: UserId) -> bool:
        """Say whether precisely these people are joined and nobody is invited."""
        return self.joined == frozenset(people) and not self.invited


@dataclass(frozen=True, slots=True)
class Powers:
    """The power levels of a room (``m.room.power_levels``); ``creators`` are above all numbers (room version 12)."""

    users: Mapping[UserId, int]
    default: int = 0
    creators: frozenset[UserId] = frozenset()

    def reach(self, user_id: UserId, level: int) -> bool:
        """Say whether somebody has at least this level; who is not in the room may be named here all the same."""
        return user_id in self.creators or self.users.get(user_id, self.default) >= level


@dataclass(frozen=True, slots=True)
class TrustAnswer:
    """How far a device is known, and the owner's master key (base64, unpadded) where there is one, for pinning."""

    trust: Trust
    master_key: str | None = None


class Courier(Protocol):
    """What jobs need of the bot's account; kept by the session itself, and on other machines by `delivery.courier`.

    Every call raises `Unavailable` for what may work later (time-out, 429 with ``retry_after``, 5xx, no connection) and
    `Rejected` (`Gone` for 404) for what won't.
    """

    @property
    def user_id(self) -> UserId:
        """The bot's own full user ID."""
        ...

    async def send(
        self,
        room_id: RoomId,
        content: Mapping[str, Any],
        *,
        txn_id: str,
        type_: str = "m.room.message",
        only: frozenset[UserId] | None = None,
    ) -> EventId:
        """Send an event, encrypted; the same ``txn_id`` gives the same event.

        ``only``: nobody but these may get the key. Rejected("not_encrypted") in a cleartext room, and
        Rejected("other_members") if anybody beyond ``only`` is joined or invited.
        """
        ...

    async def redact(self, room_id: RoomId, event_id: EventId, *, txn_id: str) -> None:
        """Redact an event; redacting it again is harmless."""
        ...

    async def own_relations(self, room_id: RoomId, event_id: EventId) -> Sequence[EventId]:
        """Return the account's own events that relate to an event (its thread, its edits) and are not redacted."""
        ...

    async def leave(self, room_id: RoomId) -> None:
        """Leave or decline a room; leaving again is harmless."""
        ...

    async def room(self, room_id: RoomId) -> RoomFacts:
        """Ask the server now who is in a room and whether it is encrypted."""
        ...

    async def create_direct(self, user_id: UserId) -> RoomId:
        """Create a new encrypted direct message with a person and invite them."""
        ...

    async def upload_encrypted(self, path: Path, media_type: str) -> EncryptedFile:
        """Encrypt a file (AES-CTR, v2) and upload it as a stream; the server sees neither name nor type."""
        ...

    async def upload_limit(self) -> int:
        """Return the largest upload that the server takes, bytes (``m.upload.size``)."""
        ...

    async def download_encrypted(self, file: EncryptedFile, target: Path, *, most: int | None = None) -> None:
        """Download, decrypt and check an attachment into ``target`` as a stream.

        Rejected("bad_hash") if it was altered, Rejected("too_large") beyond ``most`` bytes, whatever its event claimed.
        """
        ...

    async def media_exists(self, url: Mxc) -> bool:
        """Say whether the server still gives these bytes out."""
        ...

    async def direct_rooms(self, user_id: UserId) -> Sequence[RoomId]:
        """Return joined rooms whose only other joined or invited member is ``user_id``."""
        ...


class Matrix(Courier, Protocol):
    """An end-to-end-encrypted Matrix account on its one device. Errors: as `Courier`."""

    async def sync(self, since: str | None, timeout_ms: int) -> SyncBatch:
        """Return what happened after ``since`` (limited timelines back-filled); waits up to ``timeout_ms``.

        No single event that any user can send makes this raise.
        """
        ...

    async def decrypt(self, event: Received) -> Received:
        """Try an undecryptable event again; returns it unchanged if the key is still missing."""
        ...

    async def send_cleartext_warning(self, room_id: RoomId, content: Mapping[str, Any], *, txn_id: str) -> EventId:
        """Send a sentence without personal data to a room that is not encrypted (how to get an encrypted one)."""
        ...

    async def join(self, room_id: RoomId) -> None:
        """Accept an invitation; joining again is harmless."""
        ...

    async def enable_encryption(self, room_id: RoomId) -> None:
        """Switch encryption on in a room where the bot has the power to; Rejected(M_FORBIDDEN) otherwise."""
        ...

    async def create_private(self, name: str, invite: Mapping[UserId, int]) -> RoomId:
        """Create an encrypted room by invitation only, invite people and give each a power level."""
        ...

    async def invite(self, room_id: RoomId, user_id: UserId, level: int) -> None:
        """Invite somebody, unless they are there or invited already, and give them a power level if they have less.

        Rejected if they are banned, or if we may not.
        """
        ...

    async def powers(self, room_id: RoomId) -> Powers:
        """Ask the server now for a room's power levels."""
        ...

    async def is_private(self, room_id: RoomId) -> bool:
        """Ask now whether only invited people come in and nobody outside reads (join rule, history visibility)."""
        ...

    async def typing(self, room_id: RoomId, on: bool) -> None:
        """Show or hide that the bot is at work; failures are ignored."""
        ...

    async def trust(self, sender: UserId, origin: CryptoOrigin | None, pinned_master_key: str | None) -> TrustAnswer:
        """Establish how far the sending device is known: master key -> self-signing key -> device -> Megolm session.

        Asks the server again before it answers anything worse than `Trust.SIGNED`.
        """
        ...
