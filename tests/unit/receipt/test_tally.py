"""Sums of a receipt: what was there, less what is left."""

from hypothesis import given
from hypothesis import strategies as st

from dpobot.model.erasure import ErasureRoom, Fate, Residual
from dpobot.model.ids import RoomId
from dpobot.receipt import reasons, tally

BEFORE = {"messages": 2031, "state": 4, "media": 5, "media_private": 2, "devices": 1}


def room(state: str = "done") -> ErasureRoom:
    """Return a room in which something was to go."""
    return ErasureRoom(RoomId("!a"), "join", Fate.REDACT, 3, state)


def test_what_is_gone_is_what_was_there_less_what_is_left() -> None:
    """Messages and reactions are counted together before; rules of rooms never were."""
    left = [
        Residual("messages", 1, "still_there"),
        Residual("other_events", 2, "no_longer_in_room"),
        Residual("state_kept", 8, "keeps_room_working"),
        Residual("media", 3, "others_can_see"),
    ]
    assert tally.gone(BEFORE, left) == {"messages": 2028, "state": 4, "media": 2, "devices": 1}
    assert tally.gone({}, left) == {}


def test_it_is_never_less_than_nothing() -> None:
    """Somebody may have gone on writing after it was counted."""
    assert tally.gone({"messages": 1}, [Residual("messages", 5, "still_there")]) == {"messages": 0}


def test_a_residual_of_a_room_is_told_with_why() -> None:
    """Where they were no longer, only messages can be reached; what failed and was let be was refused."""
    state, message = Residual("state", 1, "still_there"), Residual("messages", 1, "still_there")
    kept, shown = Residual("state_kept", 1, "keeps_room_working"), Residual("state_in_directory", 1, "still_there")
    assert tally.explained(state, room(), parted=True, skip=False).reason == "no_longer_in_room"
    assert tally.explained(shown, room(), parted=True, skip=False).reason == "no_longer_in_room"
    assert tally.explained(message, room(), parted=True, skip=False) == message
    assert tally.explained(state, room(), parted=False, skip=False) == state
    assert tally.explained(message, room("failed"), parted=False, skip=False) == message
    assert tally.explained(message, room("failed"), parted=False, skip=True).reason == "refused_by_server"
    assert tally.explained(message, room(), parted=False, skip=True) == message
    assert tally.explained(kept, room("failed"), parted=True, skip=True) == kept


def test_no_more_files_may_stay_than_others_could_see() -> None:
    """Three of five; a fourth should have gone."""
    assert tally.shared_media([Residual("media", 3, "others_can_see")], BEFORE) == [
        Residual("media", 3, "others_can_see")
    ]
    assert tally.shared_media([Residual("media", 4, "others_can_see")], BEFORE) == [
        Residual("media", 1, "still_there"),
        Residual("media", 3, "others_can_see"),
    ]
    only_private = {"media": 2, "media_private": 2}
    assert tally.shared_media([Residual("media", 1, "others_can_see")], only_private) == [
        Residual("media", 1, "still_there")
    ]
    assert tally.shared_media([Residual("media", 9, "others_can_see")], {}) == [Residual("media", 9, "others_can_see")]
    assert tally.shared_media([Residual("media", 2, "still_there")], BEFORE) == [Residual("media", 2, "still_there")]


def test_other_servers_are_counted_by_the_plan() -> None:
    """Their names stay out of a receipt."""
    plan = {"survey": {"servers": ["a.test", "b.test"]}}
    assert tally.other_servers(plan) == [Residual("other_servers", 2, "other_servers")]
    assert tally.other_servers({"survey": {"servers": []}}) == tally.other_servers(None) == []


residuals = st.lists(
    st.builds(
        Residual,
        st.sampled_from(sorted(reasons.CATEGORIES)),
        st.integers(0, 9),
        st.sampled_from([*sorted(reasons.REASONS), "of a later version"]),
    )
)


@given(residuals)
def test_adding_up_loses_nothing(found: list[Residual]) -> None:
    """One line for each category and reason; the sum stays."""
    summed = reasons.together(found)
    assert len({(each.category, each.reason) for each in summed}) == len(summed)
    assert sum(each.count for each in summed) == sum(each.count for each in found)
    assert {(each.category, each.reason) for each in summed} == {(each.category, each.reason) for each in found}
    assert reasons.together(reversed(found)) == summed


@given(residuals)
def test_what_should_not_be_there_comes_first(found: list[Residual]) -> None:
    """A reason that nobody knows is none that was meant."""
    wrong = reasons.unexpected(found)
    assert all(each.reason in reasons.UNEXPECTED or each.reason == "of a later version" for each in wrong)
    order = [group["expected"] for group in reasons.grouped(found)]
    assert order == sorted(order)
    assert sum(len(group["held"]) for group in reasons.grouped(found)) == len(found)
