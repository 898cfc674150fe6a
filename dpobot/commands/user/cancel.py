"""``cancel [case]``."""

from collections.abc import Sequence

from dpobot.cases import queries, service
from dpobot.commands import which
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.records import Incoming, Reply
from dpobot.model.words import CaseState
from dpobot.text.language import translatable

ORDER = 100


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Withdraw a request, as long as nothing irreversible has begun."""
    case = await which.named(context, incoming, arguments)
    if case is None:
        cases = await queries.open_of_person(context.tx, incoming.sender)
        case = which.only([each for each in cases if each.state is not CaseState.DELIVERED], "cancel")
    if case is None:
        raise Refusal("nothing_to_cancel")
    await service.withdraw(context.tx, context.now, case, incoming.sender, incoming.trust)
    return [Reply("cancelled", {"reference": case.reference, "kind": case.kind.value})]


COMMANDS = (
    Command(
        name="cancel",
        summary=translatable("takes a request back"),
        run=run,
        aliases=("withdraw", "stop", "abbrechen", "annuler"),
        synonyms=("cancel my request", "cancel the request", "withdraw my request", "anfrage zurückziehen"),
        parameters=(Parameter("case", ParameterKind.CASE, "[case]"),),
    ),
)
