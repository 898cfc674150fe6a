"""``approve [CODE]``."""

from collections.abc import Sequence

from dpobot.cases import decisions
from dpobot.commands.codes import CODE
from dpobot.commands.spec import Arguments, Outcome, StaffCommand, StaffContext
from dpobot.commands.staff_case import refuse_own, the_case
from dpobot.commands.to_person import tell
from dpobot.errors import StaffRefusal
from dpobot.model.records import Json, Reply, StaffMessage
from dpobot.store import approvals
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
    return {"approval": approval, "first": known[0] if known else None}


async def perform(context: StaffContext, message: StaffMessage, plan: Json) -> Sequence[Outcome]:
    """Approve exactly that; the work begins, unless a second person must approve as well."""
    case, approval = the_case(context), plan["approval"]
    approved = await decisions.approve(
        context.tx, context.now, case, message.sender, _hash(approval), approval["second"]
    )
    if not approved.complete:
        return [Reply("staff/approved_first", {"reference": case.reference, "by": message.sender})]
    said = tell(context, approved.case, Reply("case_approved", {"reference": case.reference, "kind": case.kind.value}))
    values = {**said.told, "by": message.sender, "first": approved.first, "job": approval["job"]}
    return [*said.to_person, Reply("staff/approved", values)]


async def _approval(context: StaffContext) -> dict[str, object]:
    case = the_case(context)
    second = case.kind in context.staff_rules.second_approver
    return await decisions.approval_plan(context.tx, case, second)


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
