"""Whether an event still says something of its sender's: decided by what stands in it. Pure.

What redaction leaves is no content (room versions 1 to 12, "Redactions"): it can't be taken away, and names nobody.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any


class Holding(Enum):
    """What an event holds."""

    NOTHING = "nothing"
    MESSAGE = "messages"
    OTHER = "other_events"  # reactions, stickers, polls, calls, reasons of redactions, whatever else was sent
    STATE = "state"  # state that no room needs: names, topics, pictures, own memberships with a name in them, ...
    KEPT = "state_kept"  # state without which a room would no longer work, or would lose its members' protection


_MESSAGES = frozenset({"m.room.message", "m.room.encrypted"})

# without these others could no longer enter, write, be kept out, decrypt or find their way
_WORKING = frozenset(
    {
        "m.room.create",
        "m.room.power_levels",
        "m.room.join_rules",
        "m.room.history_visibility",
        "m.room.guest_access",
        "m.room.encryption",
        "m.room.server_acl",
        "m.room.tombstone",
        "m.room.canonical_alias",
        "m.room.aliases",
        "m.room.third_party_invite",
        "m.space.child",
        "m.space.parent",
        "m.policy.rule.user",
        "m.policy.rule.room",
        "m.policy.rule.server",
    }
)

# of these types, what a redacted event may still hold
_LEFT_BY_REDACTION = {
    "m.room.member": frozenset({"membership", "join_authorised_via_users_server", "third_party_invite"}),
    "m.room.redaction": frozenset({"redacts"}),
}


def holding(event: Mapping[str, Any]) -> Holding:
    """Return what an event in client format holds. What has no content, or null for content, holds nothing."""
    type_ = event.get("type")
    content = event.get("content")
    harmless = _LEFT_BY_REDACTION.get(str(type_), frozenset())
    if not isinstance(content, Mapping):
        return Holding.NOTHING
    if not any(value is not None and name not in harmless for name, value in content.items()):
        return Holding.NOTHING
    if "state_key" in event:
        return Holding.KEPT if type_ in _WORKING else Holding.STATE
    return Holding.MESSAGE if type_ in _MESSAGES else Holding.OTHER
