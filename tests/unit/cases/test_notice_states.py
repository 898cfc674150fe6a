"""docs/notices.md draws exactly the moves of the ledger's table."""

import re
from pathlib import Path

from dpobot.model.notices import ANSWERS, MOVES, NoticeState

_DOC = Path(__file__).parents[3] / "docs" / "notices.md"
_ARROW = re.compile(r"^\s*(\S+) --> (\S+?)(?: *: *.+)?$", re.MULTILINE)


def test_the_picture_and_the_table_agree() -> None:
    """Where a line begins, every move, and where it ends."""
    diagram = _DOC.read_text("utf-8").split("stateDiagram-v2\n", 1)[1].split("```", 1)[0]
    drawn = set(_ARROW.findall(diagram))
    moves = {(start.value, end.value) for start, ends in MOVES.items() for end in ends}
    ends = {(state.value, "[*]") for state, to in MOVES.items() if not to}
    assert drawn == moves | ends | {("[*]", NoticeState.FOUND.value)}


def test_what_others_answer_can_follow_on_what_was_sent() -> None:
    """Every answer that the protocol knows leads somewhere."""
    assert MOVES[NoticeState.SENT] >= ANSWERS
