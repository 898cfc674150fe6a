"""The order of redactions, by a room's history that grows as Synapse lets it grow."""

from hypothesis import given
from hypothesis import strategies as st

from dpobot.homeserver.erasing.fans import JOINED, fans


def _ends(groups: list[list[str]]) -> int:
    """Return how many ends a history has: events sent side by side all follow the same, at most ten, ends."""
    ends = 1
    for group in groups:
        ends = ends - min(ends, JOINED) + len(group)
    return ends


@given(st.integers(0, 300), st.integers(1, 32))
def test_each_event_is_sent_once_and_in_order_and_few_ends_are_left(count: int, width: int) -> None:
    """No fan is wider than was asked for; the history is left with at most ten ends."""
    events = [str(number) for number in range(count)]
    groups = [list(group) for group in fans(events, width)]
    assert [event for group in groups for event in group] == events
    assert all(1 <= len(group) <= width for group in groups)
    assert _ends(groups) <= JOINED


def test_ten_ends_are_joined_by_one_event_and_more_by_several() -> None:
    """A fan of 28 needs three that join its ends; the last one leaves a single end."""
    groups = [list(group) for group in fans([str(number) for number in range(62)], 28)]
    assert [len(group) for group in groups] == [28, 1, 1, 1, 28, 1, 1, 1]
    assert _ends(groups) == 1


def test_one_at_a_time_is_a_plain_row() -> None:
    """Whoever asks for none side by side, or less, gets none."""
    assert [list(group) for group in fans(["a", "b", "c"], 0)] == [["a"], ["b"], ["c"]]
