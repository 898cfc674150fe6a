"""``cancel [case]`` and ``undo``."""

from collections.abc import Sequence

from dpobot.cases import queries, service
from dpobot.commands import which
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.records import Case, Incoming, Reply
from dpobot.model.words import CaseState, Channel
from dpobot.text.language import translatable

ORDER = 100
_LOOKED_AT = 50


async def run_cancel(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Withdraw a request, as long as nothing irreversible has begun."""
    case = await which.named(context, incoming, arguments)
    if case is None:
        cases = await queries.open_of_person(context.tx, incoming.sender)
        case = which.only([each for each in cases if each.state is not CaseState.DELIVERED], "cancel")
    if case is None:
        raise Refusal("nothing_to_cancel")
    return await _withdraw(context, incoming, case)


async def run_undo(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Take the newest request of this person's verified, or unverified, devices back; an older one is never meant."""
    cases = await queries.of_person(context.tx, incoming.sender, _LOOKED_AT)
    newest = next((case for case in cases if _asked_like_this(case, incoming)), None)
    if newest is None or newest.state is CaseState.WITHDRAWN:
        raise Refusal("nothing_to_cancel")
    return await _withdraw(context, incoming, newest)


def _asked_like_this(case: Case, incoming: Incoming) -> bool:
    """Say whether a case was asked for here, from a device known as well as this one: nobody's requests get between."""
    return case.channel is Channel.MATRIX and which.alike(incoming, case)


async def _withdraw(context: Context, incoming: Incoming, case: Case) -> Sequence[Reply]:
    await service.withdraw(context.tx, context.now, case, incoming.sender, incoming.trust)
    return [Reply("cancelled", {"reference": case.reference, "kind": case.kind.value})]


COMMANDS = (
    Command(
        name="cancel",
        summary=translatable("takes a request back"),
        run=run_cancel,
        aliases=("withdraw", "stop", "abbrechen", "annuler"),
        synonyms=("cancel my request", "cancel the request", "withdraw my request", "anfrage zurückziehen"),
        parameters=(Parameter("case", ParameterKind.CASE, "[case]"),),
    ),
    Command(
        name="undo",
        summary=translatable("takes your newest request back"),
        run=run_undo,
        aliases=("rückgängig", "annule"),
        synonyms=("undo that", "take that back", "mach das rückgängig", "annule ça"),
    ),
)
