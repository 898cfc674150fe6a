"""Account data: settings, ignore list, tags, settings of single rooms (spec, "Client Config", "Room Tagging")."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dpobot.moving.item import Acting, Item, Standing, Verdict, skipped, there, will
from dpobot.moving.line import Json
from dpobot.moving.parcel import Parcel, Room, shown
from dpobot.moving.present import Present
from dpobot.moving.rooms import named

IGNORED = "m.ignored_user_list"
_NOT_IN_ROOM = "the account is not in that room"


def ignored(parcel: Parcel) -> Iterator[Item]:
    """Yield the ignore list."""
    if parcel.ignored:
        yield Ignored(tuple(parcel.ignored))


def settings(parcel: Parcel) -> Iterator[Item]:
    """Yield the account's settings, by type."""
    return (Setting(type_, content) for type_, content in sorted(parcel.account_data.items()))


def tags(parcel: Parcel) -> Iterator[Item]:
    """Yield the tags of the rooms that the person was in."""
    return (Tag(room, tag, content) for room in parcel.joined() for tag, content in sorted(room.tags.items()))


def room_settings(parcel: Parcel) -> Iterator[Item]:
    """Yield the settings of the rooms that the person was in."""
    for room in parcel.joined():
        for type_, content in sorted(room.account_data.items()):
            yield RoomSetting(room, type_, content)


def merged(own: Mapping[str, object] | None, brought: Mapping[str, object]) -> Json:
    """Return what is brought, with the account's own values wherever it has any."""
    return {**brought, **(own or {})}


def _foreseen(own: Mapping[str, object] | None, brought: Mapping[str, object]) -> Standing:
    added = len(brought.keys() - (own or {}).keys())
    if added:
        return will("set it" if not own else f"add {added} of {len(brought)} settings")
    same = all((own or {}).get(key) == value for key, value in brought.items())
    return there() if same else there("the account has values of its own")


@dataclass(frozen=True, slots=True)
class Ignored:
    """Whom the person ignores."""

    users: tuple[str, ...]
    section = "ignored"
    key = "ignored"

    @property
    def label(self) -> str:
        """Return how many they are."""
        return f"ignore list ({len(self.users)})"

    def _merged(self, present: Present) -> Json:
        own = present.account_data.get(IGNORED, {})
        listed = own.get("ignored_users")
        users: Json = {user: {} for user in self.users if user != present.user_id}
        return {**own, "ignored_users": {**users, **(listed if isinstance(listed, dict) else {})}}

    def foresee(self, present: Present) -> Standing:
        """Tell how many are new."""
        listed = present.account_data.get(IGNORED, {}).get("ignored_users")
        before = len(listed) if isinstance(listed, dict) else 0
        added = len(self._merged(present)["ignored_users"]) - before
        return will(f"add {added}") if added else there()

    def assume(self, present: Present) -> None:
        """They are on it."""
        present.account_data[IGNORED] = self._merged(present)

    async def carry(self, acting: Acting) -> Standing:
        """Add those who are missing."""
        await _put(acting, IGNORED, self._merged(acting.present))
        self.assume(acting.present)
        return Standing(Verdict.DONE)


@dataclass(frozen=True, slots=True)
class Setting:
    """Account data of one type."""

    type: str
    content: Json
    section = "settings"

    @property
    def key(self) -> str:
        """Return its name in the state file."""
        return f"settings/{self.type}"

    @property
    def label(self) -> str:
        """Return its type."""
        return f"settings {shown(self.type)}"

    def foresee(self, present: Present) -> Standing:
        """Tell whether something would be added."""
        return _foreseen(present.account_data.get(self.type), self.content)

    def assume(self, present: Present) -> None:
        """The account has them."""
        present.account_data[self.type] = merged(present.account_data.get(self.type), self.content)

    async def carry(self, acting: Acting) -> Standing:
        """Add what is missing."""
        await _put(acting, self.type, merged(acting.present.account_data.get(self.type), self.content))
        self.assume(acting.present)
        return Standing(Verdict.DONE)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a room."""

    room: Room
    tag: str
    content: Json
    section = "tags"

    @property
    def key(self) -> str:
        """Return its name in the state file."""
        return f"tags/{self.room.room_id}/{self.tag}"

    @property
    def label(self) -> str:
        """Return tag and room."""
        return f"tag {shown(self.tag)} of {named(self.room)}"

    def foresee(self, present: Present) -> Standing:
        """Set where the account is in the room and has not tagged it so."""
        if self.room.room_id not in present.joined:
            return skipped(_NOT_IN_ROOM)
        return there() if self.tag in present.tags.get(self.room.room_id, {}) else will("set it")

    def assume(self, present: Present) -> None:
        """The room has it."""
        present.tags.setdefault(self.room.room_id, {})[self.tag] = self.content

    async def carry(self, acting: Acting) -> Standing:
        """Set it."""
        user, room = acting.present.user_id, self.room.room_id
        await acting.line.call("PUT", "user", user, "rooms", room, "tags", self.tag, body=self.content)
        self.assume(acting.present)
        return Standing(Verdict.DONE)


@dataclass(frozen=True, slots=True)
class RoomSetting:
    """Account data of one type for one room."""

    room: Room
    type: str
    content: Json
    section = "room_settings"

    @property
    def key(self) -> str:
        """Return its name in the state file."""
        return f"room_settings/{self.room.room_id}/{self.type}"

    @property
    def label(self) -> str:
        """Return type and room."""
        return f"settings {shown(self.type)} of {named(self.room)}"

    def foresee(self, present: Present) -> Standing:
        """Tell whether something would be added."""
        if self.room.room_id not in present.joined:
            return skipped(_NOT_IN_ROOM)
        return _foreseen(self._own(present), self.content)

    def assume(self, present: Present) -> None:
        """The account has them."""
        present.room_data.setdefault(self.room.room_id, {})[self.type] = merged(self._own(present), self.content)

    async def carry(self, acting: Acting) -> Standing:
        """Add what is missing."""
        content = merged(self._own(acting.present), self.content)
        user, room = acting.present.user_id, self.room.room_id
        await acting.line.call("PUT", "user", user, "rooms", room, "account_data", self.type, body=content)
        self.assume(acting.present)
        return Standing(Verdict.DONE)

    def _own(self, present: Present) -> Json | None:
        return present.room_data.get(self.room.room_id, {}).get(self.type)


async def _put(acting: Acting, type_: str, content: Json) -> None:
    await acting.line.call("PUT", "user", acting.present.user_id, "account_data", type_, body=content)
