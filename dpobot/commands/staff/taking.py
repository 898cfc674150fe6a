"""``claim`` and ``assign @x``."""

from collections.abc import Sequence

from dpobot.cases import decisions
from dpobot.commands.parse import normal
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import the_case
from dpobot.errors import StaffRefusal
from dpobot.model.ids import UserId
from dpobot.model.records import Case, Reply, StaffMessage
from dpobot.text.language import translatable

ORDER = 20
_NOBODY = frozenset({"nobody", "none", "unassign", "no one", "noone"})
_MYSELF = frozenset({"me", "myself"})


async def run_claim(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Take the case on."""
    return await claim(context, message, the_case(context))


async def claim(context: StaffContext, message: StaffMessage, case: Case) -> Sequence[Outcome]:
    """Give a case to the sender."""
    claimed = await decisions.claim(context.tx, context.now, case, message.sender)
    return [Reply("staff/claimed", {"reference": claimed.reference, "by": message.sender})]


async def run_assign(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Give the case to somebody else, or to nobody."""
    case = the_case(context)
    to = _meant(message, arguments["to"])
    if to is not None and to not in message.staff:
        raise StaffRefusal("not_on_staff", who=to, staff=sorted(message.staff))
    await decisions.assign(context.tx, context.now, case, message.sender, to)
    mentions = (to,) if to is not None and to != message.sender else ()
    return [Reply("staff/assigned", {"reference": case.reference, "to": to}, mentions=mentions)]


def _meant(message: StaffMessage, word: str) -> UserId | None:
    """Return whom a word means: a full user ID, nobody, the sender, or the one person whom the message mentions.

    Clients write a display name where somebody was mentioned; whom they mean stands in ``m.mentions`` (spec 11.2.1).
    """
    if normal(word) in _NOBODY:
        return None
    if normal(word) in _MYSELF:
        return message.sender
    mentions = message.content.get("m.mentions")
    mentioned = mentions.get("user_ids") if isinstance(mentions, dict) else None
    if not word.startswith("@") and isinstance(mentioned, list) and len(mentioned) == 1:
        return UserId(str(mentioned[0]))
    return UserId(word)


COMMANDS = (
    StaffCommand(
        name="claim",
        summary=translatable("takes the case on"),
        run=run_claim,
    ),
    StaffCommand(
        name="assign",
        summary=translatable("gives the case to a colleague, or to nobody"),
        run=run_assign,
        parameters=(Parameter("to", ParameterKind.TEXT, "@x", most_words=1),),
    ),
)
