"""Frozen records that travel between rooms of the house."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dpobot.model.ids import DeviceId, EventId, Mxc, Reference, RoomId, UserId
from dpobot.model.words import CaseState, Channel, JobState, Kind, Scope, Section, Trust

Json = Mapping[str, Any]


class IncomingKind(StrEnum):
    """What reached the bot."""

    TEXT = "text"  # m.text / m.notice / m.emote
    FILE = "file"  # m.file, m.image, m.audio, m.video
    EDIT = "edit"  # m.replace of an earlier message
    UNDECRYPTABLE = "undecryptable"
    INVITE = "invite"
    OTHER = "other"  # stored for exactly-once, needs no answer


@dataclass(frozen=True, slots=True)
class CryptoOrigin:
    """Which keys a decrypted event claims to come from (Megolm session, spec 11.12.3)."""

    sender_key: str  # curve25519 of the Olm session that brought the Megolm session
    signing_key: str  # ed25519 that this Olm session's sender claimed
    session_id: str
    device_id: DeviceId | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message to the bot, as the inbox hands it to a command."""

    event_id: EventId
    room_id: RoomId
    sender: UserId
    kind: IncomingKind
    body: str
    received_at: datetime
    encrypted: bool
    trust: Trust
    local: bool  # the sender's account is on our homeserver
    language: str = "en"
    content: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command wants said: a template of ``templates/user`` (without ending) and its values."""

    template: str
    values: Json = field(default_factory=dict)
    notice: bool = False  # m.notice: grey, does not notify; final results and questions are m.text


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What an export is to hold. ``sections`` empty means all; ``since`` inclusive, ``until`` exclusive, UTC."""

    scope: Scope = Scope.MINE
    sections: frozenset[Section] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One request of one person."""

    id: int
    reference: Reference
    person: UserId
    kind: Kind
    state: CaseState
    version: int  # grows with every change; guards against lost updates
    channel: Channel
    trust: Trust
    room_id: RoomId | None
    event_id: EventId | None  # the message that opened it: the idempotency key
    options: Json
    received_at: datetime
    due_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """The work that carries an approved case out."""

    id: int
    case_id: int
    name: str
    person: UserId
    state: JobState
    run_token: str | None
    cancel: bool
    attempts: int
    wake_at: datetime
    progress: Json
    error: str | None


@dataclass(frozen=True, slots=True)
class EncryptedFile:
    """An uploaded encrypted attachment (spec 11.12.1.7 "Sending encrypted attachments")."""

    url: Mxc
    key: Json  # JWK
    iv: str
    hashes: Mapping[str, str]
    size: int  # bytes of the plain file

    def event_file(self) -> dict[str, Any]:
        """Return the ``file`` member of an ``m.file`` content."""
        return {"url": self.url, "key": dict(self.key), "iv": self.iv, "hashes": dict(self.hashes), "v": "v2"}
