"""``language xx``."""

from collections.abc import Sequence

from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.records import Incoming, Reply
from dpobot.store import people
from dpobot.text import language

ORDER = 110


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Speak another language with this person from now on."""
    wanted = arguments.get("language", "")
    names = sorted(language.available().values())
    if not wanted:
        values = {"current": language.available()[_spoken(context)], "names": names}
        return [Reply("languages", values, choices=tuple(f"language {name}" for name in names))]
    code = language.normalise(wanted)
    if code is None:
        raise Refusal("unknown_language", text=wanted, names=names)
    await people.set_language(context.tx, incoming.sender, code)
    return [Reply("language_set", {"name": language.available()[code]})]


def _spoken(context: Context) -> str:
    return context.language if context.language in language.available() else language.DEFAULT


COMMANDS = (
    Command(
        name="language",
        summary=language.translatable("the language that I speak with you"),
        run=run,
        aliases=("sprache", "langue"),
        parameters=(Parameter("language", ParameterKind.TEXT, "[language]", most_words=2),),
    ),
)
