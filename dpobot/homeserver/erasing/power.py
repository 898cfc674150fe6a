"""What a room lets a person do (spec, ``m.room.power_levels``; creators of room version 12: MSC4289). Pure."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

_BOUND_CREATORS = frozenset(str(number) for number in range(1, 12))  # room versions in which levels bind creators, too

Event = Mapping[str, Any]


def may_send(state: Iterable[Event], user: str, kind: str, *, is_state: bool = False) -> bool:
    """Tell whether a person in the room has the power to send an event of this type, by the room's state events."""
    contents = {str(event.get("type")): event for event in state if event.get("state_key") == ""}
    set_by = contents.get("m.room.power_levels")
    levels = _content(set_by)
    # without that event nothing is demanded, and only the creator has power
    default = (
        _level(levels, "state_default", 0 if set_by is None else 50)
        if is_state
        else _level(levels, "events_default", 0)
    )
    needed = _level(_inner(levels, "events"), kind, default)
    return _own(contents.get("m.room.create"), None if set_by is None else levels, user) >= needed


def _own(create: Event | None, levels: Mapping[str, Any] | None, user: str) -> float:
    content = _content(create)
    creator = create is not None and create.get("sender") == user
    if str(content.get("room_version", "1")) not in _BOUND_CREATORS and create is not None:
        others = content.get("additional_creators")
        if creator or (isinstance(others, list) and user in others):
            return math.inf
    if levels is None:
        return 100 if creator else 0
    return _level(_inner(levels, "users"), user, _level(levels, "users_default", 0))


def _content(event: Event | None) -> Mapping[str, Any]:
    content = event.get("content") if event is not None else None
    return content if isinstance(content, Mapping) else {}


def _inner(levels: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = levels.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _level(levels: Mapping[str, Any], name: str, default: float) -> float:
    try:
        return int(levels.get(name, default))  # old rooms hold levels as text
    except (TypeError, ValueError):
        return default
