"""Spans of time: the bulk call redacts whatever is in them."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dpobot.homeserver.erasing.spans import spans

moments = st.lists(st.integers(0, 40), max_size=40)


def _events(sent: list[int], prefix: str) -> list[dict[str, Any]]:
    return [{"event_id": f"{prefix}{number}", "origin_server_ts": moment} for number, moment in enumerate(sent)]


@given(moments, moments, st.integers(1, 5))
def test_what_is_spared_is_in_no_span_and_everything_else_is_in_one(
    wanted: list[int], spared: list[int], most: int
) -> None:
    """Only what was sent in the same millisecond as a spared event is left out."""
    chosen = list(spans(_events(wanted, "$w"), _events(spared, "$s"), most))
    assert not any(span.first <= moment <= span.last for span in chosen for moment in spared)
    expected = {event["event_id"] for event in _events(wanted, "$w") if event["origin_server_ts"] not in spared}
    assert {event for span in chosen for event in span.events} == expected
    assert sum(len(span.events) for span in chosen) == len(expected)


@given(moments, moments, st.integers(1, 5))
def test_a_span_names_all_that_is_in_it_and_spans_do_not_meet(wanted: list[int], spared: list[int], most: int) -> None:
    """Two spans that shared a millisecond would redact it twice."""
    chosen = list(spans(_events(wanted, "$w"), _events(spared, "$s"), most))
    for span in chosen:
        inside = {
            event["event_id"] for event in _events(wanted, "$w") if span.first <= event["origin_server_ts"] <= span.last
        }
        assert set(span.events) == inside
    assert all(earlier.last < later.first for earlier, later in itertools.pairwise(chosen))


def test_a_span_is_bounded() -> None:
    """So that a restart of the homeserver repeats little."""
    chosen = list(spans(_events(list(range(500)), "$w"), [], 200))
    assert [len(span.events) for span in chosen] == [200, 200, 100]
