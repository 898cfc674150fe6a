"""``lift reason``: the end of a restriction (Art. 18 GDPR)."""

from collections.abc import Sequence

from dpobot.cases import erasure
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import refuse_own, the_case
from dpobot.commands.staff_facts import lines_of
from dpobot.commands.to_person import say
from dpobot.errors import StaffRefusal
from dpobot.model.records import Reply, StaffMessage
from dpobot.model.words import CaseState, Kind
from dpobot.text.language import translatable

ORDER = 86


async def run(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """End a restriction; the person reads why before it ends (Art. 18(3) GDPR)."""
    case, reason = the_case(context), arguments["reason"]
    refuse_own(case, message)
    if case.kind is not Kind.RESTRICTION or case.state is not CaseState.DELIVERED:
        raise StaffRefusal("no_restriction", reference=case.reference)
    words = Reply("lift_announced", {"reference": case.reference, "lines": lines_of(reason)})
    said = await say(context, message, case, words, reason)
    await erasure.lift(context.tx, context.now, case, message.sender)
    return [*said.to_person, Reply("staff/lifting", {**said.told, "by": message.sender})]


COMMANDS = (
    StaffCommand(
        name="lift",
        summary=translatable("ends a restriction; the person reads the reason first"),
        run=run,
        parameters=(Parameter("reason", ParameterKind.TEXT, "reason"),),
    ),
)
