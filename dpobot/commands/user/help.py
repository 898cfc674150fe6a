"""``help [command]``."""

from collections.abc import Mapping, Sequence

from dpobot.commands import free_text
from dpobot.commands.access import PUBLIC
from dpobot.commands.parse import FreeText, normal
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.model.records import Incoming, Reply
from dpobot.text.language import translatable

ORDER = 10


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Show everything that can be said, or one command with its details."""
    wanted = arguments.get("command", "")
    command = _named(context.commands, wanted)
    if command is None and " " in wanted:  # a cry for help, not a question about a command
        return await free_text.take(context, incoming, FreeText(incoming.body.strip(), "help"))
    if command is None:
        return [Reply("help", {"commands": lines(context.commands), "numbered": True}, choices=tuple(context.commands))]
    values = {**line(command), "synonyms": command.synonyms[:3], "aliases": command.aliases}
    return [Reply("help_command", values)]


def lines(commands: Mapping[str, Command]) -> list[dict[str, str]]:
    """Return one line a command for the help text."""
    return [line(command) for command in commands.values()]


def line(command: Command) -> dict[str, str]:
    """Return how a command is written and what it does."""
    return {"name": command.name, "usage": command.usage, "summary": command.summary}


def _named(commands: Mapping[str, Command], text: str) -> Command | None:
    plain = normal(text)
    for command in commands.values():
        if plain in (normal(word) for word in (command.name, *command.aliases, *command.synonyms)):
            return command
    return None


COMMANDS = (
    Command(
        name="help",
        summary=translatable("what you can say here"),
        run=run,
        aliases=("hilfe", "aide"),
        synonyms=(
            "hello",
            "hi",
            "hey",
            "hallo",
            "bonjour",
            "start",
            "what can you do",
            "what can i do",
            "was kannst du",
            "que peux-tu faire",
            "guten tag",
            "good morning",
        ),
        parameters=(Parameter("command", ParameterKind.TEXT, "[command]", most_words=6),),
        access=PUBLIC,
    ),
)
