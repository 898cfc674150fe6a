"""The staff room's gate: who may say what there, asked anew at each message, with full user IDs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from dpobot.commands import staff_reactions
from dpobot.errors import StaffRefusal
from dpobot.inbox.gate import origin_of
from dpobot.matrix.api import Matrix
from dpobot.model.ids import EventId, UserId
from dpobot.model.records import IncomingKind, StaffMessage
from dpobot.model.words import Trust
from dpobot.staff.room import StaffRoom
from dpobot.store import people, prompts, staff_board, staff_threads
from dpobot.store.database import Database, Tx
from dpobot.store.inbox import InboxRow

_MOST_OF_AN_ANSWER = 40  # characters of a typed code or number


@dataclass(frozen=True, slots=True)
class StaffAdmitted:
    """Said by somebody who is staff at this moment. ``master_key`` is to be pinned if there is none yet."""

    message: StaffMessage
    master_key: str | None = None


@dataclass(frozen=True, slots=True)
class StaffTurned:
    """Not dealt with: answered with a refusal, or with nothing. ``case_id``: in whose thread it was said."""

    refusal: StaffRefusal | None = None
    case_id: int | None = None


class StaffGate:
    """Lets through what staff mean for the bot: commands, what stands in a case's thread, and shortcuts."""

    def __init__(
        self,
        database: Database,
        matrix: Matrix,
        room: StaffRoom,
        understands: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._database = database
        self._matrix = matrix
        self._room = room
        self._understands = understands

    async def admit(self, row: InboxRow) -> StaffAdmitted | StaffTurned:
        """Return the message of a member of staff, or how it is turned away. Raises `Unavailable`."""
        case_id = await self._database.read(lambda tx: _case_of(tx, row))
        command = await self._asks_something(row)
        if case_id is None and not command:
            return StaffTurned()  # talk among those in the room: nobody asked us
        staff = await self._room.staffing(row.room_id)
        if row.sender not in staff:
            return StaffTurned(StaffRefusal("not_staff", who=row.sender), case_id) if command else StaffTurned()
        message = self._message(row, case_id, staff)
        if row.kind is IncomingKind.REACTION:
            return StaffAdmitted(message)  # the server could have forged it: it only ever does what can be undone
        return await self._trusted(row, message)

    async def _asks_something(self, row: InboxRow) -> bool:
        """Say whether a message is meant for the bot wherever it stands: a command, or what the bot has asked for."""
        if row.kind not in (IncomingKind.TEXT, IncomingKind.EDIT):
            return False
        words = words_of(row)
        if words.lstrip().startswith("!") or await self._understands(words):
            return True
        if len(words) > _MOST_OF_AN_ANSWER or len(words.split()) != 1:
            return False
        return await self._database.read(lambda tx: _is_asked(tx, row))

    async def _trusted(self, row: InboxRow, message: StaffMessage) -> StaffAdmitted | StaffTurned:
        if not row.encrypted:
            return StaffTurned(StaffRefusal("sent_in_clear", who=row.sender), message.case_id)
        person = await self._database.read(lambda tx: people.get(tx, row.sender))
        answer = await self._matrix.trust(row.sender, origin_of(row), person.master_key if person else None)
        if answer.trust is Trust.SIGNED:
            return StaffAdmitted(message, answer.master_key)
        if answer.trust is Trust.MISMATCH:
            return StaffTurned(StaffRefusal("forged", who=row.sender), message.case_id)
        refusal = StaffRefusal("untrusted_device", who=row.sender, trust=answer.trust.value)
        return StaffTurned(refusal, message.case_id)

    def _message(self, row: InboxRow, case_id: int | None, staff: frozenset[UserId]) -> StaffMessage:
        return StaffMessage(
            event_id=row.event_id,
            room_id=row.room_id,
            sender=row.sender,
            kind=row.kind,
            body=words_of(row) if row.kind is IncomingKind.EDIT else str(row.payload.get("body", "")),
            received_at=row.received_at,
            case_id=case_id,
            language=self._room.place(row.room_id).language,
            content=content_of(row),
            staff=staff,
        )


def words_of(row: InboxRow) -> str:
    """Return the words of a message; of an edit the new ones (spec 11.17.2 "Event replacements")."""
    if row.kind is IncomingKind.EDIT:
        return str(_mapping(content_of(row).get("m.new_content")).get("body", ""))
    return str(row.payload.get("body", ""))


def content_of(row: InboxRow) -> dict[str, Any]:
    """Return the content of a row's event."""
    return _mapping(row.payload.get("content"))


async def _case_of(tx: Tx, row: InboxRow) -> int | None:
    """Return the case that a message stands under, is about, or changes an earlier message of.

    A thread (spec 11.17.4 "Threading") and a reply to the card, which clients without threads write, count alike.
    """
    relation = _mapping(content_of(row).get("m.relates_to"))
    if row.kind is IncomingKind.EDIT:
        changed = relation.get("event_id")
        return await staff_board.case_that_holds(tx, EventId(changed)) if isinstance(changed, str) else None
    threaded = relation.get("rel_type") == "m.thread" or row.kind is IncomingKind.REACTION
    about = relation if threaded else _mapping(relation.get("m.in_reply_to"))
    root = about.get("event_id")
    if not isinstance(root, str):
        return None
    case_id = await staff_threads.case_of(tx, row.room_id, EventId(root))
    if case_id is None and row.kind is IncomingKind.REACTION and staff_reactions.approves(content_of(row)):
        return await staff_board.case_told_in(tx, row.room_id, EventId(root))  # such as the plan that shows a code
    return case_id


async def _is_asked(tx: Tx, row: InboxRow) -> bool:
    """Say whether the bot waits, or has waited in vain, for the sender's code or number in this room."""
    prompt = await prompts.newest(tx, row.sender)
    return prompt is not None and prompt.room_id == row.room_id


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
