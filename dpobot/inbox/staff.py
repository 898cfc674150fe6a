"""What is said in the staff room: from a row of the inbox to what is done, and answered there or to a person."""

from collections.abc import Sequence
from datetime import datetime

from dpobot.clock import Clock
from dpobot.commands.spec import Outcome
from dpobot.commands.staff_desk import StaffDesk, staff_refused
from dpobot.delivery.messages import Address, key, post, post_staff
from dpobot.errors import Refusal
from dpobot.inbox.choices import offer
from dpobot.inbox.late import received, resolve
from dpobot.inbox.staff_gate import StaffAdmitted, StaffGate, StaffTurned
from dpobot.jobs.answering import tell_ends
from dpobot.matrix.api import Matrix
from dpobot.model.ids import RoomId
from dpobot.model.records import Case, IncomingKind, Reply, StaffMessage, ToPerson
from dpobot.staff.place import thread_of
from dpobot.staff.room import StaffRoom
from dpobot.store import foreign_requests, inbox, outbox, people
from dpobot.store.database import Database, Tx
from dpobot.store.inbox import InboxRow
from dpobot.text.render import Renderer

_SAY_AGAIN = 600  # seconds until the same person is told the same again


class StaffInbox:
    """Handles the rows of the staff room; the dispatcher is the boundary for what goes wrong."""

    def __init__(
        self,
        database: Database,
        matrix: Matrix,
        renderer: Renderer,
        clock: Clock,
        room: StaffRoom,
        desk: StaffDesk,
    ) -> None:
        self._database = database
        self._matrix = matrix
        self._renderer = renderer
        self._clock = clock
        self._room = room
        self._desk = desk
        self._gate = StaffGate(database, matrix, room, desk.understands)

    async def takes(self, room_id: RoomId) -> bool:
        """Say whether a room's rows are ours: also while nobody can work there."""
        return await self._room.is_meant(room_id)

    async def handle(self, row: InboxRow) -> None:
        """Deal with a row. Raises `Unavailable`: then it is tried again."""
        if row.kind is IncomingKind.INVITE:
            await self._room.ready()
        if row.kind in (IncomingKind.INVITE, IncomingKind.OTHER) or row.room_id != await self._room.current():
            await self._database.write(lambda tx: inbox.done(tx, row.id, self._clock.now()))
        elif row.kind is IncomingKind.UNDECRYPTABLE:
            await self._unreadable(row)
        else:
            await self._said(row)

    async def give_up(self, tx: Tx, row: InboxRow, number: str, now: datetime) -> None:
        """Say under which number the log has what went wrong with a row."""
        place = self._room.place(row.room_id)
        reply = Reply("staff/room_error", {"reference": number, "who": row.sender})
        await post_staff(tx, self._renderer, now, place, reply, key(row.event_id, "error"))

    async def _said(self, row: InboxRow) -> None:
        verdict = await self._gate.admit(row)
        if isinstance(verdict, StaffTurned):
            await self._database.write(lambda tx: self._turn(tx, row, verdict))
            return
        try:
            await self._database.write(lambda tx: self._run(tx, row, verdict))
        except Refusal as refusal:  # also when a colleague was faster: what was begun is rolled back
            await self._refuse(row, verdict, refusal)

    async def _run(self, tx: Tx, row: InboxRow, admitted: StaffAdmitted) -> None:
        outcomes = await self._desk.serve(tx, self._clock.now(), admitted.message)
        await self._answer(tx, row, admitted, outcomes)
        await tell_ends(tx, self._renderer, self._clock.now())  # another homeserver waits to hear what was decided

    async def _refuse(self, row: InboxRow, admitted: StaffAdmitted, refusal: Refusal) -> None:
        reply = staff_refused(refusal)
        await self._database.write(lambda tx: self._answer(tx, row, admitted, [reply]))

    async def _answer(self, tx: Tx, row: InboxRow, admitted: StaffAdmitted, outcomes: Sequence[Outcome]) -> None:
        now = self._clock.now()
        if admitted.master_key is not None:
            await people.ensure(tx, row.sender, now)
            await people.pin_master_key(tx, row.sender, admitted.master_key)
        for number, outcome in enumerate(outcomes):
            if isinstance(outcome, ToPerson):
                await self._to_person(tx, now, row, number, outcome)
            else:
                await self._to_staff(tx, now, admitted.message, number, outcome)
        await inbox.done(tx, row.id, now)

    async def _to_staff(self, tx: Tx, now: datetime, message: StaffMessage, number: int, reply: Reply) -> None:
        place = thread_of(self._room.place(message.room_id), message.case_id)
        message_key = key(message.event_id, number)
        await post_staff(tx, self._renderer, now, place, reply, message_key)
        await offer(tx, now, message.sender, message.room_id, message_key, reply.choices)

    async def _to_person(self, tx: Tx, now: datetime, row: InboxRow, number: int, outcome: ToPerson) -> None:
        """Say it where the person is when it is sent; the key lets `undo` find it again.

        What is said at once does not overtake a reply that could still be taken back: from now on it can't be.
        """
        address = await _address(tx, outcome.case)
        if not outcome.delay:
            await outbox.let_go(tx, address.person, outcome.case.id, now)
        await post(
            tx,
            self._renderer,
            now,
            address,
            outcome.reply,
            key("to_person", row.event_id, number),
            not_before=now + outcome.delay if outcome.delay else None,
            files=outcome.files,
            case_id=outcome.case.id,
        )

    async def _turn(self, tx: Tx, row: InboxRow, turned: StaffTurned) -> None:
        if turned.refusal is not None:
            await self._say_once(tx, row, staff_refused(turned.refusal), turned.case_id)
        await inbox.done(tx, row.id, self._clock.now())

    async def _unreadable(self, row: InboxRow) -> None:
        """Look for the key once more; say so once if it is a member of staff who was not understood."""
        readable = await self._matrix.decrypt(received(row))
        if readable.undecryptable is None:
            await self._database.write(lambda tx: resolve(tx, row, readable, self._clock.now()))
            return
        staff = await self._room.staffing(row.room_id)
        await self._database.write(lambda tx: self._await_key(tx, row, told=row.sender in staff))

    async def _await_key(self, tx: Tx, row: InboxRow, *, told: bool) -> None:
        if told:
            await self._say_once(tx, row, Reply("staff/room_undecryptable", {"who": row.sender}), None)
        await inbox.await_key(tx, row.id)

    async def _say_once(self, tx: Tx, row: InboxRow, reply: Reply, case_id: int | None) -> None:
        now = self._clock.now()
        place = thread_of(self._room.place(row.room_id), case_id)
        said = key(reply.template, row.sender, row.room_id, int(now.timestamp()) // _SAY_AGAIN)
        await post_staff(tx, self._renderer, now, place, reply, said)


async def _address(tx: Tx, case: Case) -> Address:
    """Return who is written to in a case: its person, or the contact of the homeserver that asked for it."""
    asked = await foreign_requests.of_case(tx, case.id)
    return Address(case.person) if asked is None else Address(asked.sender, asked.room_id)
