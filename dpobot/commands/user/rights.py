"""``rights``."""

from collections.abc import Sequence

from dpobot.commands.access import PUBLIC
from dpobot.commands.spec import Arguments, Command, Context
from dpobot.model.records import Incoming, Reply
from dpobot.text.language import translatable

ORDER = 30


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Show the eight rights, each with the word that exercises it."""
    return [Reply("rights")]


COMMANDS = (
    Command(
        name="rights",
        summary=translatable("your eight rights, and the word that starts each of them"),
        run=run,
        aliases=("rechte", "droits"),
        synonyms=("my rights", "what are my rights", "meine rechte", "mes droits", "quels sont mes droits"),
        access=PUBLIC,
    ),
)
