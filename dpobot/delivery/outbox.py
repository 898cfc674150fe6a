"""The mouth: sends what the outbox holds, in order for each person, as often as needed, each message once.

The Matrix transaction ID derives from the row's key (spec 6.5 "Transaction identifiers"): sending again after a crash
gives the same event. To a person everything but a cleartext sentence is encrypted for them and the bot alone, whoever
comes in while it is being sent. The staff room only has to be encrypted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.delivery.attachments import UNREACHABLE, Attachments, Content, NotCopied
from dpobot.delivery.laments import Laments
from dpobot.delivery.relations import makes_card, related
from dpobot.delivery.rooms import ROOM_NOT_SAFE, check, find_or_open
from dpobot.engine.turns import Turns
from dpobot.errors import Rejected, Unavailable
from dpobot.matrix.api import Matrix
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.store import outbox, people, staff_rooms, staff_threads, staff_uploads
from dpobot.store.database import Database, Tx
from dpobot.store.outbox import OutboxRow

_RETRY = timedelta(seconds=3)
_SLOWEST_RETRY = timedelta(minutes=10)
_GIVE_UP_AFTER = 10  # unexpected errors; an absent homeserver is waited for without end
_FRESH = timedelta(seconds=5)  # the room was looked at when the message was decided; later it is looked at again
_FILE_ATTEMPTS = 8  # some ten minutes; while the homeserver is away nothing is sent, and none of them is final
_STAFF_PATIENCE = timedelta(days=1)  # so long a staff room that has shut us out may let us in again
_AT_ONCE = 8
_logger = log.get(__name__)


class Outbox(Turns[OutboxRow]):
    """Sends messages that are rows."""

    name = "outbox"

    def __init__(
        self, database: Database, matrix: Matrix, clock: Clock, attachments: Attachments, laments: Laments
    ) -> None:
        super().__init__(_AT_ONCE)
        self._database = database
        self._matrix = matrix
        self._clock = clock
        self._attachments = attachments
        self._laments = laments

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
            await (self._defer(row, None) if self._may_pass(row, refusal) else self._give_up(row))
        except Exception:  # hardening: a defect must neither spin nor silence all later messages of this person
            _logger.exception("outbox.error", outbox_id=row.id)
            await (self._defer(row, None) if row.attempts + 1 < _GIVE_UP_AFTER else self._give_up(row))

    async def _send(self, row: OutboxRow) -> None:
        room_id = await self._room(row)
        if room_id is None:
            _logger.warning("outbox.rejected", outbox_id=row.id, code=ROOM_NOT_SAFE)
            await self._give_up(row)
            return
        card = await self._database.read(lambda tx: _card(tx, row)) if row.relation is not None else None
        lost = None
        try:
            content = await self._content(row)
        except NotCopied as finding:
            _logger.warning("outbox.file_not_sent", outbox_id=row.id, code=finding.reason)
            lost = finding.reason
            content = await self._database.read(lambda tx: self._laments.instead(tx, row, lost))
        event_id = await self._deliver(row, room_id, related(content, row.relation, card))
        await self._database.write(lambda tx: self._sent(tx, row, _Sent(room_id, event_id, card is None, lost)))

    async def _room(self, row: OutboxRow) -> RoomId | None:
        """Return where the message may go now; None if the room it was meant for is no longer safe."""
        if row.cleartext or row.for_staff:
            return row.room_id
        never = await self._database.read(staff_rooms.ever)
        if row.room_id is None:
            person = await self._database.read(lambda tx: people.get(tx, row.user_id))
            return await find_or_open(self._matrix, row.user_id, person.room_id if person else None, never=never)
        if row.room_id in never:
            return None
        if row.attempts == 0 and self._clock.now() - row.created_at < _FRESH:
            return row.room_id
        return row.room_id if await check(self._matrix, row.room_id, row.user_id) else None

    async def _content(self, row: OutboxRow) -> Content:
        """Return what is said: the words, or the file, uploaded. Raises `NotCopied`, `Unavailable`."""
        if row.attachment is None:
            return row.content
        try:
            content = await self._attachments.enclose(row.content, row.attachment)
        except Unavailable as trouble:
            if row.attempts < _FILE_ATTEMPTS:
                raise
            raise NotCopied(UNREACHABLE) from trouble
        if row.for_staff and row.case_id is not None:  # before it is sent: another attempt is another upload
            case_id, url, now = row.case_id, Mxc(content["file"]["url"]), self._clock.now()
            await self._database.write(lambda tx: staff_uploads.add(tx, case_id, url, now))
        return content

    async def _deliver(self, row: OutboxRow, room_id: RoomId, content: Content) -> EventId:
        if row.cleartext:
            return await self._matrix.send_cleartext_warning(room_id, content, txn_id=row.key)
        both = None if row.for_staff else frozenset({row.user_id, self._matrix.user_id})
        try:
            return await self._matrix.send(room_id, content, txn_id=row.key, type_=row.type, only=both)
        except Rejected as refusal:
            if refusal.code == "other_members" and row.room_id is None:  # between the look and the sending
                raise Unavailable(ROOM_NOT_SAFE) from refusal
            raise

    async def _sent(self, tx: Tx, row: OutboxRow, sent: "_Sent") -> None:
        now = self._clock.now()
        if sent.first and row.case_id is not None and makes_card(row.relation):
            await staff_threads.noted(tx, row.case_id, sent.room_id, sent.event_id)
        if sent.lost is not None:
            await self._laments.file(tx, now, row, sent.lost)
        await outbox.sent(tx, row.id, sent.event_id, now)

    def _may_pass(self, row: OutboxRow, refusal: Rejected) -> bool:
        """Say whether a refusal is about us and not the message: our token, our place in the staff room."""
        if refusal.status == 401:
            return True
        patient = self._clock.now() - row.created_at < _STAFF_PATIENCE
        return row.for_staff and refusal.status == 403 and patient

    async def _give_up(self, row: OutboxRow) -> None:
        """Give up a message whose room can't be used: an answer stays where it was asked, or is not said at all."""
        await self._database.write(lambda tx: self._gave_up(tx, row))

    async def _gave_up(self, tx: Tx, row: OutboxRow) -> None:
        now = self._clock.now()
        await self._laments.message(tx, now, row)
        await outbox.failed(tx, row.id, now)

    async def _defer(self, row: OutboxRow, retry_after: float | None) -> None:
        wait = (
            timedelta(seconds=retry_after) if retry_after else min(_RETRY * 2 ** min(row.attempts, 10), _SLOWEST_RETRY)
        )
        await self._database.write(lambda tx: outbox.defer(tx, row.id, self._clock.now() + wait))


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a row has become. ``first``: the case had no card in this room; ``lost``: why its file was not sent."""

    room_id: RoomId
    event_id: EventId
    first: bool
    lost: str | None


async def _card(tx: Tx, row: OutboxRow) -> EventId | None:
    """Return the card of the row's case, if it stands in the same room."""
    if row.relation is None or row.case_id is None:
        return None
    thread = await staff_threads.get(tx, row.case_id)
    return thread.event_id if thread is not None and thread.room_id == row.room_id else None
