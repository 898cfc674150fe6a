"""Which events of a person hold content, and what becomes of them: a pure rule.

Redaction (spec, "Redactions") leaves of each type what the room's protocol needs, e.g. the membership of a member
event. For a few types it would still take away what other people rely on: those stay, each for the reason beside it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from dpobot.homeserver.changes import Depth
from dpobot.model.ids import UserId

Event = Mapping[str, Any]


class Fate(Enum):
    """What becomes of an event."""

    MESSAGE = "message"  # what was said: redacted at `Depth.ALL`
    STATE = "state"  # what no room needs: redacted at both depths
    KEPT = "kept"  # the room, or somebody in it, needs what redaction would take
    EMPTY = "empty"  # nothing of the person's is in it (any more)


KEPT: Mapping[str, str] = {
    "m.room.create": "the root of the room; the server refuses",
    "m.room.power_levels": "who may do what; redacted, older room versions let everybody invite",
    "m.room.join_rules": "who may come in",
    "m.room.history_visibility": "who may read what was said",
    "m.room.guest_access": "whether guests may come in",
    "m.room.encryption": "redacted, what others say from now on would be sent in the clear",
    "m.room.server_acl": "redacted, servers that were shut out come back",
    "m.room.policy": "which server checks messages for spam",
    "org.matrix.msc4284.policy": "the same, before it was in the specification",
    "m.policy.rule.user": "a list of bans that protects people in other rooms",
    "m.policy.rule.room": "a list of bans that protects people in other rooms",
    "m.policy.rule.server": "a list of bans that protects people in other rooms",
    "m.room.retention": "how long others' messages are kept",
    "m.room.tombstone": "the only way to the room that follows",
    "m.room.canonical_alias": "the address by which others find the room",
    "m.space.child": "how others find the rooms of a space",
    "m.space.parent": "how others find the space of a room",
    "m.room.third_party_invite": "an invitation that somebody else still holds; redacted, it no longer opens the door",
    "org.matrix.room.preview_urls": "whether the addresses that others mention are looked up",
}
_NAMED_BY_OTHERS = frozenset({"membership", "displayname", "avatar_url", "is_direct", "third_party_invite"})
_MEMBERSHIP = frozenset({"membership", "join_authorised_via_users_server", "third_party_invite"})


def fate(event: Event, user: UserId) -> Fate:
    """Return what becomes of an event that ``user`` sent, given in client format."""
    content = event.get("content")
    if _redacted(event) or not isinstance(content, Mapping) or not content:
        return Fate.EMPTY
    kind = event.get("type")
    if "state_key" not in event:
        # what a redaction holds is its target, and perhaps a reason. To redact it would, in room versions before 11,
        # take the target away, and servers that ask for the history later would be shown the content again
        return Fate.EMPTY if kind == "m.room.redaction" else Fate.MESSAGE
    if kind == "m.room.member":
        return _member(content, own=event["state_key"] == user)
    return Fate.KEPT if kind in KEPT else Fate.STATE


def _member(content: Mapping[str, Any], *, own: bool) -> Fate:
    """Of their own membership everything but the membership is theirs; of others' only the reason that they gave.

    The name and picture in an invitation are those of who was invited. A kick or ban stands when its reason is gone.
    """
    rest = set(content) - (_MEMBERSHIP if own else _NAMED_BY_OTHERS)
    return Fate.STATE if any(content[key] is not None for key in rest) else Fate.EMPTY


def _redacted(event: Event) -> bool:
    unsigned = event.get("unsigned")
    return isinstance(unsigned, Mapping) and "redacted_because" in unsigned


def goes(event: Event, user: UserId, depth: Depth) -> bool:
    """Tell whether an event of ``user`` is redacted at this depth."""
    chosen = fate(event, user)
    return chosen is Fate.STATE or (chosen is Fate.MESSAGE and depth is Depth.ALL)
