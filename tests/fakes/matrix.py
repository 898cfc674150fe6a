"""Matrix in memory: rooms with members, events in order, encryption as a flag.

tests/contracts/test_matrix.py keeps it honest. It behaves as the homeserver and the session together do: transaction
IDs deduplicate, a join is needed to send, a
cleartext room refuses, an undecryptable event stays so until its key is there.
"""

import hashlib
import itertools
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.matrix.api import Invite, Powers, Received, RoomFacts, SyncBatch, TrustAnswer
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.model.records import CryptoOrigin, EncryptedFile
from dpobot.model.words import Trust


@dataclass
class _Room:
    encrypted: bool
    direct: bool
    members: dict[UserId, str] = field(default_factory=dict)  # join, invite, leave
    powers: set[UserId] = field(default_factory=set)
    joined_at: dict[UserId, int] = field(default_factory=dict)  # place in the timeline
    levels: dict[UserId, int] = field(default_factory=dict)  # power levels; those of `powers` have 100 without one
    name: str = ""
    join_rule: str = "invite"
    history: str = "shared"


@dataclass
class FakeServer:
    """What all accounts share. ``clock`` gives the time of events."""

    now: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    rooms: dict[RoomId, _Room] = field(default_factory=dict)
    timeline: list[Received] = field(default_factory=list)
    invites: list[tuple[int, UserId, Invite]] = field(default_factory=list)
    media: dict[Mxc, bytes] = field(default_factory=dict)
    devices: dict[UserId, Trust] = field(default_factory=dict)  # how a person's device is known; default: signed
    redacted: set[EventId] = field(default_factory=set)
    sent: dict[tuple[UserId, str], EventId] = field(default_factory=dict)
    late_keys: set[str] = field(default_factory=set)  # Megolm sessions whose keys have come late
    keys_announced: bool = True  # whether /sync says which keys have come
    failures: list[Exception] = field(default_factory=list)  # raised by the next requests, one each
    faults: dict[str, list[Exception]] = field(default_factory=dict)  # by the next requests of a name, undone
    lost_answers: dict[str, list[Exception]] = field(default_factory=dict)  # the same, but what was asked is done
    identities: dict[UserId, str] = field(default_factory=dict)  # master keys of those who have reset theirs
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def room(self, creator: UserId, *invited: UserId, encrypted: bool = True, direct: bool = True) -> RoomId:
        """Create a room in which the creator is joined and has the power, and the others are invited."""
        room_id = RoomId(f"!room{next(self._numbers)}:dpobot.test")
        self.rooms[room_id] = _Room(encrypted, direct, {}, {creator, *invited})
        self.member(room_id, creator, "join")
        for person in invited:
            self.invite(room_id, creator, person)
        return room_id

    def staff_room(
        self,
        owner: UserId,
        levels: Mapping[UserId, int],
        *invited: UserId,
        encrypted: bool = True,
        join_rule: str = "invite",
        history: str = "shared",
    ) -> RoomId:
        """Create a group in which the owner and those with a level are joined, and the others are invited."""
        room_id = self.room(owner, encrypted=encrypted, direct=False)
        room = self.rooms[room_id]
        room.levels, room.join_rule, room.history = {owner: 100, **levels}, join_rule, history
        for person in levels:
            self.member(room_id, person, "join")
        for person in invited:
            self.invite(room_id, owner, person)
        return room_id

    def join(self, room_id: RoomId, person: UserId) -> None:
        """Let somebody accept an invitation."""
        self.member(room_id, person, "join")

    def invite(self, room_id: RoomId, inviter: UserId, person: UserId) -> None:
        """Invite a person."""
        room = self.rooms[room_id]
        room.members[person] = "invite"
        invite = Invite(room_id, inviter, room.direct, room.encrypted)
        self.invites.append((len(self.timeline), person, invite))

    def member(self, room_id: RoomId, person: UserId, membership: str) -> None:
        """Let somebody join or leave a room: an event in its timeline."""
        room = self.rooms[room_id]
        room.members[person] = membership
        room.joined_at[person] = len(self.timeline)
        self.say(room_id, person, {"membership": membership}, type="m.room.member", state_key=person, encrypted=False)

    def say(self, room_id: RoomId, sender: UserId, content: Mapping[str, Any], **more: Any) -> EventId:
        """Put an event of a person into a room; ``more`` are fields of `Received`."""
        event_id = EventId(f"$event{next(self._numbers)}")
        encrypted = more.pop("encrypted", self.rooms[room_id].encrypted)
        origin = CryptoOrigin("curve", "ed", "session") if encrypted else None
        type_ = more.pop("type", "m.room.message")
        known = {"origin": origin, **more}
        self.timeline.append(Received(event_id, room_id, sender, self.now, type_, content, encrypted, **known))
        return event_id

    def text(self, room_id: RoomId, sender: UserId, body: str) -> EventId:
        """Put a text of a person into a room."""
        return self.say(room_id, sender, {"msgtype": "m.text", "body": body})

    def react(self, room_id: RoomId, sender: UserId, event_id: EventId, key: str) -> EventId:
        """Let somebody react; clients don't encrypt that."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return self.say(room_id, sender, {"m.relates_to": relation}, type="m.reaction", encrypted=False)

    def in_thread(self, room_id: RoomId, sender: UserId, root: EventId, body: str) -> EventId:
        """Put a text of a person into a thread."""
        return self.say(room_id, sender, {"msgtype": "m.text", "body": body, "m.relates_to": _thread(root)})

    def edit(self, room_id: RoomId, sender: UserId, event_id: EventId, body: str) -> EventId:
        """Let somebody change a message of theirs, as clients do it."""
        new = {"msgtype": "m.text", "body": body}
        relation = {"rel_type": "m.replace", "event_id": event_id}
        return self.say(room_id, sender, {**new, "body": f"* {body}", "m.new_content": new, "m.relates_to": relation})

    def attach(
        self,
        room_id: RoomId,
        sender: UserId,
        data: bytes,
        name: str = "file.pdf",
        *,
        media_type: str = "application/pdf",
        root: EventId | None = None,
    ) -> EventId:
        """Let somebody upload a file and send it, perhaps into a thread."""
        file = self.store(data)
        content = {
            "msgtype": "m.image" if media_type.startswith("image/") else "m.file",
            "body": name,
            "filename": name,
            "file": file.event_file(),
            "info": {"mimetype": media_type, "size": len(data)},
        }
        return self.say(room_id, sender, content if root is None else {**content, "m.relates_to": _thread(root)})

    def store(self, data: bytes) -> EncryptedFile:
        """Keep the bytes of an upload; they stay plain here, the hash is theirs."""
        url = Mxc(f"mxc://dpobot.test/{secrets.token_hex(8)}")
        self.media[url] = data
        digest = hashlib.sha256(data).hexdigest()
        return EncryptedFile(url, {"kty": "oct", "k": "key"}, "iv", {"sha256": digest}, len(data))

    def event(self, event_id: EventId) -> Received:
        """Return an event."""
        return next(event for event in self.timeline if event.event_id == event_id)

    def shown(self, event_id: EventId) -> str:
        """Return the text of a message as clients show it: after its sender's last edit."""
        original = self.event(event_id)
        edits = [
            event.content["m.new_content"]["body"]
            for event in self.timeline
            if event.content.get("m.relates_to", {}).get("event_id") == event_id
            and event.content["m.relates_to"]["rel_type"] == "m.replace"
            and event.sender == original.sender
        ]
        return str([original.content.get("body", ""), *edits][-1])

    def thread(self, root: EventId) -> list[Received]:
        """Return what stands in a thread, in order, without its root, edits, and what was redacted."""
        return [
            event
            for event in self.timeline
            if event.content.get("m.relates_to", {}).get("event_id") == root
            and event.content["m.relates_to"]["rel_type"] == "m.thread"
            and event.event_id not in self.redacted
        ]

    def heard(self, room_id: RoomId, sender: UserId) -> list[Received]:
        """Return what somebody has sent to a room, without what was redacted."""
        mine = [event for event in self.timeline if event.room_id == room_id and event.sender == sender]
        return [event for event in mine if event.event_id not in self.redacted]

    def bodies(self, room_id: RoomId, sender: UserId) -> list[str]:
        """Return the texts that somebody has ever sent to a room, edits left out."""
        mine = [event for event in self.timeline if event.room_id == room_id and event.sender == sender]
        heard = [event for event in mine if event.type == "m.room.message"]
        return [str(event.content.get("body", "")) for event in heard if "m.new_content" not in event.content]


class FakeMatrix:
    """One account on a `FakeServer`. ``before`` is called with the name of each request before it has an effect."""

    def __init__(
        self, server: FakeServer, user_id: UserId, before: Callable[[str], None] = lambda request: None
    ) -> None:
        self.server = server
        self._user_id = user_id
        self._before = before

    @property
    def user_id(self) -> UserId:
        """The account."""
        return self._user_id

    async def sync(self, since: str | None, timeout_ms: int) -> SyncBatch:
        """Return what came after ``since``."""
        self._fail("sync")
        start = int(since) if since else 0
        events = tuple(event for at, event in enumerate(self.server.timeline) if self._sees(event, at, start))
        invites = tuple(
            invite
            for at, person, invite in self.server.invites
            if person == self._user_id
            and self.server.rooms[invite.room_id].members.get(person) == "invite"
            and at >= start
        )
        return SyncBatch(
            str(len(self.server.timeline)),
            events,
            invites,
            frozenset(self.server.late_keys if self.server.keys_announced else ()),
        )

    async def decrypt(self, event: Received) -> Received:
        """Return it readable if its key has come."""
        if event.content.get("session_id") not in self.server.late_keys:
            return event
        plain, origin = event.content["plain"], CryptoOrigin("curve", "ed", event.content["session_id"])
        return replace(event, undecryptable=None, type="m.room.message", content=plain, origin=origin)

    async def send(
        self,
        room_id: RoomId,
        content: Mapping[str, Any],
        *,
        txn_id: str,
        type_: str = "m.room.message",
        only: frozenset[UserId] | None = None,
    ) -> EventId:
        """Send to an encrypted room."""
        self._fail("send")
        room = self._joined(room_id)
        if not room.encrypted:
            raise Rejected("not_encrypted")
        present = {user for user, membership in room.members.items() if membership in ("join", "invite")}
        if only is not None and present != only:
            raise Rejected("other_members")
        return self._send(room_id, content, txn_id, type_)

    async def send_cleartext_warning(self, room_id: RoomId, content: Mapping[str, Any], *, txn_id: str) -> EventId:
        """Send to any room."""
        self._fail("send_cleartext_warning")
        self._joined(room_id)
        return self._send(room_id, content, txn_id, "m.room.message")

    async def redact(self, room_id: RoomId, event_id: EventId, *, txn_id: str) -> None:
        """Redact."""
        self._fail("redact")
        self._joined(room_id)
        self.server.redacted.add(event_id)

    async def join(self, room_id: RoomId) -> None:
        """Join."""
        self._fail("join")
        room = self._room(room_id)
        if room.members.get(self._user_id) not in ("invite", "join"):
            raise Rejected("M_FORBIDDEN", 403)
        if room.members[self._user_id] != "join":
            self.server.member(room_id, self._user_id, "join")
        self._answer("join")

    async def leave(self, room_id: RoomId) -> None:
        """Leave."""
        self._fail("leave")
        if room_id in self.server.rooms and self.server.rooms[room_id].members.get(self._user_id) in ("join", "invite"):
            self.server.member(room_id, self._user_id, "leave")

    async def room(self, room_id: RoomId) -> RoomFacts:
        """Say who is there."""
        self._fail("room")
        room = self._joined(room_id)
        by = {state: frozenset(u for u, m in room.members.items() if m == state) for state in ("join", "invite")}
        return RoomFacts(room_id, room.encrypted, by["join"], by["invite"])

    async def enable_encryption(self, room_id: RoomId) -> None:
        """Switch encryption on."""
        self._fail("enable_encryption")
        room = self._joined(room_id)
        if self._user_id not in room.powers:
            raise Rejected("M_FORBIDDEN", 403)
        room.encrypted = True

    async def create_direct(self, user_id: UserId) -> RoomId:
        """Create an encrypted room with one invitation."""
        self._fail("create_direct")
        return self.server.room(self._user_id, user_id)

    async def create_private(self, name: str, invite: Mapping[UserId, int]) -> RoomId:
        """Create an encrypted group with these people invited."""
        self._fail("create_private")
        room_id = self.server.room(self._user_id, *invite, direct=False)
        room = self.server.rooms[room_id]
        room.name, room.powers, room.levels = name, {self._user_id}, dict(invite)
        self._answer("create_private")
        return room_id

    async def powers(self, room_id: RoomId) -> Powers:
        """Return the levels."""
        self._fail("powers")
        room = self._joined(room_id)
        return Powers({**dict.fromkeys(room.powers, 100), **room.levels})

    async def is_private(self, room_id: RoomId) -> bool:
        """Look at join rule and history."""
        self._fail("is_private")
        room = self._joined(room_id)
        return room.join_rule in ("invite", "private", "knock") and room.history != "world_readable"

    async def typing(self, room_id: RoomId, on: bool) -> None:
        """Do nothing: nobody looks."""

    async def trust(self, sender: UserId, origin: CryptoOrigin | None, pinned_master_key: str | None) -> TrustAnswer:
        """Answer as the server's ``devices`` say."""
        self._fail("trust")
        if origin is None:
            return TrustAnswer(Trust.CLEARTEXT)
        trust = self.server.devices.get(sender, Trust.SIGNED)
        master_key = self.server.identities.get(sender, f"master-{sender}")
        if trust is Trust.SIGNED and pinned_master_key not in (None, master_key):
            trust = Trust.IDENTITY_CHANGED
        return TrustAnswer(trust, master_key)

    async def upload_encrypted(self, path: Path, media_type: str) -> EncryptedFile:
        """Keep the bytes."""
        self._fail("upload_encrypted")
        file = self.server.store(path.read_bytes())
        self._answer("upload_encrypted")
        return file

    async def upload_limit(self) -> int:
        """50 MB, Synapse's default."""
        return 50_000_000

    async def download_encrypted(self, file: EncryptedFile, target: Path, *, most: int | None = None) -> None:
        """Write the bytes."""
        if file.url not in self.server.media:
            raise Gone("M_NOT_FOUND", 404)
        data = self.server.media[file.url]
        if most is not None and len(data) > most:
            raise Rejected("too_large")
        if hashlib.sha256(data).hexdigest() != file.hashes["sha256"]:
            raise Rejected("bad_hash")
        target.write_bytes(data)

    async def media_exists(self, url: Mxc) -> bool:
        """Say whether the bytes are there."""
        return url in self.server.media

    async def direct_rooms(self, user_id: UserId) -> Sequence[RoomId]:
        """Return rooms of just these two."""
        both = {self._user_id, user_id}
        return [
            room_id
            for room_id, room in self.server.rooms.items()
            if {member for member, state in room.members.items() if state in ("join", "invite")} == both
            and room.members.get(self._user_id) == "join"
        ]

    def _fail(self, request: str) -> None:
        self._before(request)
        if self.server.failures:
            raise self.server.failures.pop(0)
        if self.server.faults.get(request):
            raise self.server.faults[request].pop(0)

    def _answer(self, request: str) -> None:
        if self.server.lost_answers.get(request):
            raise self.server.lost_answers[request].pop(0)

    def _sees(self, event: Received, at: int, start: int) -> bool:
        """A room that was joined since ``start`` comes with what was said in it before."""
        room = self.server.rooms[event.room_id]
        joined_at = room.joined_at.get(self._user_id)
        return (
            room.members.get(self._user_id) == "join" and joined_at is not None and (at >= start or joined_at >= start)
        )

    def _room(self, room_id: RoomId) -> _Room:
        if room_id not in self.server.rooms:
            raise Gone("M_NOT_FOUND", 404)
        return self.server.rooms[room_id]

    def _joined(self, room_id: RoomId) -> _Room:
        room = self._room(room_id)
        if room.members.get(self._user_id) != "join":
            raise Rejected("M_FORBIDDEN", 403)
        return room

    def _send(self, room_id: RoomId, content: Mapping[str, Any], txn_id: str, type_: str) -> EventId:
        event_id = self.server.sent.get((self._user_id, txn_id))
        if event_id is None:
            event_id = self.server.say(room_id, self._user_id, dict(content), type=type_)
            self.server.sent[self._user_id, txn_id] = event_id
        self._answer("send")
        return event_id


def _thread(root: EventId) -> dict[str, Any]:
    return {"rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root}}


def unavailable(times: int, retry_after: float | None = None) -> list[Exception]:
    """Return failures for the next ``times`` requests: a homeserver that is away for a while."""
    return [Unavailable("connection", retry_after) for _ in range(times)]
