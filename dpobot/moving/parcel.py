"""What is to be moved: ``portable.json`` of an archive (docs/portable.md), read with distrust and without I/O."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dpobot.moving.stopped import ImportStopped

FORMAT = "dpobot.portable"
MAJOR = "1"  # a second number that grows only adds members

Json = dict[str, Any]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Picture(_Part):
    """A profile picture. ``url``: ``mxc://`` on the old server; ``file``: in the archive, None if it is not there."""

    url: str
    file: str | None = None
    type: str | None = None


class Profile(_Part):
    """The public profile; ``fields``: the custom ones (spec, "Profiles"; MSC4133)."""

    displayname: str | None = None
    avatar: Picture | None = None
    fields: Json = Field(default_factory=dict)


class Room(_Part):
    """A room the person was in; ``via``: servers to join it through, best first."""

    room_id: str
    name: str | None = None
    alias: str | None = None
    join_rule: str | None = None
    membership: str = "join"
    encrypted: bool | None = None
    via: Sequence[str] = ()
    tags: Mapping[str, Json] = Field(default_factory=dict)
    account_data: Mapping[str, Json] = Field(default_factory=dict)


class Rule(_Part):
    """A push rule (spec, "Push Rules"); ``default``: one of the server's own, as the person had set it."""

    kind: str
    rule_id: str
    actions: Sequence[Any]
    default: bool = False
    enabled: bool = True
    conditions: Sequence[Json] | None = None
    pattern: str | None = None


class Parcel(_Part):
    """All that is moved."""

    format: str
    version: str
    user_id: str
    profile: Profile = Field(default_factory=Profile)
    rooms: Sequence[Room] = ()
    direct: Mapping[str, Sequence[str]] = Field(default_factory=dict)
    ignored: Sequence[str] = ()
    push_rules: Sequence[Rule] = ()
    account_data: Mapping[str, Json] = Field(default_factory=dict)
    left_out: Sequence[str] = ()
    missing: Mapping[str, str] = Field(default_factory=dict)

    def joined(self) -> Iterator[Room]:
        """Yield the rooms that the person was in at the end."""
        return (room for room in self.rooms if room.membership == "join")


def parse(raw: bytes) -> Parcel:
    """Return what the bytes of a ``portable.json`` hold. Raises `ImportStopped`."""
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ImportStopped("portable.json can't be read: it is no JSON", "unpack the archive again") from error
    _check_kind(given)
    try:
        return Parcel.model_validate_json(raw)  # JSON's own rules: a list is a sequence, a string never a number
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ImportStopped(
            f"portable.json is damaged at {shown(place, 80)}", "unpack it again from the archive"
        ) from error


def _check_kind(given: object) -> None:
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        raise ImportStopped(
            "that JSON file is no portable.json of dpobot", "name the archive itself, or the portable.json in it"
        )
    version = str(given.get("version"))
    if version.split(".")[0] != MAJOR:
        raise ImportStopped(
            f"portable.json is of version {shown(version, 20)}, and this dpobot reads version {MAJOR}",
            "use a newer dpobot",
        )


def digest(raw: bytes) -> str:
    """Return the name of these bytes in a state file: SHA-256, hex."""
    return hashlib.sha256(raw).hexdigest()


def shown(text: str, most: int = 60) -> str:
    """Return text that strangers wrote as a terminal may show it: no control or direction characters, cut."""
    kept = "".join(character if character.isprintable() else "�" for character in text[: most + 1])
    return kept if len(text) <= most else f"{kept[:most]}…"
