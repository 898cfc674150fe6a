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
    OTHER = "other_events"  # reactions, stickers, polls, calls, whatever else was sent
    STATE = "state"  # state that no room needs: names, topics, pictures, memberships with a name or a reason, ...
    KEPT = "state_kept"  # state without which a room would no longer work, or would lose its members' protection
    REASON = "redaction_reasons"  # why they took something back; without it servers would show that again


_MESSAGES = frozenset({"m.room.message", "m.room.encrypted"})

# without these, others could no longer enter, write, be kept out, decrypt or find their way
_WORKING = frozenset(
    {
        "m.room.create",
        "m.room.power_levels",
        "m.room.join_rules",
        "m.room.history_visibility",
        "m.room.guest_access",
        "m.room.encryption",
        "m.room.server_acl",
        "m.room.retention",
        "m.room.tombstone",
        "m.room.canonical_alias",
        "m.room.third_party_invite",
        "m.room.policy",
        "org.matrix.msc4284.policy",
        "org.matrix.room.preview_urls",
        "m.space.child",
        "m.space.parent",
        "m.policy.rule.user",
        "m.policy.rule.room",
        "m.policy.rule.server",
    }
)
_MEMBERSHIP = frozenset({"membership", "join_authorised_via_users_server", "third_party_invite"})


def holding(event: Mapping[str, Any]) -> Holding:
    """Return what an event in client format holds. What is empty, null or a text without signs says nothing."""
    content = event.get("content")
    if not isinstance(content, Mapping):
        return Holding.NOTHING
    if all(value in (None, "") or name in _harmless(event) for name, value in content.items()):
        return Holding.NOTHING
    type_ = event.get("type")
    if "state_key" in event:
        return Holding.KEPT if type_ in _WORKING else Holding.STATE
    if type_ == "m.room.redaction":
        return Holding.REASON
    return Holding.MESSAGE if type_ in _MESSAGES else Holding.OTHER


def threaded(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is in a thread, and holds content (spec, "Threading").

    The newest one of a thread is shown under its first message as it is, also to those for whom Synapse otherwise
    empties what an erased sender said (measured on 1.163).
    """
    content = event.get("content")
    relation = content.get("m.relates_to") if isinstance(content, Mapping) else None
    in_thread = isinstance(relation, Mapping) and relation.get("rel_type") == "m.thread"
    return in_thread and holding(event) in {Holding.MESSAGE, Holding.OTHER}


def _harmless(event: Mapping[str, Any]) -> frozenset[str]:
    """Return which members of the content say nothing of the sender's, or stay when it is redacted."""
    match event.get("type"):
        case "m.room.member":
            return _MEMBERSHIP  # also of an invitation, a kick or a ban: they stand without name and reason
        case "m.room.redaction":
            return frozenset({"redacts"})
        case "m.room.aliases" if _taken_back(event):  # rooms before version 6 keep them
            return frozenset({"aliases"})
    return frozenset()


def _taken_back(event: Mapping[str, Any]) -> bool:
    unsigned = event.get("unsigned")
    return isinstance(unsigned, Mapping) and "redacted_because" in unsigned
