"""Power levels (spec "m.room.power_levels") and creators, read from state that others have shaped."""

import re
from collections.abc import Mapping
from typing import Any

from dpobot.matrix.api import Powers
from dpobot.model.ids import UserId

STAFF_POWER = 50  # who has less can't let people in
BOT_POWER = 100
_CREATORS_STAND_ABOVE = 12  # since this room version (MSC4289)
_CREATOR_NAMED = 10  # up to this room version m.room.create says who; since then its sender is the creator (MSC2175)
_FIRST_OF_ITS_KIND = "org.matrix.hydra"  # the unstable name of room version 12
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")


def creators(create: Mapping[str, Any]) -> frozenset[UserId]:
    """Return who created a room, from its whole ``m.room.create`` event; nobody if it does not say."""
    content, sender = _mapping(create.get("content")), create.get("sender")
    version = _version(content)
    named = content.get("creator") if version <= _CREATOR_NAMED else sender
    found = [named]
    if version >= _CREATORS_STAND_ABOVE:
        more = content.get("additional_creators")
        found += more if isinstance(more, list) else []
    return frozenset(UserId(user) for user in found if isinstance(user, str))


def privileged(create: Mapping[str, Any]) -> bool:
    """Say whether this room's creators are above all power levels."""
    return _version(_mapping(create.get("content"))) >= _CREATORS_STAND_ABOVE


def powers(create: Mapping[str, Any], levels: Mapping[str, Any] | None) -> Powers:
    """Return a room's powers from its ``m.room.create`` event and the content of its ``m.room.power_levels``, if any.

    Without levels a creator has 100 and everybody else 0. What is no number counts as 0.
    """
    above = creators(create) if privileged(create) else frozenset()
    if levels is None:
        return Powers({} if above else dict.fromkeys(creators(create), BOT_POWER), 0, above)
    users = {UserId(user): _level(value) for user, value in _mapping(levels.get("users")).items()}
    return Powers(users, _level(levels.get("users_default", 0)), above)


def closed(version: str, me: UserId, users: Mapping[UserId, int]) -> dict[str, Any]:
    """Return the levels of a new room in which only the bot changes who may do what, and who may come in.

    From version 12 on a creator must not be named in it.
    """
    own = {} if _version({"room_version": version}) >= _CREATORS_STAND_ABOVE else {me: BOT_POWER}
    settings = ("power_levels", "history_visibility", "encryption", "join_rules", "guest_access", "server_acl")
    return {
        "users": {**users, **own},
        "invite": STAFF_POWER,
        "events": {f"m.room.{name}": BOT_POWER for name in (*settings, "tombstone")},
    }


def _version(content: Mapping[str, Any]) -> int:
    """Return the room version's number; an unknown one counts as an old one, in which nobody is above the numbers."""
    version = content.get("room_version", "1")
    if isinstance(version, str) and version.startswith(_FIRST_OF_ITS_KIND):
        return _CREATORS_STAND_ABOVE
    return int(version) if isinstance(version, str) and re.fullmatch(r"[0-9]{1,4}", version) else 0


def _level(value: object) -> int:
    """Rooms up to version 9 allow strings that hold integers; a truth value is none."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) and value.isascii() else 0


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
