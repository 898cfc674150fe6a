"""The bot's half of `delivery.courier`: sends the letters of other machines, in order for each room, each once.

A letter's key is the Matrix transaction ID (spec "Transaction identifiers"): sent again after a crash it is the same
event. What is refused is refused to the sender, with the same code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.engine.turns import Turns
from dpobot.errors import Rejected, Unavailable
from dpobot.matrix.api import Courier
from dpobot.model.ids import RoomId, UserId
from dpobot.store import letters
from dpobot.store.database import Database
from dpobot.store.letters import Letter, Waiting

NOT_SENT = "not_sent"  # a defect of ours: the sender hears that, and the log says which
_AT_ONCE = 8
_RETRY = timedelta(seconds=1)
_SLOWEST_RETRY = timedelta(seconds=30)
_GIVE_UP_AFTER = 10  # unexpected errors; an absent homeserver is waited for as long as somebody waits
_SOON, _CALM = 0.3, 1.0  # seconds between two looks
_BUSY_FOR = timedelta(seconds=10)  # so long after a letter more of them are expected
_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class _Delay:
    """When a room is tried again, and how often it has failed."""

    until: datetime
    attempts: int


class Postman(Turns[Waiting]):
    """Sends letters, several rooms at a time, one of a room at a time."""

    name = "postman"

    def __init__(self, database: Database, matrix: Courier, clock: Clock) -> None:
        super().__init__(_AT_ONCE)
        self._database = database
        self._matrix = matrix
        self._clock = clock
        self._delays: dict[RoomId, _Delay] = {}
        self._last: datetime | None = None  # when there was something to do

    async def _due(self, limit: int, busy: frozenset[UserId]) -> Sequence[Waiting]:
        now = self._clock.now()
        later = {room_id for room_id, delay in self._delays.items() if delay.until > now}
        found = await self._database.read(lambda tx: letters.due(tx, limit, busy | later))
        if found:
            self._last = now
        self._look_again = _SOON if self._last is not None and now - self._last < _BUSY_FOR else _CALM
        return found

    def _person(self, row: Waiting) -> UserId:
        return UserId(row.room_id)  # a room's letters are a line, as a person's messages are

    async def _work(self, row: Waiting) -> None:
        try:
            letter = await self._database.read(lambda tx: letters.read(tx, row))
            if letter is not None:
                await self._send(row, letter)
            self._delays.pop(row.room_id, None)
        except Unavailable as trouble:
            _logger.warning("postman.deferred", letter_id=row.id, code=trouble.code)
            self._defer(row, trouble.retry_after)
        except Exception:  # hardening: a defect must neither spin nor silence all later letters of this room
            _logger.exception("postman.error", letter_id=row.id)
            if self._defer(row, None) >= _GIVE_UP_AFTER:
                await self._refuse(row, NOT_SENT, None)

    async def _send(self, row: Waiting, letter: Letter) -> None:
        try:
            if letter.readers is not None:  # the sender has looked, too, but where nobody is told of who comes and goes
                await self._matrix.room(letter.room_id)
            event_id = await self._matrix.send(
                letter.room_id, letter.content, txn_id=letter.key, type_=letter.type, only=letter.readers
            )
        except Rejected as refusal:
            if refusal.status == 401:  # it is our token that is refused
                raise Unavailable(refusal.code) from refusal
            _logger.warning("postman.refused", letter_id=row.id, code=refusal.code)
            await self._refuse(row, refusal.code, refusal.status)
        else:
            now = self._clock.now()
            await self._database.write(lambda tx: letters.sent(tx, row, event_id, now))

    async def _refuse(self, row: Waiting, code: str, status: int | None) -> None:
        now = self._clock.now()
        await self._database.write(lambda tx: letters.refused(tx, row, code, status, now))
        self._delays.pop(row.room_id, None)

    def _defer(self, row: Waiting, retry_after: float | None) -> int:
        """Put a room off; return how often in a row that was."""
        known = self._delays.get(row.room_id)
        failed = known.attempts if known is not None else 0
        wait = timedelta(seconds=retry_after) if retry_after else min(_RETRY * 2 ** min(failed, 10), _SLOWEST_RETRY)
        self._delays[row.room_id] = _Delay(self._clock.now() + wait, failed + 1)
        return failed + 1
