"""The pure parts of a plan: what is private, what holds, what else can be chosen, how long it takes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.jobs.estimate import Estimate, estimate
from dpobot.jobs.plan_message import alternatives
from dpobot.jobs.private_media import Named
from dpobot.jobs.survey import steady
from dpobot.model.erasure import ErasureOptions, Survey
from dpobot.model.ids import Mxc

_A, _B, _C = (Mxc(f"mxc://dpobot.test/{name}") for name in "abc")
_SURVEY = Survey(
    messages=10,
    state=2,
    state_kept=3,
    shared_rooms=4,
    left_rooms=0,
    sole_rooms=1,
    direct_rooms=1,
    media=5,
    media_bytes=500,
    media_private=2,
    devices=1,
    addresses=1,
    account_data=7,
    sso_links=0,
    servers=("one.test", "two.test"),
)


def test_a_file_that_no_shared_room_names_is_private() -> None:
    """As long as it is certain what shared rooms name."""
    assert Named(shared=frozenset({_A})).private([_A, _B]) == [_B]


def test_where_it_is_not_certain_only_what_a_deleted_room_names_is_private() -> None:
    """And what both name is not."""
    named = Named(frozenset({_A}), frozenset({_A, _B}), certain=False)
    assert named.private([_A, _B, _C]) == [_B]


def test_what_several_rooms_name_is_one() -> None:
    """Certain is only what is certain in each."""
    parts = [Named(frozenset({_A})), Named(deleted=frozenset({_B}), certain=False)]
    assert Named.together(parts) == Named(frozenset({_A}), frozenset({_B}), certain=False)
    assert Named.together([]) == Named()


_media = st.frozensets(st.sampled_from([_A, _B, _C]))


@given(shared=_media, deleted=_media, certain=st.booleans(), uploads=st.lists(st.sampled_from([_A, _B, _C])))
def test_nothing_that_a_shared_room_names_is_ever_private(
    shared: frozenset[Mxc], deleted: frozenset[Mxc], certain: bool, uploads: list[Mxc]
) -> None:
    """Whatever else is known."""
    assert shared.isdisjoint(Named(shared, deleted, certain).private(uploads))


@pytest.mark.parametrize("change", [{"servers": ("one.test", "three.test", "two.test")}, {"account_data": 9}, {}])
def test_what_is_not_the_persons_doing_changes_no_plan(change: dict[str, object]) -> None:
    """Servers come, and clients write settings."""
    assert steady(_SURVEY, replace(_SURVEY, **change)) == _SURVEY  # type: ignore[arg-type] # as the cases say


@pytest.mark.parametrize(
    "change",
    [
        *({name: 99} for name in ("messages", "state", "shared_rooms", "sole_rooms", "media", "devices", "addresses")),
        {"servers": ("one.test",)},
        {"account_data": 9, "messages": 11},
    ],
)
def test_all_else_changes_it(change: dict[str, object]) -> None:
    """And then the plan says all as it is."""
    found = replace(_SURVEY, **change)  # type: ignore[arg-type] # as the cases say
    assert steady(_SURVEY, found) == found


def test_each_option_can_be_had_or_left() -> None:
    """Each choice differs in one option, and is the whole command."""
    assert alternatives(ErasureOptions(media=True), _SURVEY) == [
        ("erase redact media", "redact", True),
        ("erase", "media", False),
        ("erase media direct", "direct", True),
    ]


def test_what_makes_no_difference_is_not_offered() -> None:
    """Nobody needs to decide about files that they don't have."""
    assert alternatives(ErasureOptions(), replace(_SURVEY, media=2, direct_rooms=0)) == [
        ("erase redact", "redact", True)
    ]


def test_the_estimate_says_both_and_rounds_days_up() -> None:
    """Seven days the server keeps what was redacted, then it forgets 28,800 a day."""
    assert estimate(28_801) == Estimate(fast=720.025, slow=2880.1, days=9)
    assert estimate(0) == Estimate(fast=0.0, slow=0.0, days=7)
