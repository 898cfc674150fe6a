"""``received [case]``."""

from collections.abc import Sequence

from dpobot.cases import queries, service
from dpobot.commands import which
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.records import Case, Incoming, Reply
from dpobot.model.words import CaseState, Kind
from dpobot.text.language import translatable

ORDER = 90


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Have the server's copy of a delivered archive deleted now."""
    case = await which.named(context, incoming, arguments)
    if case is None:
        cases = await queries.open_of_person(context.tx, incoming.sender)
        case = which.only([each for each in cases if _is_archive(each)], "received")
    if case is None:
        raise Refusal("nothing_to_receive")
    if not _is_archive(case):  # also a restriction in force, which one word must not end
        raise Refusal("not_delivered", reference=case.reference)
    await service.confirm_received(context.tx, context.now, case, incoming.sender, incoming.trust)
    return [Reply("received", {"reference": case.reference})]


def _is_archive(case: Case) -> bool:
    return case.state is CaseState.DELIVERED and case.kind not in (Kind.RESTRICTION, Kind.RECTIFICATION)


COMMANDS = (
    Command(
        name="received",
        summary=translatable("you have your archive: our copy of it is deleted at once"),
        run=run,
        aliases=("erhalten", "reçu"),
        synonyms=("got it", "i got it", "i have it", "i got the files", "habe ich erhalten", "bien reçu"),
        parameters=(Parameter("case", ParameterKind.CASE, "[case]"),),
    ),
)
