"""The mouth: sends what the outbox holds, in order for each person, as often as needed, each message once.

The Matrix transaction ID derives from the row's key (spec 6.5 "Transaction identifiers"): sending again after a crash
gives the same event.
"""

from collections.abc import Sequence
from datetime import timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.delivery.rooms import check, find_or_open
from dpobot.engine.turns import Turns
from dpobot.errors import Rejected, Unavailable
from dpobot.matrix.api import Matrix
from dpobot.model.ids import RoomId, UserId
from dpobot.store import outbox, people
from dpobot.store.database import Database
from dpobot.store.outbox import OutboxRow

_RETRY = timedelta(seconds=3)
_SLOWEST_RETRY = timedelta(minutes=10)
_GIVE_UP_AFTER = 10  # unexpected errors; an absent homeserver is waited for without end
_FRESH = timedelta(seconds=5)  # the room was looked at when the message was decided; later it is looked at again
_AT_ONCE = 8
_logger = log.get(__name__)


class Outbox(Turns[OutboxRow]):
    """Sends messages that are rows."""

    name = "outbox"

    def __init__(self, database: Database, matrix: Matrix, clock: Clock) -> None:
        super().__init__(_AT_ONCE)
        self._database = database
        self._matrix = matrix
        self._clock = clock

    async def _due(self, limit: int, busy: frozenset[UserId]) -> Sequence[OutboxRow]:
        now = self._clock.now()
        rows = await self._database.read(lambda tx: outbox.due(tx, now, limit + len(busy)))
        return [row for row in rows if row.user_id not in busy][:limit]

    def _person(self, row: OutboxRow) -> UserId:
        return row.user_id

    async def _work(self, row: OutboxRow) -> None:
        try:
            await self._send(row)
        except Unavailable as trouble:
            _logger.warning("outbox.deferred", outbox_id=row.id, code=trouble.code)
            await self._defer(row, trouble.retry_after)
        except Rejected as refusal:
            _logger.warning("outbox.rejected", outbox_id=row.id, code=refusal.code)
            await self._give_up(row)
        except Exception:  # hardening: a defect must neither spin nor silence all later messages of this person
            _logger.exception("outbox.error", outbox_id=row.id)
            await (self._defer(row, None) if row.attempts + 1 < _GIVE_UP_AFTER else self._give_up(row))

    async def _send(self, row: OutboxRow) -> None:
        room_id = await self._room(row)
        if room_id is None:
            await self._give_up(row)
            return
        if row.cleartext:
            event_id = await self._matrix.send_cleartext_warning(room_id, row.content, txn_id=row.key)
        else:
            event_id = await self._matrix.send(room_id, row.content, txn_id=row.key, type_=row.type)
        await self._database.write(lambda tx: outbox.sent(tx, row.id, event_id, self._clock.now()))

    async def _room(self, row: OutboxRow) -> RoomId | None:
        """Return where the message may go now; None if the room it was meant for is no longer safe."""
        if row.cleartext:
            return row.room_id
        if row.room_id is None:
            person = await self._database.read(lambda tx: people.get(tx, row.user_id))
            return await find_or_open(self._matrix, row.user_id, person.room_id if person else None)
        if row.attempts == 0 and self._clock.now() - row.created_at < _FRESH:
            return row.room_id
        return row.room_id if await check(self._matrix, row.room_id, row.user_id) else None

    async def _give_up(self, row: OutboxRow) -> None:
        """Give up a message whose room can't be used: nothing personal follows a person into a room that changed."""
        await self._database.write(lambda tx: outbox.failed(tx, row.id, self._clock.now()))

    async def _defer(self, row: OutboxRow, retry_after: float | None) -> None:
        wait = (
            timedelta(seconds=retry_after) if retry_after else min(_RETRY * 2 ** min(row.attempts, 10), _SLOWEST_RETRY)
        )
        await self._database.write(lambda tx: outbox.defer(tx, row.id, self._clock.now() + wait))
