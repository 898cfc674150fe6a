"""Matrix in memory: rooms with members, events in order, encryption as a flag.

tests/contracts/test_matrix.py keeps it honest. It behaves as the homeserver and the session together do: transaction
IDs deduplicate, a join is needed to send, a
cleartext room refuses, an undecryptable event stays so until its key is there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.matrix.api import Powers, Received, RoomFacts, SyncBatch, TrustAnswer
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.model.records import CryptoOrigin, EncryptedFile
from dpobot.model.words import Trust
from tests.fakes.matrix_server import FakeServer, Room, digest_of

__all__ = ["FakeMatrix", "FakeServer", "unavailable"]


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
        signing_key = self.server.signing_keys.get(event.sender, "ed")
        plain, origin = event.content["plain"], CryptoOrigin("curve", signing_key, event.content["session_id"])
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

    async def own_relations(self, room_id: RoomId, event_id: EventId) -> Sequence[EventId]:
        """Return what this account said about an event, newest first."""
        self._fail("own_relations")
        self._joined(room_id)
        if all(event.event_id != event_id for event in self.server.timeline if event.room_id == room_id):
            raise Gone("M_NOT_FOUND", 404)
        return [
            event.event_id
            for event in reversed(self.server.heard(room_id, self._user_id))
            if event.content.get("m.relates_to", {}).get("event_id") == event_id
        ]

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

    async def invite(self, room_id: RoomId, user_id: UserId, level: int) -> None:
        """Invite, and give the level."""
        self._fail("invite")
        room = self._joined(room_id)
        if self._user_id not in room.powers or room.members.get(user_id) == "ban":
            raise Rejected("M_FORBIDDEN", 403)
        if room.members.get(user_id) not in ("join", "invite"):
            self.server.invite(room_id, self._user_id, user_id)
        room.levels[user_id] = max(level, room.levels.get(user_id, 0))
        self._answer("invite")

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
        self._fail("download_encrypted")
        if file.url not in self.server.media:
            raise Gone("M_NOT_FOUND", 404)
        data = self.server.media[file.url]
        if most is not None and len(data) > most:
            raise Rejected("too_large")
        if digest_of(data) != file.hashes["sha256"]:
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

    def _room(self, room_id: RoomId) -> Room:
        if room_id not in self.server.rooms:
            raise Gone("M_NOT_FOUND", 404)
        return self.server.rooms[room_id]

    def _joined(self, room_id: RoomId) -> Room:
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


def unavailable(times: int, retry_after: float | None = None) -> list[Exception]:
    """Return failures for the next ``times`` requests: a homeserver that is away for a while."""
    return [Unavailable("connection", retry_after) for _ in range(times)]
