"""Which of a person's cases a message is about."""

from collections.abc import Sequence
from datetime import datetime

from dpobot.cases import queries
from dpobot.commands.spec import Arguments, Context
from dpobot.errors import Refusal
from dpobot.model.records import Case, Incoming
from dpobot.model.words import Channel, Trust
from dpobot.store import case_messages
from dpobot.store.case_messages import Direction

_LOOKED_AT = 20  # of the newest open cases: far more than anybody has


async def named(context: Context, incoming: Incoming, arguments: Arguments) -> Case | None:
    """Return the case that the message names, None if it names none.

    Raises `Refusal` ``unknown_case`` for a case that doesn't exist and, in the same words, for somebody else's.
    """
    reference = arguments.get("case")
    if reference is None:
        return None
    case = await queries.by_reference(context.tx, incoming.sender, reference)
    if case is None:
        raise Refusal("unknown_case", reference=reference)
    return case


def only(cases: Sequence[Case], command: str) -> Case | None:
    """Return the one case there is, None if there is none. Raises `Refusal` ``which_case`` if there are several."""
    if len(cases) > 1:
        shown = [{"reference": case.reference, "kind": case.kind.value} for case in cases]
        raise Refusal("which_case", command=command, cases=shown)
    return cases[0] if cases else None


async def for_words(context: Context, incoming: Incoming) -> Case | None:
    """Return the open case that words of this message go into: the one that we spoke of last.

    We speak of a case when it is opened, when it is paused to wait for the person, and when a human writes to them.
    What comes from an unverified device never changes a verified case (product: Identity), and what comes from a
    verified one goes into an unverified case only if there is no other.
    """
    cases = await queries.open_of_person(context.tx, incoming.sender)
    fitting = [case for case in cases[:_LOOKED_AT] if may_add(incoming, case)]
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    spoken = [(_ours(case), await _spoken_at(context, case), case.id, case) for case in fitting]
    return max(spoken, key=lambda each: each[:3])[3]


def may_add(incoming: Incoming, case: Case) -> bool:
    """Say whether the device of a message may add to a case."""
    return case.trust is not Trust.SIGNED or incoming.trust is Trust.SIGNED


def alike(incoming: Incoming, case: Case) -> bool:
    """Say whether a case was asked for from a device that is known as well as that of a message."""
    return (case.trust is Trust.SIGNED) is (incoming.trust is Trust.SIGNED)


async def asked_since(context: Context, case: Case, moment: datetime) -> bool:
    """Say whether one of us has written to the person in a case, or paused it for them, since a moment."""
    return any(at > moment for at in await _asked_at(context, case))


def _ours(case: Case) -> bool:
    """Say whether nobody can have opened a case in the person's name: it is proven, or staff have opened it."""
    return case.proven or case.channel is not Channel.MATRIX


async def _spoken_at(context: Context, case: Case) -> datetime:
    return max([case.received_at, *await _asked_at(context, case)])


async def _asked_at(context: Context, case: Case) -> list[datetime]:
    replies = await case_messages.of_case(context.tx, case.id, Direction.REPLY)
    return [*([case.paused_at] if case.paused_at else []), *(reply.at for reply in replies[-1:])]
