"""``help [command]``."""

from collections.abc import Mapping, Sequence

from dpobot.commands.parse import normal
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_arguments import EXAMPLES
from dpobot.model.records import Reply, StaffMessage
from dpobot.model.words import Ground
from dpobot.text.language import translatable

ORDER = 140


async def run(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Show everything that staff can say, or one command with an example."""
    command = _named(context, arguments.get("command", ""))
    if command is None:
        return [Reply("staff/help", {"commands": [_line(each) for each in context.commands.values()]})]
    values = {
        **_line(command),
        "example": EXAMPLES.get(command.name, command.name),
        "aliases": command.aliases,
        "grounds": [ground.value for ground in Ground] if command.name == "refuse" else [],
        "code": command.plan is not None,
    }
    return [Reply("staff/help_command", values)]


def _named(context: StaffContext, text: str) -> StaffCommand | None:
    plain = normal(text)
    vocabulary = context.commands.vocabulary
    name = vocabulary.phrases.get(plain) or vocabulary.words.get(plain)
    return context.commands[name] if name else None


def _line(command: StaffCommand) -> Mapping[str, str]:
    return {"name": command.name, "usage": command.usage, "summary": command.summary}


COMMANDS = (
    StaffCommand(
        name="help",
        summary=translatable("what staff can say here"),
        run=run,
        parameters=(Parameter("command", ParameterKind.TEXT, "[command]"),),
        needs_case=False,
    ),
)
