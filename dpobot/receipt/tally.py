"""What counts were, what is left, and what that means: the sums of a receipt. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dpobot.model.erasure import ErasureRoom, Residual
from dpobot.receipt.reasons import STILL_THERE

# what was counted before -> the categories in which what is left of it is found; else that of the same name
_GROUPS: Mapping[str, frozenset[str]] = {"messages": frozenset({"messages", "other_events"})}
_HIDDEN = frozenset({"media_private"})  # counted only to know which files were to go
# of these the server lets nobody redact in a room that was left
_OUT_OF_REACH = frozenset({"other_events", "state", "state_in_directory"})


def gone(before: Mapping[str, int], left: Sequence[Residual]) -> dict[str, int]:
    """Return how many are gone, category by category: what was there less what is left.

    Never how many calls were made: a run that was cut short and begun again makes more.
    """
    counts = {}
    for name, count in before.items():
        group = _GROUPS.get(name, frozenset({name}))
        if name not in _HIDDEN:
            counts[name] = max(count - sum(each.count for each in left if each.category in group), 0)
    return counts


def explained(residual: Residual, room: ErasureRoom, *, parted: bool, skip: bool) -> Residual:
    """Return a residual of a room with the reason why it is still there, as far as that is known.

    ``parted``: the person was no longer in the room; ``skip``: staff decided to go on without what had failed.
    """
    if residual.reason != STILL_THERE:
        return residual
    if parted and residual.category in _OUT_OF_REACH:
        return replace(residual, reason="no_longer_in_room")
    if skip and room.state == "failed":
        return replace(residual, reason="refused_by_server")
    return residual


def shared_media(left: Sequence[Residual], before: Mapping[str, int]) -> list[Residual]:
    """Return what is left of files: of those that may stay because others see them, no more than there were.

    ``before``: ``media`` and ``media_private``, if they were counted.
    """
    found: list[Residual] = []
    may_stay = before["media"] - before["media_private"] if {"media", "media_private"} <= before.keys() else None
    for each in left:
        too_many = each.count - may_stay if each.reason == "others_can_see" and may_stay is not None else 0
        if too_many > 0:
            found.append(replace(each, count=too_many, reason=STILL_THERE))
        if each.count > max(too_many, 0) or not each.count:
            found.append(replace(each, count=each.count - max(too_many, 0)))
    return found


def other_servers(plan: Mapping[str, Any] | None) -> list[Residual]:
    """Return how many other servers have copies of their own, by the plan."""
    servers = (plan or {}).get("survey", {}).get("servers", ())
    return [Residual("other_servers", len(servers), "other_servers")] if servers else []
