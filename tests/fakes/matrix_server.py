"""The homeserver in memory: rooms, one timeline, media. What people do on it, tests call directly."""

import base64
import hashlib
import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dpobot.matrix.api import Invite, Received
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.model.records import CryptoOrigin, EncryptedFile
from dpobot.model.words import Trust


@dataclass
class Room:
    """One room."""

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
    rooms: dict[RoomId, Room] = field(default_factory=dict)
    timeline: list[Received] = field(default_factory=list)
    invites: list[tuple[int, UserId, Invite]] = field(default_factory=list)
    media: dict[Mxc, bytes] = field(default_factory=dict)
    devices: dict[UserId, Trust] = field(default_factory=dict)  # how a person's device is known; default: signed
    signing_keys: dict[UserId, str] = field(default_factory=dict)  # of the device that a person writes from
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
        self.rooms[room_id] = Room(encrypted, direct, {}, {creator, *invited})
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
        origin = CryptoOrigin("curve", self.signing_keys.get(sender, "ed"), "session") if encrypted else None
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
        key = {"kty": "oct", "key_ops": ["encrypt", "decrypt"], "alg": "A256CTR", "k": "A" * 43, "ext": True}
        return EncryptedFile(url, key, "B" * 22, {"sha256": digest_of(data)}, len(data))

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


def digest_of(data: bytes) -> str:
    """Return the hash of an encrypted attachment as the specification spells it: unpadded base64."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _thread(root: EventId) -> dict[str, Any]:
    return {"rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root}}
