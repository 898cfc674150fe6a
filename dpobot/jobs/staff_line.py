"""Lines in the staff room that nobody has asked for."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from dpobot.cases import holidays
from dpobot.delivery.messages import StaffPlace, key, post_staff
from dpobot.jobs.parts import Parts
from dpobot.model.ids import RoomId, UserId
from dpobot.model.records import Reply
from dpobot.store import bot_state
from dpobot.store.database import Tx
from dpobot.store.outbox import Relation

Staffing = Callable[[], Awaitable[frozenset[UserId]]]
"""Who is staff at this moment; asks the server. Raises `Unavailable` or `Rejected`."""


async def nobody() -> frozenset[UserId]:
    """Return that it is not known who is staff: then nobody is notified by name."""
    return frozenset()


class StaffLine:
    """Where staff are told something: the main time line, or the thread of a case."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.config = parts.config.staff
        self.zone = holidays.zone_of(parts.config.operator.country)

    async def room(self, tx: Tx) -> RoomId | None:
        """Return the staff room, None while there is none."""
        room_id = await bot_state.get(tx, bot_state.STAFF_ROOM) if self.config.wanted else None
        return None if room_id is None else RoomId(room_id)

    async def say(
        self, tx: Tx, now: datetime, room_id: RoomId, reply: Reply, *once: object, case_id: int | None = None
    ) -> None:
        """Say something, once for the same ``once``; in a case's thread if ``case_id`` names one."""
        relation = None if case_id is None else Relation.THREAD
        place = StaffPlace(room_id, self.config.language, case_id, relation)
        await post_staff(tx, self._parts.renderer, now, place, reply, key(reply.template, *once))
