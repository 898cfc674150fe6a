"""The way out to a person: open unless breach mode is on, and into a room only that is safe at that moment."""

from dpobot import log
from dpobot.delivery.messages import Address, key, post
from dpobot.delivery.rooms import ROOM_NOT_SAFE, find
from dpobot.engine.api import Postponed
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs.parts import Parts
from dpobot.model.ids import RoomId
from dpobot.model.records import Case, Reply
from dpobot.store import bot_state, people, staff_rooms
from dpobot.store.database import Tx

DELIVERIES_PAUSED = "deliveries_paused"  # why a delivery waits in breach mode
_ASK_AGAIN = 10.0  # seconds until we look whether the person has come into a safe room
_PAUSED_AGAIN = 60.0  # seconds until we look whether deliveries go out again
_ROOM_CHANGED = frozenset({"other_members", "not_encrypted", "not_joined", "M_FORBIDDEN"})
_logger = log.get(__name__)


class WayOut:
    """One case's way out."""

    def __init__(self, parts: Parts, case: Case) -> None:
        self._parts = parts
        self._case = case

    async def unless_paused(self) -> None:
        """Wait while breach mode is on: nothing of anybody leaves this machine; the person is told once."""
        if await self._parts.database.read(lambda tx: bot_state.get(tx, bot_state.DELIVERIES_PAUSED)) is None:
            return
        await self._parts.database.write(lambda tx: self._tell(tx, "update_paused_deliveries"))
        raise Postponed(DELIVERIES_PAUSED, _PAUSED_AGAIN)

    async def safe_room(self) -> RoomId:
        """Return a room that is safe at this moment; else tell the person in one that will be, and wait for them."""
        await self.unless_paused()  # before anything is said about rooms
        person = await self._parts.database.read(lambda tx: people.get(tx, self._case.person))
        newest = person.room_id if person else None
        never = await self._parts.database.read(staff_rooms.ever)
        room_id = await find(self._parts.matrix, self._case.person, self._case.room_id, newest, never=never)
        if room_id is None:
            _logger.warning("delivery.room_not_safe", case_id=self._case.id)
            await self._parts.database.write(lambda tx: self._tell(tx, "delivery_waits"))
            raise Unavailable(ROOM_NOT_SAFE, _ASK_AGAIN)
        await self.unless_paused()  # finding one can take a while
        return room_id

    async def _tell(self, tx: Tx, template: str) -> None:
        """Say something to the person, once for this case."""
        reply, now = Reply(template, {"reference": self._case.reference}), self._parts.clock.now()
        address = Address(self._case.person)
        await post(tx, self._parts.renderer, now, address, reply, key(template, self._case.id))


def unless_room_changed(refusal: Rejected) -> Unavailable:
    """Return why a sending is tried again: the room has changed between the look and it. Else raises ``refusal``."""
    if refusal.code not in _ROOM_CHANGED:
        raise refusal
    return Unavailable(ROOM_NOT_SAFE, _ASK_AGAIN)
