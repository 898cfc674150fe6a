"""Which events of a person hold content, and what becomes of them: a pure rule.

Redaction (spec, "Redactions") leaves of each type what the room's protocol needs, e.g. the membership of a member
event. For a few types it would still take away what other people rely on: those stay, each for the reason beside it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from dpobot.homeserver.changes import Depth

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
# what is no content of the person's: redaction leaves it; nor is null, or a text without signs
_LEFT = {
    "m.room.member": frozenset({"membership", "join_authorised_via_users_server", "third_party_invite"}),
    "m.room.redaction": frozenset({"redacts"}),
}
# before version 11 a redacted redaction loses its target: servers that ask for the history later would not apply it
_LOSE_TARGETS = frozenset(str(number) for number in range(1, 11))


def fate(event: Event, version: str | None = None) -> Fate:
    """Return what becomes of an event, given in client format, in a room of this version (None: not known).

    Names and reasons in the memberships that a person gave to others go, too: an invitation or a ban stands without.
    """
    kind = str(event.get("type"))
    if _redacted(event) or not _says_something(event, kind):
        return Fate.EMPTY
    if "state_key" in event:
        return Fate.KEPT if kind in KEPT else Fate.STATE
    if kind == "m.room.redaction" and (version is None or version in _LOSE_TARGETS):
        return Fate.KEPT
    return Fate.MESSAGE


def depends_on_version(event: Event) -> bool:
    """Tell whether `fate` needs the room's version: a redaction that gives a reason."""
    return event.get("type") == "m.room.redaction" and fate(event) is Fate.KEPT


def goes(chosen: Fate, depth: Depth) -> bool:
    """Tell whether an event of this fate is redacted at this depth."""
    return chosen is Fate.STATE or (chosen is Fate.MESSAGE and depth is Depth.ALL)


def _says_something(event: Event, kind: str) -> bool:
    content = event.get("content")
    left = _LEFT.get(kind, frozenset())
    return isinstance(content, Mapping) and any(
        value not in (None, "") and key not in left for key, value in content.items()
    )


def _redacted(event: Event) -> bool:
    unsigned = event.get("unsigned")
    return isinstance(unsigned, Mapping) and "redacted_because" in unsigned
