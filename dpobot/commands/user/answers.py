"""``yes`` and ``no``: answers to what the bot asked."""

from collections.abc import Sequence

from dpobot.commands import erase_codes, free_text
from dpobot.commands.spec import Arguments, Command, Context
from dpobot.model.records import Incoming, Reply
from dpobot.text.language import translatable

ORDER = 120


async def run_yes(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Do what was offered; a yes to nothing is free text, perhaps for a human. A yes does not confirm an erasure."""
    if await erase_codes.is_asked_for(context, incoming, [free_text.PASS_ON]):
        return [Reply("erase_needs_code")]
    return await free_text.answered(context, incoming, yes=True)


async def run_no(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Drop what was offered."""
    return await free_text.answered(context, incoming, yes=False)


COMMANDS = (
    Command(
        name="yes",
        summary=translatable("agrees to what I offered"),
        run=run_yes,
        aliases=("y", "ja", "oui", "ok", "okay", "yep", "sure"),
        synonyms=("yes please", "ja bitte", "oui s'il vous plaît", "pass it on", "go ahead"),
    ),
    Command(
        name="no",
        summary=translatable("declines it"),
        run=run_no,
        aliases=("n", "nein", "non", "nope"),
        synonyms=("no thanks", "no thank you", "nein danke", "non merci"),
    ),
)
