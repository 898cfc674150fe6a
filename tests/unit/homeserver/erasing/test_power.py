"""Who may send what, by a room's power levels."""

from typing import Any

import pytest

from dpobot.homeserver.erasing.power import may_send

ANNA = "@anna:x.test"


def _state(levels: dict[str, Any] | None, *, creator: str = "@bob:x.test", **create: Any) -> list[dict[str, Any]]:
    events = [{"type": "m.room.create", "state_key": "", "sender": creator, "content": create}]
    if levels is not None:
        events.append({"type": "m.room.power_levels", "state_key": "", "sender": creator, "content": levels})
    return events


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (None, True),
        ({}, True),
        ({"events_default": 50}, False),
        ({"events_default": "50"}, False),
        ({"events_default": 50, "users": {ANNA: 50}}, True),
        ({"events_default": 50, "users_default": 50}, True),
        ({"events": {"m.room.redaction": 1}}, False),
        ({"events_default": 50, "events": {"m.room.redaction": 0}}, True),
        ({"events": "nonsense", "users": ["nonsense"], "events_default": None}, True),
    ],
)
def test_redactions_need_the_power_to_send(levels: dict[str, Any] | None, expected: bool) -> None:
    """The level of the type, else the default; levels as text count, nonsense doesn't."""
    assert may_send(_state(levels), ANNA, "m.room.redaction") is expected


@pytest.mark.parametrize(("version", "expected"), [("11", False), ("12", True), ("13", True)])
def test_from_version_12_on_no_level_binds_a_creator(version: str, expected: bool) -> None:
    """Neither who created the room nor whom they named beside them (MSC4289)."""
    levels = {"events_default": 101}
    assert may_send(_state(levels, creator=ANNA, room_version=version), ANNA, "m.room.redaction") is expected
    others = _state(levels, room_version=version, additional_creators=[ANNA])
    assert may_send(others, ANNA, "m.room.redaction") is expected


@pytest.mark.parametrize(
    ("levels", "expected"),
    [(None, True), ({}, False), ({"state_default": 0}, True), ({"events": {"m.room.canonical_alias": 0}}, True)],
)
def test_state_needs_more_where_levels_are_set(levels: dict[str, Any] | None, expected: bool) -> None:
    """50 unless said otherwise; nothing in a room without levels."""
    assert may_send(_state(levels), ANNA, "m.room.canonical_alias", is_state=True) is expected
