"""The composition root: the only place that picks adapters and wires them together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from dpobot import log
from dpobot.cases import holidays, safeguards
from dpobot.cases.safeguards import Safeguards
from dpobot.cases.service import Rules
from dpobot.clock import Clock, SystemClock
from dpobot.commands.desk import Desk
from dpobot.commands.registry import discover
from dpobot.commands.spec import StaffRules
from dpobot.commands.staff_desk import StaffDesk
from dpobot.commands.staff_registry import discover_staff
from dpobot.config import Config, bot_password, secret
from dpobot.delivery import courier
from dpobot.delivery.attachments import Attachments
from dpobot.delivery.laments import Laments
from dpobot.delivery.outbox import Outbox
from dpobot.delivery.postman import Postman
from dpobot.download.server import Downloads
from dpobot.engine import machine
from dpobot.engine.api import Engine
from dpobot.errors import Unavailable
from dpobot.inbox.dispatch import Dispatcher
from dpobot.inbox.listener import Hearing, Listener
from dpobot.inbox.notices import NoticeInbox
from dpobot.inbox.staff import StaffInbox
from dpobot.inbox.workers import Workers
from dpobot.jobs.outcome import Outcome
from dpobot.jobs.reminders import Reminders
from dpobot.jobs.retention import Retention
from dpobot.jobs.tidying import Tidying
from dpobot.matrix.api import Matrix
from dpobot.matrix.session import Session
from dpobot.model.ids import UserId, server_of
from dpobot.model.words import Kind
from dpobot.monitoring.service import watched
from dpobot.pulse import PROCESS, Role
from dpobot.receipt import page
from dpobot.staff.board import Board
from dpobot.staff.room import StaffRoom
from dpobot.standby import Turn
from dpobot.store import origin
from dpobot.store.database import Database
from dpobot.store.lock import Lock
from dpobot.store.watch import SchemaWatch
from dpobot.text import notice
from dpobot.text.render import templates_folder
from dpobot.workshop import authority
from dpobot.workshop.administration import Administration as Administration
from dpobot.workshop.administration import adapters
from dpobot.workshop.administration import admin_token as admin_token
from dpobot.workshop.administration import authentication_service as authentication_service
from dpobot.workshop.administration import delegated as delegated
from dpobot.workshop.engine import engine_of
from dpobot.workshop.jobs import functions_of, parts_of
from dpobot.workshop.serving import until
from dpobot.workshop.storage import open_database as open_database
from dpobot.workshop.storage import take_in_receipt_key as take_in_receipt_key

if TYPE_CHECKING:
    from dpobot.engine.cluster import ClusterEngine
    from dpobot.engine.embedded import EmbeddedEngine

_NUDGE_PAUSE = 0.2  # seconds
_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Bot:
    """The running parts of the service."""

    database: Database
    matrix: Matrix
    listener: Listener
    workers: Workers
    outbox: Outbox
    engine: "EmbeddedEngine | ClusterEngine"
    nudge: "Nudge"
    retention: Retention
    staff_room: StaffRoom
    board: Board
    reminders: Reminders
    downloads: Downloads
    tidying: Tidying
    postman: Postman | None  # None: there are no other machines
    lock: Lock | None = None  # whoever loses it must stop at once
    turn: Turn | None = None  # None: there is no other process that could be the bot

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set; then finish what is in hand. Raises what can't be mended by waiting.

        Where another process is the bot, this one stands by first; what it has made earlier is given out all the time.
        """
        always = (self.downloads, self.tidying, SchemaWatch(self.database))
        aside = asyncio.create_task(until(asyncio.Event(), [part.run() for part in always]))
        try:
            if self.turn is None or await self.turn.before(stop, aside):
                await self._serve(stop, aside)
        finally:
            aside.cancel()
            await asyncio.gather(aside, return_exceptions=True)

    async def _serve(self, stop: asyncio.Event, aside: asyncio.Task[None]) -> None:
        await self.engine.start()
        PROCESS.is_now(Role.ACTIVE)
        _logger.info("bot.ready")
        parts = (
            self.listener,
            self.workers,
            self.outbox,
            self.nudge,
            self.retention,
            self.staff_room,
            self.board,
            self.reminders,
            *(() if self.postman is None else (self.postman,)),
        )
        try:
            await until(stop, [aside, *(part.run() for part in parts)])
        finally:
            PROCESS.is_now(Role.STOPPING)
            await self.engine.stop()
            _logger.info("bot.stopped")


@asynccontextmanager
async def bot(config: Config, clock: Clock | None = None) -> AsyncIterator[Bot]:
    """Open everything that the configuration names, give the bot, and close everything again.

    Raises `ConfigurationError` with a hint where an admin must act, `Unavailable` where waiting helps.
    """
    log.configure(config.log.level, config.log.format)
    clock = clock or SystemClock()
    await holidays.prepare(clock.now().date(), config.operator.country)
    async with AsyncExitStack() as stack:
        database = await open_database(config, clock)
        stack.push_async_callback(database.close)
        await stack.enter_async_context(watched(config.monitoring, database, clock))
        administration = adapters(config)
        for adapter in administration:
            stack.push_async_callback(adapter.close)
        await database.write(origin.refuse_copy)
        await take_in_receipt_key(config, database)
        lock = Lock(config.database_url)
        stack.push_async_callback(lock.release)
        session = await _session(config, founds=await lock.acquire())
        stack.push_async_callback(session.close)
        wired = wire(config, clock, database, Administration(*administration), session)

        async def begin() -> None:
            await authority.look(config)
            await take_in_safeguards(config, clock, database)
            await courier.lend_token(database, session.access_token if config.cluster.enabled else None)

        yield replace(wired, lock=lock, turn=Turn(lock, session, database, clock, begin))


async def _session(config: Config, *, founds: bool) -> Session:
    recovery_key = config.matrix.recovery_key_file
    return await Session.open(
        homeserver_url=config.matrix.homeserver_url,
        user_id=UserId(config.matrix.user_id),
        password=lambda: bot_password(config),
        device_name=config.matrix.device_name,
        folder=config.data.directory / "matrix",
        recovery_key=None if recovery_key is None else lambda: secret(recovery_key),
        founds=founds,
    )


def wire(config: Config, clock: Clock, database: Database, administration: Administration, session: Matrix) -> Bot:
    """Put the parts together; which homeserver and which Matrix account is the caller's choice.

    Raises `ConfigurationError` if the key of receipts can't be used.
    """
    notices = notice.load(templates_folder() / "notice", config.operator)
    parts = parts_of(config, clock, database, administration, session)
    renderer, receipt_key = parts.renderer, parts.receipt_key
    engine = engine_of(config, database, clock, functions_of(parts), Outcome(parts).end)
    rules = Rules(frozenset(config.policy.approve), config.operator.jurisdiction, config.operator.country)
    largest = config.evidence_bytes
    attachments = Attachments(session, config.data.directory / "attachments", largest)
    laments = Laments(renderer, config.staff.language, largest)
    outbox = Outbox(database, session, clock, attachments, laments)
    board = Board(database, renderer, clock, config)
    nudge = Nudge(outbox, engine, board)
    staff_room = StaffRoom(database, session, renderer, clock, config)
    staff_desk = StaffDesk(discover_staff(), rules, _staff_rules(config, session.user_id), notices, largest)
    staff = StaffInbox(database, session, renderer, clock, staff_room, staff_desk)
    receipts = partial(page.attachment, renderer, receipt_key.publics)
    offered = {"visible": config.export.visible == "staff", "notices": config.notices.send == "staff"}
    desk = Desk(discover(), rules, notices, largest, receipts, **offered)
    federated = NoticeInbox(
        database, renderer, clock, config.notices, rules, parts.contacts, server_of(session.user_id)
    )
    dispatcher = Dispatcher(database, session, renderer, desk, clock, staff, federated, nudge.committed)
    workers = Workers(database, dispatcher, clock, config.limits.workers)
    # three times within the lag after which we count as not ready: an idle homeserver answers at the end of each wait
    poll = timedelta(seconds=min(30, config.monitoring.lag_seconds / 3))
    hearing = Hearing(timedelta(seconds=config.limits.key_wait_seconds), config.limits.messages_per_minute, poll)

    def heard() -> None:
        workers.wake()
        nudge.committed()

    listener = Listener(database, session, renderer, clock, hearing, heard)
    return Bot(
        database,
        session,
        listener,
        workers,
        outbox,
        engine,
        nudge,
        Retention(parts),
        staff_room,
        board,
        Reminders(parts, staff_room.staff),
        Downloads(database, clock, config.download, parts.downloads, renderer),
        Tidying(parts, machine.name_of(config.data.directory)),
        Postman(database, session, clock) if config.cluster.enabled else None,
    )


async def take_in_safeguards(config: Config, clock: Clock, database: Database) -> None:
    """Let the database know which safeguards of erasures the configuration wants: looser ones count later."""
    wanted = safeguards_of(config)
    await database.write(lambda tx: safeguards.want(tx, clock.now(), wanted))


def safeguards_of(config: Config) -> Safeguards:
    """Return what the configuration wants of the safeguards of erasures; what is in force the database says."""
    wanted = config.erasure
    return Safeguards(
        cooling_off=timedelta(hours=wanted.cooling_off_hours),
        new_device=timedelta(hours=wanted.new_device_hours),
        daily_cap=wanted.daily_cap,
        policy=Kind.ERASURE in config.policy.approve,
        second=Kind.ERASURE in config.policy.second_approver,
        loosening=timedelta(hours=wanted.loosening_hours),
    )


def _staff_rules(config: Config, me: UserId) -> StaffRules:
    return StaffRules(
        frozenset(config.policy.second_approver),
        timedelta(minutes=config.staff.code_minutes),
        timedelta(seconds=config.staff.reply_delay_seconds),
        server_of(me),
    )


class Nudge:
    """After a message was dealt with: what it wants said and done need not wait for the next look at the tables."""

    def __init__(self, outbox: Outbox, engine: Engine, board: Board) -> None:
        self._outbox = outbox
        self._engine = engine
        self._board = board
        self._wake = asyncio.Event()

    def committed(self) -> None:
        """Say that a transaction may have wanted something."""
        self._outbox.wake()
        self._board.wake()
        self._wake.set()

    async def run(self) -> None:
        """Sweep when there is reason to, at most a few times a second."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._engine.sweep()
            except Unavailable as trouble:  # the engine's own minute is soon enough
                _logger.warning("nudge.unavailable", code=trouble.code)
            await asyncio.sleep(_NUDGE_PAUSE)
