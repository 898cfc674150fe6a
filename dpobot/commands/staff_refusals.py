"""Refusals that say more than the rooms below know: who did what and when, what is missing, and who can add it."""

from dpobot.audit import trail
from dpobot.cases import queries
from dpobot.cases.service import confirmed_by_person, job_of
from dpobot.commands import worksheet
from dpobot.commands.spec import StaffContext
from dpobot.errors import StaffRefusal
from dpobot.model.ids import Reference

# codes of room `cases` that say that the case isn't where the command needs it
_STALE = frozenset({"case_over", "not_approvable", "wrong_state", "extended_already", "plan_changed"})
_LACKING = frozenset({"no_plan_yet", "not_assessed"})
_TALK = frozenset({"case.message", "case.note", "case.file"})


async def with_facts(context: StaffContext, refusal: StaffRefusal) -> StaffRefusal:
    """Return a refusal with who brought the case to where it is, or what it lacks; most are returned as they are."""
    if refusal.code in _LACKING:
        return StaffRefusal(refusal.code, **{**refusal.values, **await _lacking(context, refusal)})
    if refusal.code not in _STALE:
        return refusal
    return StaffRefusal(
        refusal.code, **{**await _last(context, moves=refusal.code != "plan_changed"), **refusal.values}
    )


async def _lacking(context: StaffContext, refusal: StaffRefusal) -> dict[str, object]:
    """Return what the worksheet lacks, and who makes a plan come about: the person, we, or nobody (``remote``)."""
    case = await queries.any_by_reference(context.tx, Reference(str(refusal.values["reference"])))
    if case is None:
        raise refusal
    by = "person" if confirmed_by_person(case) else "us"
    missing = worksheet.missing(await worksheet.lines(context.tx, case))
    return {"missing": missing, "by": "remote" if job_of(case) is None else by}


async def changed(context: StaffContext) -> StaffRefusal:
    """Return the refusal of a change that a colleague's was faster than, or that no longer fits."""
    return StaffRefusal("case_changed", **await _last(context, moves=False))


async def _last(context: StaffContext, *, moves: bool) -> dict[str, object]:
    """Return who did what last to the case at hand, or who moved it last; None where nobody did."""
    case = context.case
    rows = [] if case is None else await trail.of_case(context.tx, case.id)
    fitting = (row for row in reversed(rows) if ("to_state" in row.detail if moves else row.action not in _TALK))
    row = next(fitting, None)
    return {
        "reference": case.reference if case else None,
        "last_actor": row.actor if row else None,
        "last_action": row.action if row else None,
        "last_at": row.at if row else None,
    }
