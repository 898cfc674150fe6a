"""``reply [case] ...``: words for a human."""

from collections.abc import Sequence

from dpobot.cases import service
from dpobot.commands import free_text, which
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.records import Incoming, Reply
from dpobot.model.words import Trust
from dpobot.text.language import translatable

ORDER = 70


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Put the words into the named or newest open case; without one they become a question at once."""
    text = arguments.get("text", "")
    case = await which.named(context, incoming, arguments)
    if not text:
        raise Refusal("no_words")
    if case is None:
        case = await which.for_words(context, incoming)
    elif case.trust is Trust.SIGNED and incoming.trust is not Trust.SIGNED:
        raise Refusal("untrusted_change", reference=case.reference)
    if case is None:
        return await free_text.pass_on(context, incoming, text)
    if case.closed_at is not None:
        raise Refusal("closed_case", reference=case.reference)
    await service.add_message(context.tx, context.now, case, incoming.event_id, text)
    return [Reply("free_text_added", {"reference": case.reference, "meant": None})]


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
