"""``extend MONTHS reason``, ``pause reason`` and ``resume``: by when the answer is due."""

from collections.abc import Sequence

from dpobot.cases import decisions
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import the_case
from dpobot.commands.staff_facts import lines_of
from dpobot.commands.to_person import say, tell
from dpobot.model.records import Reply, StaffMessage
from dpobot.text.language import translatable

ORDER = 40


async def run_extend(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Take more time for the answer, and tell the person why (Art. 12(3) GDPR)."""
    case, months = the_case(context), int(arguments["months"])
    extended = await decisions.extend(context.tx, context.now, case, message.sender, months, context.rules)
    words = {
        "reference": case.reference,
        "kind": case.kind.value,
        "months": months,
        "due_at": extended.due_at,
        "lines": lines_of(arguments["reason"]),
    }
    said = await say(context, message, extended, Reply("case_extended", words), arguments["reason"])
    return [*said.to_person, Reply("staff/extended", {**said.told, "due_at": extended.due_at})]


async def run_pause(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Wait for the person, and tell them for what."""
    case = the_case(context)
    paused = await decisions.pause(context.tx, context.now, case, message.sender)
    words = {"reference": case.reference, "kind": case.kind.value, "lines": lines_of(arguments["reason"])}
    said = await say(context, message, paused, Reply("case_paused", words), arguments["reason"])
    return [*said.to_person, Reply("staff/paused", said.told)]


async def run_resume(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Go on; the answer is due later by the time of the pause."""
    case = the_case(context)
    resumed = await decisions.resume(context.tx, context.now, case, message.sender, context.rules)
    words = {"reference": case.reference, "kind": case.kind.value, "due_at": resumed.due_at}
    said = tell(context, resumed, Reply("case_resumed", words))
    return [*said.to_person, Reply("staff/resumed", {**said.told, "due_at": resumed.due_at})]


_MONTHS = {"1": "1", "one": "1", "2": "2", "two": "2"}

COMMANDS = (
    StaffCommand(
        name="extend",
        summary=translatable("takes one or two months more for the answer; the person reads the reason"),
        run=run_extend,
        parameters=(
            Parameter("months", ParameterKind.CHOICE, "MONTHS", _MONTHS),
            Parameter("reason", ParameterKind.TEXT, "reason"),
        ),
    ),
    StaffCommand(
        name="pause",
        summary=translatable("waits for the person, who reads for what; the time for the answer stands still"),
        run=run_pause,
        parameters=(Parameter("reason", ParameterKind.TEXT, "reason"),),
    ),
    StaffCommand(
        name="resume",
        summary=translatable("goes on with a paused case"),
        run=run_resume,
    ),
)
