"""Asking for something that a person of the DPO team reads: the case, and the words in it."""

from collections.abc import Sequence

from dpobot.cases import queries, service
from dpobot.commands import free_text, which
from dpobot.commands.free_text import Item
from dpobot.commands.opening import open_case
from dpobot.commands.spec import Context
from dpobot.errors import Refusal
from dpobot.model.records import Case, Incoming, Reply
from dpobot.model.words import CaseState, Kind

# Art. 18(1): the four grounds on which use may be restricted, in the order in which its sentence shows them
_GROUNDS = ("a", "b", "c", "d")
FIELD = "field"  # in a case's options: what the homeserver itself is to put right


async def by_hand(kind: Kind, context: Context, incoming: Incoming, text: str) -> Sequence[Reply]:
    """Open a case of a kind with the person's words in it; further words go into the case that is open already."""
    case = await open_already(kind, context, incoming)
    if case is not None:
        return [await more(context, incoming, case, text)]
    case = await open_case(context, incoming, kind)
    if text:
        await service.add_message(context.tx, context.now, case, incoming.event_id, text, context.rules)
    values = {"reference": case.reference, "due_at": case.due_at, "words": bool(text), "local": incoming.local}
    return [Reply(f"request_{kind.value}", values, choices=() if text else _guided(kind, case))]


async def open_already(kind: Kind, context: Context, incoming: Incoming, field: str | None = None) -> Case | None:
    """Return the unanswered case of this kind, asked for from a device known as well, unless this message opened it.

    ``field``: the one in which the homeserver itself is to put that right; None: one for human hands.
    """
    for case in await queries.open_of_person(context.tx, incoming.sender):
        same = case.kind is kind and case.options.get(FIELD) == field and case.event_id != incoming.event_id
        same = same and not case.options.get(service.COPIES)
        if same and case.state is not CaseState.DELIVERED and which.alike(incoming, case):
            return case
    return None


async def more(context: Context, incoming: Incoming, case: Case, text: str) -> Reply:
    """Add words to the case that is open already. Raises `Refusal` ``already_open`` if there are none."""
    if not text:
        raise Refusal("already_open", reference=case.reference)
    return await free_text.add(context, case, Item(incoming.event_id, text))


def _guided(kind: Kind, case: Case) -> tuple[str, ...]:
    """Return answers to the question that the acknowledgement asks, to be picked by number."""
    if kind is not Kind.RESTRICTION:
        return ()
    return tuple(f"reply {case.reference} Art. 18(1)({ground})" for ground in _GROUNDS)
