"""``access``: the statement (Art. 15(1) and (2) GDPR), made by the machine; words beside it reach a human."""

from collections.abc import Sequence

from dpobot.cases import service
from dpobot.commands import asking
from dpobot.commands.opening import open_case
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.model.records import Case, Incoming, Reply
from dpobot.model.words import CaseState, Kind
from dpobot.text.language import translatable

ORDER = 58


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Open the case of a statement, or add words to the one that is open; an account elsewhere is for human hands."""
    text = arguments.get("text", "")
    if not incoming.local:
        return await asking.by_hand(Kind.ACCESS, context, incoming, text)
    already = await asking.open_already(Kind.ACCESS, context, incoming)
    if already is not None and text:
        return [await asking.more(context, incoming, already, text)]
    case = await open_case(context, incoming, Kind.ACCESS, service.STATEMENT)
    if text:
        await service.add_message(context.tx, context.now, case, incoming.event_id, text, context.rules)
    return [_acknowledged(case, incoming, words=bool(text))]


def _acknowledged(case: Case, incoming: Incoming, *, words: bool) -> Reply:
    values = {"reference": case.reference, "due_at": case.due_at, "words": words}
    if case.state is not CaseState.REVIEW:
        return Reply("access_accepted", values)
    return Reply("access_waiting", {**values, "trust": incoming.trust.value})


COMMANDS = (
    Command(
        name="access",
        summary=translatable("a statement of what is held about you, why, how long, and who received it"),
        run=run,
        aliases=("auskunft", "accès"),
        synonyms=(
            "what do you know about me", "what data do you hold about me", "was wisst ihr über mich",
            "que savez-vous de moi",
        ),
        parameters=(Parameter("text", ParameterKind.TEXT, "[your words]"),),
    ),
)  # fmt: skip
