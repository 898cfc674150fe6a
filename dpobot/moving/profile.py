"""The public profile: name, picture and custom fields (spec, "Profiles"; MSC4133)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dpobot.errors import Gone, Rejected
from dpobot.moving.item import Acting, Item, Standing, Verdict, skipped, there, will
from dpobot.moving.opening import MOST_PICTURE
from dpobot.moving.parcel import Picture, Profile, shown
from dpobot.moving.present import Present

_UNKNOWN_FIELD = frozenset({"M_UNRECOGNIZED", "M_NOT_FOUND"})


def items(profile: Profile) -> Iterator[Item]:
    """Yield what there is to move of a profile."""
    if profile.displayname:
        yield DisplayName(profile.displayname)
    if profile.avatar:
        yield Avatar(profile.avatar)
    for name, value in sorted(profile.fields.items()):
        yield Field(name, value)


@dataclass(frozen=True, slots=True)
class DisplayName:
    """The display name. A new account is often called by its user name: that is no name of its own."""

    name: str
    section = "profile"
    key = "profile/displayname"

    @property
    def label(self) -> str:
        """Return the name."""
        return f"display name {shown(self.name)}"

    def foresee(self, present: Present) -> Standing:
        """Set where there is none."""
        if present.displayname == self.name:
            return there()
        own = present.displayname not in (None, "", present.localpart)
        return skipped("the account has a name of its own") if own else will("set it")

    def assume(self, present: Present) -> None:
        """The account has it."""
        present.displayname = self.name

    async def carry(self, acting: Acting) -> Standing:
        """Set it."""
        user = acting.present.user_id
        await acting.line.call("PUT", "profile", user, "displayname", body={"displayname": self.name})
        self.assume(acting.present)
        return Standing(Verdict.DONE)


@dataclass(frozen=True, slots=True)
class Avatar:
    """The picture: uploaded anew, because the old server may delete what belongs to a closed account."""

    picture: Picture
    section = "profile"
    key = "profile/avatar"
    label = "picture"

    def foresee(self, present: Present) -> Standing:
        """Set where there is none."""
        return skipped("the account has a picture of its own") if present.avatar_url else will("upload and set it")

    def assume(self, present: Present) -> None:
        """The account has one."""
        present.avatar_url = present.avatar_url or self.picture.url

    async def carry(self, acting: Acting) -> Standing:
        """Upload it from the archive, or from its old place if that is not there; a run cut off is gone on with."""
        url = acting.begun
        if url is None:
            data = await self._bytes(acting)
            if data is None:
                return skipped("it is not in what you named, and the old server no longer gives it")
            url = await acting.line.upload(data, self._type())
            acting.note(url)
        await acting.line.call("PUT", "profile", acting.present.user_id, "avatar_url", body={"avatar_url": url})
        acting.present.avatar_url = url
        return Standing(Verdict.DONE)

    async def _bytes(self, acting: Acting) -> bytes | None:
        data = acting.picture(self.picture.file) if self.picture.file else None
        if data is not None:
            return data
        try:
            return await acting.line.fetch(self.picture.url, MOST_PICTURE)
        except Rejected:
            return None

    def _type(self) -> str:
        given = self.picture.type or ""
        return given if given.startswith("image/") else "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field, such as a time zone; a homeserver may not know such fields."""

    name: str
    value: Any
    section = "profile"

    @property
    def key(self) -> str:
        """Return the field's name in the state file."""
        return f"profile/field/{self.name}"

    @property
    def label(self) -> str:
        """Return which field it is."""
        return f"field {shown(self.name)}"

    def foresee(self, present: Present) -> Standing:
        """Set where there is none."""
        if self.name not in present.fields:
            return will("set it")
        return there() if present.fields[self.name] == self.value else skipped("the account has one of its own")

    def assume(self, present: Present) -> None:
        """The account has it."""
        present.fields[self.name] = self.value

    async def carry(self, acting: Acting) -> Standing:
        """Set it."""
        user = acting.present.user_id
        try:
            await acting.line.call("PUT", "profile", user, self.name, body={self.name: self.value})
        except (Gone, Rejected) as error:
            if error.code in _UNKNOWN_FIELD:
                return skipped("the homeserver knows no such fields")
            raise
        self.assume(acting.present)
        return Standing(Verdict.DONE)
