"""The one table of moves between the states of a case, drawn in docs/flow.md. Pure."""

from collections.abc import Mapping

from dpobot.errors import DpobotError
from dpobot.model.words import CaseState

_S = CaseState

# state -> where it can go, and what makes it go there
MOVES: Mapping[CaseState, Mapping[CaseState, str]] = {
    _S.CONFIRMING: {
        _S.REVIEW: "confirm",
        _S.APPROVED: "approve",  # confirmed, and policy approves it
        _S.CLOSED: "close",
        _S.REFUSED: "refuse",
        _S.WITHDRAWN: "withdraw",
    },
    _S.REVIEW: {
        _S.CONFIRMING: "repeat",  # the person says `erase` once more: a new plan
        _S.APPROVED: "approve",
        _S.PAUSED: "pause",
        _S.CLOSED: "close",
        _S.REFUSED: "refuse",
        _S.WITHDRAWN: "withdraw",
    },
    _S.PAUSED: {
        _S.REVIEW: "resume",
        _S.CLOSED: "close",
        _S.REFUSED: "refuse",
        _S.WITHDRAWN: "withdraw",
    },
    _S.APPROVED: {
        _S.WORKING: "start",
        _S.HELD: "hold",
        _S.CLOSED: "close",  # what people carry out
        _S.WITHDRAWN: "withdraw",
    },
    _S.WORKING: {
        _S.DELIVERED: "deliver",
        _S.CLOSED: "finish",  # an erasure: nobody is left to say `received`
        _S.HELD: "hold",
        _S.PARTIAL: "stop",
        _S.WITHDRAWN: "withdraw",
    },
    _S.HELD: {
        _S.APPROVED: "approve",
        _S.REFUSED: "refuse",
        _S.WITHDRAWN: "withdraw",
    },
    _S.PARTIAL: {
        _S.APPROVED: "retry",
    },
    _S.DELIVERED: {
        _S.CLOSED: "close",
    },
    _S.CLOSED: {},
    _S.REFUSED: {},
    _S.WITHDRAWN: {},
}

START = frozenset({_S.CONFIRMING, _S.REVIEW, _S.APPROVED})  # where a new case may begin
OVER = frozenset(state for state, moves in MOVES.items() if not moves)
OPEN = frozenset(CaseState) - OVER
UNANSWERED = OPEN - {_S.DELIVERED}  # a second request of the same kind would ask for the same thing again


class IllegalMove(DpobotError):
    """A case can't go from the one state to the other: a defect of the caller."""


def action_of(start: CaseState, end: CaseState) -> str:
    """Return what makes a case go from ``start`` to ``end``. Raises `IllegalMove` if nothing does."""
    action = MOVES[start].get(end)
    if action is None:
        raise IllegalMove(f"{start} -> {end}")
    return action


def allowed(start: CaseState, end: CaseState) -> bool:
    """Say whether a case can go from ``start`` to ``end``."""
    return end in MOVES[start]
