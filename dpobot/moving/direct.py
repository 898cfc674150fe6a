"""Direct messages: marked in rooms that the account is in, or, only if the person says so, begun anew."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dpobot.moving.item import Acting, Item, Standing, Verdict, skipped, there, will
from dpobot.moving.line import Json, Line
from dpobot.moving.parcel import Parcel, shown
from dpobot.moving.present import Present

DIRECT = "m.direct"
_UNASKED = "not in that room; --direct would invite them to a new one"
_ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


def items(parcel: Parcel, *, anew: bool) -> Iterator[Item]:
    """Yield the marks as one, then each person of a direct message that was still open."""
    open_rooms = {room.room_id: room for room in parcel.joined()}
    if parcel.direct:
        yield Marks(parcel.direct)
    for user, rooms in sorted(parcel.direct.items()):
        known = [open_rooms[room] for room in rooms if room in open_rooms]
        if known:
            encrypted = any(room.encrypted is not False for room in known)
            yield Partner(user, tuple(room.room_id for room in known), anew=anew, encrypted=encrypted)


def marked(present: Present, direct: Mapping[str, Sequence[str]]) -> Json:
    """Return the account's own marks, and those of the parcel for rooms that the account is in."""
    made: Json = dict(present.account_data.get(DIRECT, {}))
    for user, rooms in direct.items():
        own = made.get(user)
        kept = list(own) if isinstance(own, list) else []
        added = [room for room in rooms if room in present.joined and room not in kept]
        if added:
            made[user] = kept + added
    return made


@dataclass(frozen=True, slots=True)
class Marks:
    """Which rooms are direct messages (spec, "Direct messaging")."""

    direct: Mapping[str, Sequence[str]]
    section = "direct"
    key = "direct"
    label = "marks of direct messages"

    def foresee(self, present: Present) -> Standing:
        """Tell how many rooms would be marked."""
        own, made = present.account_data.get(DIRECT, {}), marked(present, self.direct)
        if made != own:
            return will(f"mark {_count(made) - _count(own)}")
        known = any(room in present.joined for rooms in self.direct.values() for room in rooms)
        return there() if known else skipped("the account is in none of those rooms")

    def assume(self, present: Present) -> None:
        """They are marked."""
        present.account_data[DIRECT] = marked(present, self.direct)

    async def carry(self, acting: Acting) -> Standing:
        """Mark them."""
        await _put(acting, marked(acting.present, self.direct))
        return Standing(Verdict.DONE)


@dataclass(frozen=True, slots=True)
class Partner:
    """Somebody the person had a direct message with. ``anew``: invite them to a new one, which they will see."""

    user: str
    rooms: tuple[str, ...]
    anew: bool
    encrypted: bool
    section = "direct"

    @property
    def key(self) -> str:
        """Return their name in the state file."""
        return f"direct/{self.user}"

    @property
    def label(self) -> str:
        """Return who it is."""
        return f"direct message with {shown(self.user, 255)}"

    def foresee(self, present: Present) -> Standing:
        """Tell whether there is one already."""
        own = present.account_data.get(DIRECT, {}).get(self.user)
        known = [*self.rooms, *(own if isinstance(own, list) else ())]
        if self.user == present.user_id or any(room in present.joined for room in known):
            return there()
        if self.anew:
            return will("make a room and invite them")
        return skipped(_UNASKED)

    def assume(self, present: Present) -> None:
        """There is a room; its ID is not known before it is made."""
        present.account_data.setdefault(DIRECT, {}).setdefault(self.user, [])

    async def carry(self, acting: Acting) -> Standing:
        """Make a room, or take the one that a run which was cut off has made, and mark it."""
        room = await self._made_before(acting) if acting.begun is not None else None
        if room is None and not self.anew:
            return skipped(_UNASKED)
        if room is None:
            acting.note("room")
            room = await self._make(acting.line)
        acting.present.joined.add(room)
        await _put(acting, marked(acting.present, {self.user: [room]}))
        return Standing(Verdict.DONE, "invited")

    async def _make(self, line: Line) -> str:
        body: Json = {"preset": "trusted_private_chat", "is_direct": True, "invite": [self.user]}
        if self.encrypted:
            body["initial_state"] = [_ENCRYPTION]
        return str((await line.call("POST", "createRoom", body=body, tries=1))["room_id"])

    async def _made_before(self, acting: Acting) -> str | None:
        """Return a room that this account made to talk with them, and that nothing marks yet."""
        own = acting.present.account_data.get(DIRECT, {})
        marks = {room for rooms in own.values() if isinstance(rooms, list) for room in rooms}
        for room in sorted(acting.present.joined - marks):
            state = (await acting.line.call("GET", "rooms", room, "members"))["chunk"]
            mine = any(event["sender"] == acting.present.user_id and self._invites(event) for event in state)
            if mine and len(state) == 2:
                return room
        return None

    def _invites(self, event: Mapping[str, object]) -> bool:
        content = event.get("content")
        return event.get("state_key") == self.user and isinstance(content, Mapping) and content.get("is_direct") is True


def _count(direct: Mapping[str, object]) -> int:
    return sum(len(rooms) for rooms in direct.values() if isinstance(rooms, list))


async def _put(acting: Acting, content: Json) -> None:
    await acting.line.call("PUT", "user", acting.present.user_id, "account_data", DIRECT, body=content)
    acting.present.account_data[DIRECT] = content
