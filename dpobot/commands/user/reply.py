"""``reply [case] ...``: words for a human."""

from collections.abc import Sequence
from dataclasses import replace

from dpobot.commands import free_text, which
from dpobot.commands.free_text import Item
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.records import Case, Incoming, Reply
from dpobot.text.language import translatable

ORDER = 70


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Put the words into the named or newest open case; without one they become a question at once."""
    text = arguments.get("text", "")
    case = await which.named(context, incoming, arguments)
    if not text:
        raise Refusal("no_words")
    item = Item(incoming.event_id, text)
    if case is None:
        case = await which.for_words(context, incoming)
    elif not which.may_add(incoming, case):
        raise Refusal("untrusted_change", reference=case.reference)
    if case is None:
        return await free_text.pass_on(context, incoming, text)
    if case.closed_at is not None:
        asked = free_text.offered(context, "closed_case", reference=case.reference)
        return await free_text.offer(context, incoming, _about(case, item), asked, quietly=False)
    return [await free_text.add(context, case, item)]


def _about(case: Case, item: Item) -> Item:
    """Return words that are to become a new question, with the number of the old one."""
    return replace(item, text=f"{case.reference}: {item.text}")


COMMANDS = (
    Command(
        name="reply",
        summary=translatable("writes to a human of the DPO team; plain words without a command do the same"),
        run=run,
        aliases=("answer", "question", "ask", "antwort", "frage", "réponse", "human", "mensch"),
        synonyms=("talk to a human", "speak to a human", "mit einem menschen sprechen", "parler à un humain"),
        parameters=(
            Parameter("case", ParameterKind.CASE, "[case]"),
            Parameter("text", ParameterKind.TEXT, "your words"),
        ),
    ),
)
