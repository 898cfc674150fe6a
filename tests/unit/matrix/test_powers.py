"""Power levels as people shape them: missing, malformed, of every room version."""

from typing import Any

import pytest

from dpobot.matrix.powers import closed, powers
from dpobot.model.ids import UserId

ANNA, BEN, CARL = UserId("@anna:example.org"), UserId("@ben:example.org"), UserId("@carl:example.org")


def _create(version: str | None, **content: object) -> dict[str, Any]:
    named = {} if version is None else {"room_version": version}
    return {"type": "m.room.create", "sender": ANNA, "content": named | content}


def _staff(create: dict[str, Any], levels: dict[str, Any] | None, level: int = 50) -> list[bool]:
    found = powers(create, levels)
    return [found.reach(person, level) for person in (ANNA, BEN, CARL)]


@pytest.mark.parametrize("version", ["1", "6", "10", "11", "org.example.special", None])
def test_numbers_alone_count_in_old_rooms(version: str | None) -> None:
    """A creator whose level was lowered has that level; who is not named has the default."""
    assert _staff(_create(version, creator=ANNA), {"users": {ANNA: 0, BEN: 50}}) == [False, True, False]
    assert _staff(_create(version, creator=ANNA), {"users": {ANNA: 0}, "users_default": 50}) == [False, True, True]


@pytest.mark.parametrize("version", ["12", "13", "org.matrix.hydra.11"])
def test_creators_are_above_all_numbers(version: str) -> None:
    """Since room version 12: the sender of the room's first event, and those named beside them (MSC4289)."""
    assert _staff(_create(version), {"users": {ANNA: 0}}, 10**9) == [True, False, False]
    assert _staff(_create(version, additional_creators=[BEN, 7]), {}, 10**9) == [True, True, False]
    assert _staff(_create(version, additional_creators=BEN), None) == [True, False, False]


@pytest.mark.parametrize(
    ("version", "creator", "expected"),
    [
        ("10", BEN, [False, True, False]),  # the content says who
        ("11", BEN, [True, False, False]),  # the sender is the creator (MSC2175)
        ("10", None, [False, False, False]),
        ("10", 7, [False, False, False]),
    ],
)
def test_without_levels_the_creator_has_the_power(version: str, creator: object, expected: list[bool]) -> None:
    """100 and no more; everybody else has none."""
    create = _create(version, creator=creator)
    assert _staff(create, None, 100) == expected
    assert _staff(create, None, 101) == [False, False, False]


@pytest.mark.parametrize(
    ("value", "level"),
    [
        *[(50, 50), ("50", 50), (" +50 ", 50), ("-5", -5)],
        *[("fifty", 0), ("\u0665\u0660", 0), ("9" * 5000, 0), ("", 0), (True, 0), (None, 0), (50.0, 0), ([50], 0)],
    ],
)
def test_what_is_no_number_gives_no_power(value: object, level: int) -> None:
    """Old rooms allow integers in strings; all else counts as 0, in a person's level and in the default."""
    own = powers(_create("9"), {"users": {BEN: value}})
    default = powers(_create("9"), {"users_default": value})
    assert (own.users[BEN], default.default) == (level, level)


@pytest.mark.parametrize("levels", [{}, {"users": [BEN]}, {"users": "all"}, {"users": None}])
def test_malformed_levels_give_nobody_power(levels: dict[str, Any]) -> None:
    """A table that is none is empty."""
    assert _staff(_create("9", creator=ANNA), levels, 1) == [False, False, False]


@pytest.mark.parametrize("create", [{}, {"content": "x"}, {"sender": 7, "content": {"room_version": "12"}}])
def test_a_first_event_that_says_nothing_gives_nobody_power(create: dict[str, Any]) -> None:
    """Also where a server does not give the whole event out."""
    assert _staff(create, None, 1) == [False, False, False]


def test_a_room_of_our_own_names_its_creator_only_where_it_must() -> None:
    """From version 12 on a server refuses levels that name a creator."""
    named = [closed(version, ANNA, {BEN: 50})["users"] for version in ("11", "12")]
    assert named == [{ANNA: 100, BEN: 50}, {BEN: 50}]
