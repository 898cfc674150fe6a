"""Rooms: who is in them, whether they are encrypted, joining, leaving, creating."""

import asyncio
import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

from dpobot.errors import DpobotError, Gone, Rejected
from dpobot.matrix import powers
from dpobot.matrix.api import Powers, RoomFacts
from dpobot.matrix.http import Http, path
from dpobot.model.ids import RoomId, UserId

ENCRYPTION = {"algorithm": "m.megolm.v1.aes-sha2"}
_TYPING_MS = 30_000
_AT_ONCE = 8
_BY_INVITATION = ("invite", "private", "knock")  # restricted lets the members of another room in, unasked
_USUAL_VERSION = "11"
_Members = tuple[frozenset[UserId], frozenset[UserId]]  # joined, invited


class Rooms:
    """Asks the server about rooms; remembers encryption (it can't be undone) and members until they change.

    ``lasting``: seconds after which members are asked for again, for who is not told of changes by /sync.
    """

    def __init__(self, http: Http, user_id: UserId, lasting: float = math.inf) -> None:
        self._http = http
        self._me = user_id
        self._encrypted: set[str] = set()
        self._lasting = lasting
        self._members: dict[str, _Members] = {}
        self._asked: dict[str, float] = {}  # when, of the process's clock
        self._created: dict[str, Mapping[str, Any]] = {}  # m.room.create never changes

    def members_changed(self, room_id: str) -> None:
        """Forget who is in a room."""
        self._members.pop(room_id, None)

    async def encrypted(self, room_id: RoomId) -> bool:
        """Say whether the room's state has a usable ``m.room.encryption``."""
        if room_id in self._encrypted:
            return True
        try:
            state = await self._http.call("GET", path("rooms", room_id, "state", "m.room.encryption", ""))
        except Gone:
            return False
        if state.get("algorithm") != ENCRYPTION["algorithm"]:
            return False
        self._encrypted.add(room_id)
        return True

    async def recipients(self, room_id: RoomId) -> frozenset[UserId]:
        """Return who must be able to read what is sent now: everybody joined or invited."""
        known = self._members.get(room_id)
        if known is None or time.monotonic() - self._asked[room_id] > self._lasting:
            known = self._remember(room_id, await self._ask(room_id))
        joined, invited = known
        return joined | invited

    async def facts(self, room_id: RoomId) -> RoomFacts:
        """Ask the server now."""
        encrypted, members = await asyncio.gather(self.encrypted(room_id), self._ask(room_id))
        return RoomFacts(room_id, encrypted, *self._remember(room_id, members))

    def _remember(self, room_id: str, members: _Members) -> _Members:
        self._members[room_id], self._asked[room_id] = members, time.monotonic()
        return members

    async def _ask(self, room_id: str) -> _Members:
        answer = await self._http.call("GET", path("rooms", room_id, "members"), params={"not_membership": "leave"})
        people = list(_memberships(answer.get("chunk")))
        joined = frozenset(user for user, membership in people if membership == "join")
        if self._me not in joined:
            raise Rejected("not_joined")
        return joined, frozenset(user for user, membership in people if membership == "invite")

    async def join(self, room_id: RoomId) -> None:
        """Accept an invitation; joining again is harmless."""
        await self._http.call("POST", path("join", room_id), {})
        self.members_changed(room_id)

    async def leave(self, room_id: RoomId) -> None:
        """Leave or decline; a room that we are not in is left already."""
        try:
            await self._http.call("POST", path("rooms", room_id, "leave"), {})
        except Rejected as error:
            if error.code not in ("M_FORBIDDEN", "M_NOT_FOUND", "M_UNKNOWN"):
                raise
        self.members_changed(room_id)

    async def enable_encryption(self, room_id: RoomId) -> None:
        """Switch encryption on; Rejected(M_FORBIDDEN) without the power to."""
        if not await self.encrypted(room_id):
            await self._http.call("PUT", path("rooms", room_id, "state", "m.room.encryption", ""), ENCRYPTION)
            self._encrypted.add(room_id)

    async def create_direct(self, user_id: UserId) -> RoomId:
        """Create an encrypted direct message and invite the person."""
        body = {
            "preset": "trusted_private_chat",
            "visibility": "private",
            "is_direct": True,
            "invite": [user_id],
            "initial_state": [{"type": "m.room.encryption", "state_key": "", "content": ENCRYPTION}],
        }
        answer = await self._http.call("POST", path("createRoom"), body)
        return RoomId(str(answer["room_id"]))

    async def create_private(self, name: str, invite: Mapping[UserId, int]) -> RoomId:
        """Create an encrypted room by invitation only; nobody but the account may change that."""
        version = await self._new_version()
        body = {
            "name": name,
            "preset": "private_chat",
            "visibility": "private",
            "room_version": version,
            "invite": list(invite),
            "initial_state": [
                {"type": "m.room.encryption", "state_key": "", "content": ENCRYPTION},
                {"type": "m.room.guest_access", "state_key": "", "content": {"guest_access": "forbidden"}},
            ],
            "power_level_content_override": powers.closed(version, self._me, invite),
        }
        answer = await self._http.call("POST", path("createRoom"), body)
        return RoomId(str(answer["room_id"]))

    async def invite(self, room_id: RoomId, user_id: UserId, level: int) -> None:
        """Invite somebody who isn't there, and give them a power level if they have less."""
        joined, invited = await self._ask(room_id)
        if user_id not in joined | invited:
            await self._http.call("POST", path("rooms", room_id, "invite"), {"user_id": user_id})
            self.members_changed(room_id)
        if not (await self.powers(room_id)).reach(user_id, level):
            endpoint = path("rooms", room_id, "state", "m.room.power_levels", "")
            content = await self._http.call("GET", endpoint)
            users = content["users"] if isinstance(content.get("users"), dict) else {}
            await self._http.call("PUT", endpoint, {**content, "users": {**users, user_id: level}})

    async def _new_version(self) -> str:
        """Return the version that new rooms have here (spec "m.room_versions"): who creates one depends on it."""
        found = await self._http.call("GET", path("capabilities"))
        for name in ("capabilities", "m.room_versions"):
            found = found[name] if isinstance(found.get(name), dict) else {}
        version = found.get("default")
        return version if isinstance(version, str) else _USUAL_VERSION

    async def powers(self, room_id: RoomId) -> Powers:
        """Ask the server now for the power levels; who created the room is asked once."""
        create, levels = await asyncio.gather(self._create(room_id), self._state(room_id, "m.room.power_levels"))
        return powers.powers(create, levels)

    async def is_private(self, room_id: RoomId) -> bool:
        """Ask now whether each newcomer needs an invitation, and nobody outside reads.

        Without a join rule a room is by invitation (spec "m.room.join_rules"), without a visibility its history is for
        members.
        """
        rule, history = await asyncio.gather(
            self._state(room_id, "m.room.join_rules"), self._state(room_id, "m.room.history_visibility")
        )
        by_invitation = rule is None or rule.get("join_rule") in _BY_INVITATION
        return by_invitation and (history is None or history.get("history_visibility") != "world_readable")

    async def _create(self, room_id: RoomId) -> Mapping[str, Any]:
        if room_id not in self._created:
            endpoint = path("rooms", room_id, "state", "m.room.create", "")
            self._created[room_id] = await self._http.call("GET", endpoint, params={"format": "event"})
        return self._created[room_id]

    async def _state(self, room_id: RoomId, type_: str) -> Mapping[str, Any] | None:
        """Ask the server now for the content of a state event, None if the room has none."""
        try:
            return await self._http.call("GET", path("rooms", room_id, "state", type_, ""))
        except Gone:
            return None

    async def direct(self, user_id: UserId) -> list[RoomId]:
        """Return the joined rooms in which nobody but this person and the account is joined or invited."""
        answer = await self._http.call("GET", path("joined_rooms"))
        rooms = [RoomId(room) for room in answer.get("joined_rooms", []) if isinstance(room, str)]
        slots = asyncio.Semaphore(_AT_ONCE)

        async def is_direct(room_id: RoomId) -> bool:
            async with slots:
                try:
                    return await self.recipients(room_id) == {self._me, user_id}
                except Rejected:
                    return False  # left meanwhile

        answers = await asyncio.gather(*(is_direct(room) for room in rooms))
        return [room for room, direct in zip(rooms, answers, strict=True) if direct]

    async def typing(self, room_id: RoomId, on: bool) -> None:
        """Show or hide the typing notice; it is not worth an error."""
        body: dict[str, Any] = {"typing": on} | ({"timeout": _TYPING_MS} if on else {})
        with contextlib.suppress(DpobotError):
            await self._http.call("PUT", path("rooms", room_id, "typing", self._me), body, seconds=5)


def _memberships(chunk: object) -> Iterator[tuple[UserId, object]]:
    for event in chunk if isinstance(chunk, list) else ():
        if isinstance(event, Mapping) and isinstance(event.get("content"), Mapping):
            yield UserId(str(event.get("state_key"))), event["content"].get("membership")
