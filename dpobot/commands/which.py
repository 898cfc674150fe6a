"""Which of a person's cases a message is about."""

from collections.abc import Sequence

from dpobot.cases import queries
from dpobot.commands.spec import Arguments, Context
from dpobot.errors import Refusal
from dpobot.model.records import Case, Incoming
from dpobot.model.words import Trust


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
    """Return the newest open case that words of this message may go into.

    What comes from an unverified device never changes a verified case (product: Identity).
    """
    cases = await queries.open_of_person(context.tx, incoming.sender)
    fitting = [case for case in cases if case.trust is not Trust.SIGNED or incoming.trust is Trust.SIGNED]
    return fitting[0] if fitting else None
