"""What becomes of a job that raised."""

import pytest

from dpobot.engine.api import Cancelled, Halted, Hold, Lost, Postponed
from dpobot.engine.outcome import Drop, End, Outcome, PutBack, TryAgain, Wait, of
from dpobot.errors import Gone, Refusal, Rejected, Tripwire, Unavailable
from dpobot.model.words import JobState


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Lost(), Drop()),
        (Halted(), PutBack()),
        (Cancelled(), End(JobState.CANCELLED)),
        (Hold("ratio"), End(JobState.HELD, "ratio")),
        (Tripwire("sender"), End(JobState.HELD, "sender")),
        (Unavailable("http_503", 7), TryAgain("http_503", 7)),
        (Unavailable("<b>words</b> of a proxy"), TryAgain("unavailable", None)),
        (Postponed("deliveries_paused", 60), Wait("deliveries_paused", 60)),
        (Rejected("M_FORBIDDEN", 403), End(JobState.FAILED, "M_FORBIDDEN")),
        (Gone("M_NOT_FOUND", 404), End(JobState.FAILED, "M_NOT_FOUND")),
        (Refusal("no_such_case"), End(JobState.FAILED, "no_such_case")),
        (ValueError("Alice"), End(JobState.FAILED, "bug.ValueError")),
        (Rejected("x" * 65), End(JobState.FAILED, "rejected")),
    ],
)
def test_every_kind_of_error_has_its_place(error: Exception, expected: Outcome) -> None:
    """One table, and only codes leave it."""
    assert of(error) == expected


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([Unavailable("http_503"), Tripwire("sender")], End(JobState.HELD, "sender")),
        ([Unavailable("http_503"), KeyError("x")], End(JobState.FAILED, "bug.KeyError")),
        ([Unavailable("http_503"), Halted()], PutBack()),
        ([Cancelled(), Hold("ratio")], End(JobState.HELD, "ratio")),
        ([Postponed("deliveries_paused", 60), Unavailable("http_503", 7)], TryAgain("http_503", 7)),
        ([Lost(), Tripwire("sender")], Drop()),
    ],
)
def test_of_several_errors_the_gravest_counts(errors: list[Exception], expected: Outcome) -> None:
    """Steps may run in a task group: a tripwire must not hide behind a time-out, nor deeper in a group."""
    assert of(ExceptionGroup("", errors)) == expected
    assert of(ExceptionGroup("", [errors[0], ExceptionGroup("", errors[1:])])) == expected
