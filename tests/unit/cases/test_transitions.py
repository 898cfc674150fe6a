"""The table of moves: complete, without dead ends, and as drawn."""

import re
from pathlib import Path

import pytest

from dpobot.cases import transitions
from dpobot.cases.transitions import MOVES, OPEN, OVER, START, IllegalMove
from dpobot.model.words import CaseState

FLOW = Path(__file__).parents[3] / "docs" / "flow.md"
_ARROW = re.compile(r"^\s+(\[\*\]|\w+) --> (\[\*\]|\w+)(?: : (\w+))?$", re.MULTILINE)


def _drawn() -> set[tuple[str, str, str]]:
    text = FLOW.read_text("utf-8")
    diagram = text.split("```mermaid\nstateDiagram-v2\n", 1)[1].split("```", 1)[0]
    return set(_ARROW.findall(diagram))


def test_the_picture_shows_the_table() -> None:
    """docs/flow.md draws exactly the moves of the table, where cases begin and where they end."""
    moves = {(start.value, end.value, action) for start, ends in MOVES.items() for end, action in ends.items()}
    begins = {("[*]", state.value, "open") for state in START}
    ends = {(state.value, "[*]", "") for state in OVER}
    assert _drawn() == moves | begins | ends


def test_each_state_is_in_the_table() -> None:
    """A state that is missing could never be left."""
    assert set(MOVES) == set(CaseState)


def test_each_state_can_be_reached_and_ended() -> None:
    """From where cases begin every state can be reached, and from every state one that is over."""
    reached = set(START)
    while more := {end for start in reached for end in MOVES[start]} - reached:
        reached |= more
    ending = set(OVER)
    while more := {start for start, ends in MOVES.items() if ending & set(ends)} - ending:
        ending |= more
    assert (reached, ending) == (set(CaseState), set(CaseState))


def test_what_is_over_stays_over() -> None:
    """Closed, refused and withdrawn cases move no more; all others are open."""
    assert {CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN} == OVER
    assert set(CaseState) - OVER == OPEN


def test_a_move_has_its_action() -> None:
    """The table names what makes a case move; an impossible one is a defect."""
    assert transitions.action_of(CaseState.REVIEW, CaseState.APPROVED) == "approve"
    assert transitions.allowed(CaseState.CLOSED, CaseState.WORKING) is False
    with pytest.raises(IllegalMove, match="closed -> working"):
        transitions.action_of(CaseState.CLOSED, CaseState.WORKING)
