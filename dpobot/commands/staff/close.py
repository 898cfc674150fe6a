"""``close [text]``."""

from collections.abc import Sequence

from dpobot.cases import decisions, queries
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import the_case
from dpobot.commands.staff_facts import lines_of
from dpobot.commands.to_person import say, tell
from dpobot.model.records import Reply, StaffMessage
from dpobot.text.language import translatable

ORDER = 70


async def run(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Close an answered case; last words, if there are any, are an answer themselves."""
    case, text = the_case(context), arguments.get("text", "")
    words = Reply(
        "case_closed", {"reference": case.reference, "kind": case.kind.value, "lines": lines_of(text) if text else []}
    )
    said = await say(context, message, case, words, text) if text else tell(context, case, words)
    newest = await queries.by_id(context.tx, case.id)
    await decisions.close(context.tx, context.now, newest or case, message.sender)
    return [*said.to_person, Reply("staff/closed", {**said.told, "by": message.sender})]


COMMANDS = (
    StaffCommand(
        name="close",
        summary=translatable("closes an answered case; after a colon, with last words to the person"),
        run=run,
        parameters=(Parameter("text", ParameterKind.TEXT, "[text]"),),
    ),
)
