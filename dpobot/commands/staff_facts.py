"""What the templates of staff commands say of a case."""

from collections.abc import Mapping
from datetime import datetime

from dpobot.model.records import Case

_DAY = 86_400


def case_facts(case: Case, now: datetime) -> Mapping[str, object]:
    """Return the facts of a case; ``days_left`` is negative once it is late, None when nobody must answer any more."""
    open_ = case.closed_at is None
    return {
        "reference": case.reference,
        "kind": case.kind.value,
        "person": case.person,
        "state": case.state.value,
        "channel": case.channel.value,
        "trust": case.trust.value,
        "proven": case.proven,
        "verified_at": case.verified_at,
        "assignee": case.assignee,
        "received_at": case.received_at,
        "due_at": case.due_at,
        "days_left": days_left(case, now) if open_ else None,
        "acknowledge_by": case.acknowledge_by if case.unacknowledged else None,
        "answered_at": case.answered_at,
        "extended_months": case.extended_months,
        "paused_at": case.paused_at,
        "legal_hold": case.legal_hold,
        "outcome": case.outcome,
        "closed_at": case.closed_at,
    }


def days_left(case: Case, now: datetime) -> int:
    """Return the whole days until a case is due: 0 on the last day, negative once it is late."""
    return int((case.due_at - now).total_seconds() // _DAY)


def lines_of(text: str) -> list[str]:
    """Return a text's lines, so that a template can keep them apart."""
    return [line.strip() for line in text.strip().splitlines()]
