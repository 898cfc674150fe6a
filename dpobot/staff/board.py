"""The board: keeps each case's card as things are, and tells its thread what the person wrote and what happened.

Every change of a case marks it in the transaction that changes it (`staff_threads.touch`). A sweep takes the marked
cases, one transaction each: what is posted there can be neither lost nor doubled, and a burst of changes is one edit.
"""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta

from dpobot import log
from dpobot.cases import holidays, progress, transitions
from dpobot.clock import Clock
from dpobot.config import Config
from dpobot.delivery.messages import StaffPlace, forward, key, post_staff
from dpobot.errors import Unavailable
from dpobot.model.ids import RoomId, UserId
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState
from dpobot.staff import card, thread
from dpobot.staff.place import thread_of
from dpobot.store import (
    approvals,
    bot_state,
    case_messages,
    cases,
    files,
    foreign_requests,
    jobs,
    notices,
    outbox,
    staff_board,
    staff_threads,
)
from dpobot.store.audit_rows import AuditRow
from dpobot.store.database import Database, Tx
from dpobot.store.outbox import Relation
from dpobot.store.staff_threads import StaffThread
from dpobot.text.render import Renderer

_PAUSE = 0.5  # seconds between two sweeps: a burst of changes becomes one edit
_LOOK_AGAIN = 3.0  # seconds; a wake-up comes sooner
_AT_ONCE = 200  # cases of one sweep
_PART = 200  # messages, files and events of one case in one sweep: nobody waits long for a transaction
_CHARACTERS = 250_000  # of messages of one case in one sweep
_PROGRESS = timedelta(seconds=10)  # how often the card of a case that is worked on says how far it is
_STALE = timedelta(days=1)  # the days that are left change without the case
_LOOK_FOR_STALE = timedelta(minutes=1)
_STALE_AT_ONCE = 10  # cards: whoever gives a command meanwhile waits for no more than these
_AGING = transitions.OPEN - {CaseState.PAUSED}  # where the clock stands still, no day changes the card
_logger = log.get(__name__)


class Board:
    """Writes cards and threads into the staff room's outbox."""

    def __init__(self, database: Database, renderer: Renderer, clock: Clock, config: Config) -> None:
        self._database = database
        self._renderer = renderer
        self._clock = clock
        self._language = config.staff.language
        self._zone = holidays.zone_of(config.operator.country)
        self._wake = asyncio.Event()
        self._aged_at: datetime | None = None

    def wake(self) -> None:
        """Say that a case may have changed."""
        self._wake.set()

    async def run(self) -> None:
        """Sweep when there is reason to, and every few seconds, until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.sweep()
            except Unavailable as trouble:
                _logger.warning("board.unavailable", code=trouble.code)
            await asyncio.sleep(_PAUSE)
            try:
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def sweep(self) -> int:
        """Bring cards and threads up to date; return how many cases that were. Without a staff room nothing happens."""
        room_id = await self._database.read(lambda tx: bot_state.get(tx, bot_state.STAFF_ROOM))
        if room_id is None:
            return 0
        place = StaffPlace(RoomId(room_id), self._language)
        await self._age(place)
        waiting = await self._database.read(lambda tx: staff_threads.changed(tx, _AT_ONCE))
        written = 0
        for row in waiting:
            written += await self._one(place, row.case_id)
        if len(waiting) == _AT_ONCE and written:
            self.wake()
        return written

    async def _age(self, place: StaffPlace) -> None:
        """Have some cards written anew on which the days that are left may no longer be right.

        Only while nothing else waits to be said in the room: answers to commands stand in the same line.
        """
        now = self._clock.now()
        if self._aged_at is not None and now - self._aged_at < _LOOK_FOR_STALE:
            return
        if await self._database.read(lambda tx: outbox.line_waits(tx, UserId(place.room_id))):
            return
        stale = await self._database.read(lambda tx: staff_board.stale(tx, now - _STALE, _AGING, _STALE_AT_ONCE))
        if len(stale) < _STALE_AT_ONCE:
            self._aged_at = now
        if stale:
            await self._database.write(lambda tx: staff_board.touch_all(tx, stale))

    async def _one(self, place: StaffPlace, case_id: int) -> bool:
        try:
            return await self._database.write(lambda tx: self._bring_up_to_date(tx, place, case_id))
        except Unavailable:
            raise
        except Exception:  # hardening: one case that can't be shown must not hide all others
            _logger.exception("board.error", case_id=case_id)
            return False

    async def _bring_up_to_date(self, tx: Tx, place: StaffPlace, case_id: int) -> bool:
        """Post what a case's card and thread lack; False if there is nothing to be done now."""
        await staff_board.lock_thread(tx, case_id)
        row = await staff_threads.get(tx, case_id)
        if row is None or not row.changed or await staff_board.card_waits(tx, case_id):
            return False  # the card is on its way: changes until then go into one edit after it
        case = await cases.get(tx, case_id)
        now = self._clock.now()
        if row.room_id not in (None, place.room_id) and case.state in transitions.OVER:
            await staff_threads.shown(tx, case_id, row.told_seq, now)  # its thread stays where it ended
            return True
        if row.room_id == place.room_id and await self._only_progress(tx, case, row):
            return False  # it comes with a later sweep
        await self._card(tx, place, case, row)
        more = await self._words(tx, place, case_id) | await self._files(tx, place, case_id)
        happened = await staff_board.happened_since(tx, case_id, row.told_seq, _PART)
        await self._events(tx, place, case, happened)
        await staff_threads.shown(tx, case_id, happened[-1].seq if happened else row.told_seq, now)
        if more or len(happened) == _PART:
            await staff_threads.touch(tx, case_id)
            self.wake()
        return True

    async def _only_progress(self, tx: Tx, case: Case, row: StaffThread) -> bool:
        """Say whether a card was written a moment ago, and nothing has happened since but work that goes on."""
        since = None if row.posted_at is None else self._clock.now() - row.posted_at
        if case.state is not CaseState.WORKING or since is None or since >= _PROGRESS:
            return False
        news = await staff_board.happened_since(tx, case.id, row.told_seq, 1)
        unread = await case_messages.unposted(tx, case.id, 1) or await files.unposted(tx, case.id, 1)
        return not (news or unread)

    async def _card(self, tx: Tx, place: StaffPlace, case: Case, row: StaffThread) -> None:
        """Post the card, or an edit of it; the same content of the same version of a case is posted once."""
        messages, count = await staff_board.count_written(tx, case.id)
        given = len(await approvals.of_case(tx, case.id))
        held = await _held(tx, case) if case.state is CaseState.HELD else None
        far = await progress.of_case(tx, case)
        now = self._clock.now()
        federated = card.Federated(await notices.counts(tx, case.id), await foreign_requests.of_case(tx, case.id))
        values = card.values(case, card.Counts(messages, count, given), held, now, self._zone, far, federated)
        there = row.event_id is not None and row.room_id == place.room_id
        shown = json.dumps(dict(values), default=str, sort_keys=True)
        anew = None if there else row.posted_at  # the card of another room, or one that was refused, is posted again
        at = replace(place, case_id=case.id, relation=Relation.EDIT if there else Relation.CARD)
        message_key = key("card", place.room_id, case.id, case.version, shown, anew)
        await post_staff(tx, self._renderer, now, at, Reply("staff/card", values), message_key)

    async def _words(self, tx: Tx, place: StaffPlace, case_id: int) -> bool:
        """Post the first of the messages that the thread lacks; say whether there may be more."""
        waiting = await case_messages.unposted(tx, case_id, _PART)
        unread = waiting[: thread.how_many(waiting, _CHARACTERS)]
        at = thread_of(place, case_id)
        for number, reply in enumerate(thread.words(unread)):
            await post_staff(tx, self._renderer, self._clock.now(), at, reply, key("words", unread[0].id, number))
        await case_messages.posted(tx, *(message.id for message in unread))
        return len(waiting) == _PART or len(unread) < len(waiting)

    async def _files(self, tx: Tx, place: StaffPlace, case_id: int) -> bool:
        """Post the first of the files that the thread lacks; say whether there may be more."""
        at, now = thread_of(place, case_id), self._clock.now()
        waiting = await files.unposted(tx, case_id, _PART)
        for row in waiting:
            await post_staff(tx, self._renderer, now, at, thread.file(row.file), key("file", row.id, "line"))
            await forward(tx, now, at, row.file, key("file", row.id))
            await files.posted(tx, row.id)
        return len(waiting) == _PART

    async def _events(self, tx: Tx, place: StaffPlace, case: Case, happened: list[AuditRow]) -> None:
        at = thread_of(place, case.id)
        for seq, reply in thread.events(case, happened, await progress.of_case(tx, case)):
            await post_staff(tx, self._renderer, self._clock.now(), at, reply, key("event", seq))


async def _held(tx: Tx, case: Case) -> str | None:
    """Return the code of what stopped a case."""
    stopped = [job.error for job in await jobs.of_case(tx, case.id) if job.error is not None]
    return stopped[-1] if stopped else None
