"""What staff commands show of an erasure: its plan, and what has failed."""

from collections.abc import Mapping
from typing import Any

from dpobot.cases import progress
from dpobot.cases.progress import Progress, failures
from dpobot.commands.spec import StaffContext
from dpobot.errors import StaffRefusal
from dpobot.model.records import Case
from dpobot.model.words import Kind

_MOST_ROOMS = 20  # that are named; of the others the number is said


async def erasure_of(context: StaffContext, case: Case) -> Progress:
    """Return how far an erasure is. Raises `StaffRefusal`: ``no_erasure``, ``no_plan_yet`` if none is known."""
    refuse_other(case)
    found = await progress.of_case(context.tx, case)
    if found is None:
        raise StaffRefusal("no_plan_yet", reference=case.reference)
    return found


def refuse_other(case: Case) -> None:
    """Raise `StaffRefusal` ``no_erasure`` for a case of another kind."""
    if case.kind is not Kind.ERASURE:
        raise StaffRefusal("no_erasure", reference=case.reference)


def plan_shown(found: Progress) -> Mapping[str, Any]:
    """Return the newest plan for a template. Raises `StaffRefusal` ``no_plan_yet``."""
    case, erasure = found.case, found.erasure
    if erasure.plan is None or erasure.plan_hash is None:
        raise StaffRefusal("no_plan_yet", reference=case.reference)
    return {
        "reference": case.reference,
        "person": case.person,
        "plan": erasure.plan,
        "plan_hash": erasure.plan_hash,
        "at": erasure.surveyed_at,
        "erasure": found.values(),
    }


def what_failed(found: Progress) -> Mapping[str, Any]:
    """Return as JSON what has failed: how often each code, which steps, which rooms."""
    rooms = [
        {"room_id": room.room_id, "events": room.events, "error": room.error or "unknown"}
        for room in found.failed[:_MOST_ROOMS]
    ]
    return {
        "failures": failures(found.erasure, found.failed),
        "steps": [{"step": step, "code": code} for step, code in sorted(found.erasure.failures.items())],
        "rooms": rooms,
        "more": found.rooms.get("failed", 0) - len(rooms),
    }
