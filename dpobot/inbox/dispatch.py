"""From a row of the inbox to what is said: the error boundary of the chat side.

Everything that a message causes in the database (case, audit row, wish for a job, answers, "done") is one transaction.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.commands.desk import Desk, refused
from dpobot.delivery.messages import Address, key, post
from dpobot.errors import Refusal, Unavailable
from dpobot.inbox.choices import offer
from dpobot.inbox.gate import Admitted, Gate, Turned, remember
from dpobot.inbox.invites import Invites
from dpobot.inbox.late import received, resolve
from dpobot.inbox.notices import NoticeInbox
from dpobot.inbox.once import say_once
from dpobot.inbox.staff import StaffInbox
from dpobot.matrix.api import Matrix
from dpobot.model.records import IncomingKind, Reply
from dpobot.store import inbox, people
from dpobot.store.database import Database, Tx
from dpobot.store.inbox import InboxRow
from dpobot.store.people import Person
from dpobot.text.render import Renderer

_RETRY = timedelta(seconds=3)
_SLOWEST_RETRY = timedelta(minutes=5)
_GIVE_UP_AFTER = 5  # unexpected errors; an absent homeserver is waited for without end
_logger = log.get(__name__)


class Dispatcher:
    """Handles one row at a time of each sender."""

    def __init__(
        self,
        database: Database,
        matrix: Matrix,
        renderer: Renderer,
        desk: Desk,
        clock: Clock,
        staff: StaffInbox,
        notices: NoticeInbox,
        committed: Callable[[], None],
    ) -> None:
        self._database = database
        self._matrix = matrix
        self._renderer = renderer
        self._desk = desk
        self._clock = clock
        self._staff = staff
        self._notices = notices
        self._committed = committed
        self._gate = Gate(database, matrix, clock)
        self._invites = Invites(database, matrix, renderer, clock, desk.greeting(alone=True))

    async def handle(self, row: InboxRow) -> None:
        """Handle a row; nothing that goes wrong leaves this method, and the row is done, deferred or failed."""
        try:
            await self._handle(row)
        except Unavailable as trouble:
            _logger.warning("inbox.deferred", inbox_id=row.id, code=trouble.code)
            await self._defer(row, trouble.retry_after)
        except Exception:  # the boundary: whatever a message provokes must not stop the bot (house, habit 9)
            number = secrets.token_hex(4)
            _logger.exception("inbox.error", inbox_id=row.id, reference=number)
            await self._after_error(row, number)
        self._committed()

    async def _handle(self, row: InboxRow) -> None:
        if await self._staff.takes(row.room_id):
            await self._staff.handle(row)
        elif row.kind is IncomingKind.INVITE:
            await self._invites.answer(row)
        elif row.kind is IncomingKind.UNDECRYPTABLE:
            await self._unreadable(row)
        elif row.kind in (IncomingKind.OTHER, IncomingKind.REACTION):  # a reaction in what was the staff room
            await self._database.write(lambda tx: inbox.done(tx, row.id, self._clock.now()))
        else:
            verdict = await self._gate.admit(row)
            if isinstance(verdict, Turned):
                await self._database.write(lambda tx: self._turn(tx, row, verdict))
            elif await self._notices.takes(row):
                await self._notices.handle(row, verdict)
            else:
                await self._command(row, verdict)

    async def _command(self, row: InboxRow, admitted: Admitted) -> None:
        try:
            await self._database.write(lambda tx: self._run(tx, row, admitted))
        except (
            Refusal
        ) as refusal:  # what the command had begun is rolled back; the sentence is a transaction of its own
            reply = refused(refusal)
            await self._database.write(lambda tx: self._answer(tx, row, admitted, [reply]))

    async def _run(self, tx: Tx, row: InboxRow, admitted: Admitted) -> None:
        replies = await self._desk.serve(tx, self._clock.now(), admitted.incoming)
        await self._answer(tx, row, admitted, replies)

    async def _answer(self, tx: Tx, row: InboxRow, admitted: Admitted, replies: Sequence[Reply]) -> None:
        now = self._clock.now()
        person = await remember(tx, admitted)
        spoken = [*await self._greeting(tx, person, replies), *replies]
        for number, reply in enumerate(spoken):
            message_key = key(row.event_id, number)
            await post(tx, self._renderer, now, Address(row.sender, row.room_id), reply, message_key)
            await offer(tx, now, row.sender, row.room_id, message_key, reply.choices)
        await inbox.done(tx, row.id, now)

    async def _greeting(self, tx: Tx, person: Person, replies: Sequence[Reply]) -> list[Reply]:
        if person.greeted_at is not None:
            return []
        await people.mark_greeted(tx, person.user_id, self._clock.now())
        if any(reply.template == "help" for reply in replies):
            return []
        return [self._desk.greeting(alone=not replies)]

    async def _turn(self, tx: Tx, row: InboxRow, turned: Turned) -> None:
        if turned.reply is not None:
            await say_once(tx, self._renderer, self._clock.now(), row, turned.reply, cleartext=turned.cleartext)
        await inbox.done(tx, row.id, self._clock.now())

    async def _unreadable(self, row: InboxRow) -> None:
        """Look for the key once more: a restart may have come between its arrival and its use."""
        readable = await self._matrix.decrypt(received(row))
        if readable.undecryptable is None:
            await self._database.write(lambda tx: resolve(tx, row, readable, self._clock.now()))
        else:
            await self._database.write(lambda tx: self._say_unreadable(tx, row))

    async def _say_unreadable(self, tx: Tx, row: InboxRow) -> None:
        """Say so instead of being silent; should the key still come, the message is dealt with then."""
        await say_once(tx, self._renderer, self._clock.now(), row, Reply("undecryptable"))
        await inbox.await_key(tx, row.id)

    async def _defer(self, row: InboxRow, retry_after: float | None) -> None:
        wait = (
            timedelta(seconds=retry_after) if retry_after else min(_RETRY * 2 ** min(row.attempts, 10), _SLOWEST_RETRY)
        )
        await self._database.write(lambda tx: inbox.defer(tx, row.id, self._clock.now() + wait))

    async def _after_error(self, row: InboxRow, number: str) -> None:
        if row.attempts + 1 < _GIVE_UP_AFTER:
            await self._defer(row, None)
            return
        of_staff = await self._staff.takes(row.room_id)
        await self._database.write(lambda tx: self._give_up(tx, row, number, of_staff=of_staff))

    async def _give_up(self, tx: Tx, row: InboxRow, number: str, *, of_staff: bool) -> None:
        now = self._clock.now()
        if of_staff:
            await self._staff.give_up(tx, row, number, now)
        else:
            address, reply = Address(row.sender, row.room_id), Reply("error", {"reference": number})
            await post(tx, self._renderer, now, address, reply, key(row.event_id, "error"))
        await inbox.failed(tx, row.id, now)
