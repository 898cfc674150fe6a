"""Frozen records that travel between rooms of the house."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
    REACTION = "reaction"  # in the staff room: a shortcut for what can be undone
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
    device_since: datetime | None = None  # since when we know the sending device as signed; None: never seen so


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that is made to be sent: ``name`` for the reader, ``data`` its bytes, some megabytes at most."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command wants said: a template of ``templates/user`` (without ending) and its values.

    A template's name may hold its folder: ``staff/card``. ``choices`` are words that may be said by their number,
    from 1. ``mentions`` are notified (spec 11.2.1 "m.mentions"). ``attachment`` is sent right after the words.
    """

    template: str
    values: Json = field(default_factory=dict)
    notice: bool = False  # m.notice: grey, does not notify; final results and questions are m.text
    choices: tuple[str, ...] = ()
    mentions: tuple[UserId, ...] = ()
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What an export is to hold. ``sections`` empty means all; ``since`` inclusive, ``until`` exclusive, UTC."""

    scope: Scope = Scope.MINE
    sections: frozenset[Section] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def wants(self, section: Section) -> bool:
        """Whether a section is asked for."""
        return not self.sections or section in self.sections

    @property
    def only_statement(self) -> bool:
        """Whether everything is looked at and counted, but nothing of it is handed out (Art. 15(1) alone)."""
        return self.sections == {Section.STATEMENT}


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
    assignee: UserId | None = None
    verified_at: datetime | None = None  # when staff established who the person is
    legal_hold: bool = False  # nothing of this person is erased, neither by request nor by retention
    extended_months: int = 0
    paused_at: datetime | None = None
    acknowledge_by: datetime | None = None
    answered_at: datetime | None = None
    outcome: str | None = None
    days: int | None = None
    expired_at: datetime | None = None

    @property
    def proven(self) -> bool:
        """Whether it is known who asks: a device signed by its owner, or staff have looked into it."""
        return self.trust is Trust.SIGNED or self.verified_at is not None

    @property
    def unacknowledged(self) -> bool:
        """Whether staff owe a first word by ``acknowledge_by``: what came over Matrix the bot acknowledged at once."""
        return self.channel not in (Channel.MATRIX, Channel.FEDERATION) and self.answered_at is None


@dataclass(frozen=True, slots=True)
class StaffMessage:
    """One message in the staff room, by somebody who is staff at this moment, as it is handed to a command.

    ``case_id``: the case in whose thread it was written, None in the main time line. ``staff``: everybody in the room
    who is staff now.
    """

    event_id: EventId
    room_id: RoomId
    sender: UserId
    kind: IncomingKind
    body: str
    received_at: datetime
    case_id: int | None
    language: str = "en"
    content: Json = field(default_factory=dict)
    staff: frozenset[UserId] = frozenset()


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
    deaths: int  # of machines, while they ran it
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


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file that somebody sent into an encrypted room: where its ciphertext is, and what opens it."""

    name: str = field(repr=False)
    media_type: str
    file: EncryptedFile = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return it as it is sealed."""
        return {"name": self.name, "media_type": self.media_type, "size": self.file.size, **self.file.event_file()}

    @classmethod
    def from_json(cls, stored: Json) -> "FileRef":
        """Return it as it was sealed."""
        file = EncryptedFile(stored["url"], stored["key"], stored["iv"], stored["hashes"], stored["size"])
        return cls(stored["name"], stored["media_type"], file)


@dataclass(frozen=True, slots=True)
class ToPerson:
    """What staff have said to the person of a case.

    ``delay``: so long it can be taken back (`undo`); ``files`` follow the words.
    """

    case: Case
    reply: Reply
    delay: timedelta = timedelta(0)
    files: tuple[FileRef, ...] = ()
