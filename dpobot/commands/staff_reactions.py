"""Reactions to a case's card: shortcuts for what can be undone; one that would approve is answered in the thread, too.

They are not encrypted, and an admin of any server in the room can forge them: nothing hangs on one that matters.
"""

from collections.abc import Mapping, Sequence

from dpobot.cases import queries
from dpobot.commands.spec import Outcome, StaffContext
from dpobot.commands.staff import queue, taking
from dpobot.model.ids import EventId
from dpobot.model.records import Case, Json, Reply, StaffMessage
from dpobot.store import staff_threads

_CLAIM = frozenset("✋🙋🖐")
_SHOW = frozenset("👀👁")
_NEXT = frozenset("➡⏭▶")
_APPROVING = frozenset("✅👍✔☑🆗👌🟢")
_ABSENT = {0xFE0F: None, 0xFE0E: None, 0x200D: None} | dict.fromkeys(range(0x1F3FB, 0x1F400))


async def take(context: StaffContext, message: StaffMessage) -> Sequence[Outcome]:
    """Do what a reaction to a card asks for; any other one does nothing.

    One to what the bot has said in a thread (``context.case``) is answered if it would approve something.
    """
    about, key = _about(message.content)
    case = await _case(context, message, about)
    if key in _APPROVING and (meant := case or context.case) is not None:
        return [Reply("staff/approval_by_reaction", {"reference": meant.reference})]
    if case is None:
        return []
    if key in _CLAIM:
        return await taking.claim(context, message, case)
    if key in _SHOW:
        return await queue.details(context, message, case)
    if key in _NEXT:
        return await queue.next_one(context, message, case)
    return []


def approves(content: Json) -> bool:
    """Say whether a reaction reads as an approval: none is given by it, and that is to be said."""
    return _about(content)[1] in _APPROVING


def _about(content: Json) -> tuple[EventId | None, str]:
    """Return which event is meant, and the character without variation selectors and skin tones (Unicode TR 51)."""
    relation = content.get("m.relates_to")
    if not isinstance(relation, Mapping) or relation.get("rel_type") != "m.annotation":
        return None, ""
    about, key = relation.get("event_id"), relation.get("key")
    if not isinstance(about, str) or not isinstance(key, str):
        return None, ""
    return EventId(about), key.translate(_ABSENT)


async def _case(context: StaffContext, message: StaffMessage, about: EventId | None) -> Case | None:
    if about is None:
        return None
    case_id = await staff_threads.case_of(context.tx, message.room_id, about)
    return None if case_id is None else await queries.by_id(context.tx, case_id)
