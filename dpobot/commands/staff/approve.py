"""``approve [CODE]``."""

from collections.abc import Sequence
from datetime import datetime

from dpobot.cases import decisions, safeguards, service
from dpobot.commands.codes import CODE
from dpobot.commands.spec import Arguments, Outcome, StaffCommand, StaffContext
from dpobot.commands.staff_case import refuse_own, the_case
from dpobot.commands.to_person import tell
from dpobot.errors import StaffRefusal
from dpobot.model.records import Json, Reply, StaffMessage
from dpobot.store import approvals, erasures
from dpobot.text.language import translatable

ORDER = 30


async def plan(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Json:
    """Return what the approval would do; ``first``: who else has approved exactly this already, where two must.

    Raises `StaffRefusal` ``own_approval`` for the one who has approved it already.
    """
    case = the_case(context)
    refuse_own(case, message)
    await decisions.refuse_unapprovable(context.tx, case)
    approval = await _approval(context)
    known = [each.approver for each in await approvals.of_case(context.tx, case.id) if each.plan == _hash(approval)]
    if approval["second"] and message.sender in known:
        raise StaffRefusal("own_approval", reference=case.reference)
    return {
        "approval": approval,
        "first": known[0] if known else None,
        "erasure": await _erasure(context) if approval["erasure"] else None,
    }


async def perform(context: StaffContext, message: StaffMessage, plan: Json) -> Sequence[Outcome]:
    """Approve exactly that; the work begins, unless a second person must approve as well."""
    case, approval = the_case(context), plan["approval"]
    approved = await decisions.approve(
        context.tx, context.now, case, message.sender, _hash(approval), approval["second"]
    )
    if not approved.complete:
        return [Reply("staff/approved_first", {"reference": case.reference, "by": message.sender})]
    work = {"job": approval["job"], "until": await _until(context) if approval["job"] == "erase" else None}
    scope = (case.options.get(service.EXCEPTIONAL) or {}).get("scope")
    words = {"reference": case.reference, "kind": case.kind.value, "scope": scope, **work}
    said = tell(context, approved.case, Reply("case_approved", words))
    values = {**said.told, "by": message.sender, "first": approved.first, **work}
    return [*said.to_person, Reply("staff/approved", values)]


async def _until(context: StaffContext) -> datetime | None:
    """Return before when an approved erasure doesn't begin, None if it may now."""
    known = await erasures.get(context.tx, the_case(context).id)
    until = None if known is None else known.cooled_off_at
    return until if until is not None and until > context.now else None


async def _approval(context: StaffContext) -> dict[str, object]:
    case = the_case(context)
    second = case.kind in context.staff_rules.second_approver
    return await decisions.approval_plan(context.tx, case, second, context.now)


async def _erasure(context: StaffContext) -> Json:
    """Return what is shown beside an erasure's plan: its hash, and when it may begin at the earliest.

    ``cooled_off_at`` is None where the time to think begins with the approval; ``hours`` is how long it lasts.
    """
    known = await erasures.get(context.tx, the_case(context).id)
    force = await safeguards.in_force(context.tx, context.now)
    cooled_off_at = known.cooled_off_at if known else None
    return {
        "hash": known.plan_hash if known else None,
        "confirmed_at": known.confirmed_at.isoformat() if known and known.confirmed_at else None,
        "cooled_off_at": cooled_off_at.isoformat() if cooled_off_at else None,
        "hours": int(force.cooling_off.total_seconds() // 3600),
        "copied": known.options.copy.value if known else None,
    }


def _hash(approval: Json) -> str:
    return decisions.plan_hash(dict(approval))


COMMANDS = (
    StaffCommand(
        name="approve",
        summary=translatable("lets the request be carried out; shows what would happen, and asks for a typed code"),
        plan=plan,
        perform=perform,
        parameters=(CODE,),
    ),
)
