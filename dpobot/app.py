"""The composition root: the only place that picks adapters and wires them together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

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
from dpobot.commands.user.help import lines
from dpobot.config import Config, bot_password, secret
from dpobot.delivery import courier
from dpobot.delivery.attachments import Attachments
from dpobot.delivery.laments import Laments
from dpobot.delivery.outbox import Outbox
from dpobot.delivery.postman import Postman
from dpobot.download.server import Downloads
from dpobot.engine import machine
from dpobot.engine.api import Engine, JobFunction
from dpobot.engine.embedded import EmbeddedEngine
from dpobot.errors import ConfigurationError, Unavailable
from dpobot.homeserver.api import Homeserver
from dpobot.homeserver.changes import Changes
from dpobot.homeserver.erasing.synapse_changes import SynapseChanges
from dpobot.homeserver.leftovers import Leftovers
from dpobot.homeserver.mas.admin import MasAdmin
from dpobot.homeserver.mas.changes import MasChanges
from dpobot.homeserver.mas.homeserver import MasHomeserver
from dpobot.homeserver.mas.leftovers import MasLeftovers
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.homeserver.verifying.synapse_leftovers import SynapseLeftovers
from dpobot.inbox.dispatch import Dispatcher
from dpobot.inbox.listener import Hearing, Listener
from dpobot.inbox.notices import NoticeInbox
from dpobot.inbox.staff import StaffInbox
from dpobot.inbox.workers import Workers
from dpobot.jobs.copies import Copies
from dpobot.jobs.erase import Erase
from dpobot.jobs.expire import Expire
from dpobot.jobs.export import Export
from dpobot.jobs.lift import Lift
from dpobot.jobs.notifying import Notify
from dpobot.jobs.outcome import Outcome
from dpobot.jobs.parts import Parts
from dpobot.jobs.rectify import Rectify
from dpobot.jobs.reminders import Reminders
from dpobot.jobs.restrict import Restrict
from dpobot.jobs.retention import Retention
from dpobot.jobs.survey import Survey
from dpobot.jobs.tidying import Tidying
from dpobot.jobs.verify_erasure import VerifyErasure
from dpobot.matrix.api import Matrix
from dpobot.matrix.session import Session
from dpobot.model.ids import UserId, server_of
from dpobot.model.words import Kind
from dpobot.monitoring.service import watched
from dpobot.monitoring.timing import timed
from dpobot.pulse import PROCESS, Role
from dpobot.receipt import key, page
from dpobot.staff.board import Board
from dpobot.staff.room import StaffRoom
from dpobot.standby import Turn
from dpobot.store import bot_state, seal
from dpobot.store.database import Database
from dpobot.store.lock import Lock
from dpobot.store.watch import SchemaWatch
from dpobot.text import notice
from dpobot.text.render import Renderer, templates_folder

_NUDGE_PAUSE = 0.2  # seconds
_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Administration:
    """The homeserver's administration: what reads, what changes, and what looks afterwards."""

    homeserver: Homeserver
    changes: Changes
    leftovers: Leftovers


@dataclass(frozen=True, slots=True)
class Bot:
    """The running parts of the service."""

    database: Database
    matrix: Matrix
    listener: Listener
    workers: Workers
    outbox: Outbox
    engine: EmbeddedEngine
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
        aside = asyncio.create_task(_until(asyncio.Event(), [self.downloads.run(), self.tidying.run()]))
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
            SchemaWatch(self.database),
            *(() if self.postman is None else (self.postman,)),
        )
        try:
            await _until(stop, [aside, *(part.run() for part in parts)])
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
        administration = _administration(config)
        for adapter in administration:
            stack.push_async_callback(adapter.close)
        await take_in_receipt_key(config, database)
        lock = Lock(config.database_url)
        stack.push_async_callback(lock.release)
        session = await _session(config, founds=await lock.acquire())
        stack.push_async_callback(session.close)
        wired = wire(config, clock, database, Administration(*administration), session)

        async def begin() -> None:
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


def _administration(config: Config) -> tuple[SynapseHomeserver, SynapseChanges, SynapseLeftovers]:
    """Return what reads, what changes and what looks afterwards, as the configuration names where accounts are kept."""
    again = config.homeserver.retries
    where = (config.homeserver.url, admin_token(config))
    mas = delegated(config, again)
    if mas is None:
        return SynapseHomeserver(*where, again), SynapseChanges(*where, again), SynapseLeftovers(*where, again)
    return MasHomeserver(*where, mas, again), MasChanges(*where, mas, again), MasLeftovers(*where, mas, again)


def admin_token(config: Config) -> str:
    """Return the server admin's token: nothing else reads it. Raises `ConfigurationError`."""
    return secret(config.homeserver.admin_token_file)


def delegated(config: Config, retries: int) -> MasAdmin | None:
    """Return a client of what keeps the accounts, None if the homeserver does. Raises `ConfigurationError`."""
    chosen = config.homeserver.mas
    if chosen is None:
        return None
    return authentication_service(chosen.url, chosen.client_id, secret(chosen.client_secret_file), retries)


def authentication_service(url: str, client_id: str, client_secret: str, retries: int) -> MasAdmin:
    """Return a client of a Matrix Authentication Service."""
    return MasAdmin(url, client_id, client_secret, retries)


async def open_database(config: Config, clock: Clock) -> Database:
    """Make the data folder, the key file and the database if they are missing, and bring the tables up to date."""
    folder = config.data.directory
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError([f"data.directory: {folder} can't be made ({error.strerror})"]) from error
    if folder.stat().st_mode & 0o077:
        raise ConfigurationError([f"data.directory: others may read {folder}; chmod 700 {folder}"])
    database = Database(config.database_url, seal.of(folder, config.data.seal_key_file))
    await database.open()
    await database.write(lambda tx: bot_state.be_born(tx, clock.now()))
    return database


async def take_in_receipt_key(config: Config, database: Database) -> None:
    """Let the database know the key that receipts are signed with here, made if there is none.

    Raises `ConfigurationError` if it knows another one that this one does not follow: receipts would be signed with a
    key that nobody has published.
    """
    own = key.load_or_create(config.data.directory, config.data.receipt_key_file)
    known = await database.read(lambda tx: bot_state.get(tx, bot_state.RECEIPT_KEY))
    if known is not None and known not in own.publics.values():
        cure = "copy the one that this installation signs with; if it is lost for good: dpobot rotate-keys --receipt"
        raise ConfigurationError(
            [f"the key of receipts here is not {key.key_id_of(known)}, which is published; {cure}"]
        )
    if known != own.public:
        await database.write(lambda tx: bot_state.set(tx, bot_state.RECEIPT_KEY, own.public))


def wire(config: Config, clock: Clock, database: Database, administration: Administration, session: Matrix) -> Bot:
    """Put the parts together; which homeserver and which Matrix account is the caller's choice.

    Raises `ConfigurationError` if the key of receipts can't be used.
    """
    notices = notice.load(templates_folder() / "notice", config.operator)
    registry = discover()
    renderer = Renderer(
        templates_folder(),
        {
            "operator": config.operator,
            "bot": session.user_id,
            "commands": lines(registry),
            "links": config.download.url is not None,
        },
    )
    receipt_key = key.load_or_create(config.data.directory, config.data.receipt_key_file)
    parts = Parts(
        database,
        administration.homeserver,
        session,
        renderer,
        clock,
        config,
        _spool(config.data.directory),
        notices.current(clock.now().date()).id,
        administration.changes,
        administration.leftovers,
        receipt_key,
    )
    engine = _engine(parts)
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
    desk = Desk(registry, rules, notices, largest, receipts, **offered)
    federated = NoticeInbox(
        database, renderer, clock, config.notices, rules, parts.contacts, server_of(session.user_id)
    )
    dispatcher = Dispatcher(database, session, renderer, desk, clock, staff, federated, nudge.committed)
    workers = Workers(database, dispatcher, clock, config.limits.workers)
    hearing = Hearing(timedelta(seconds=config.limits.key_wait_seconds), config.limits.messages_per_minute)

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


def _engine(parts: Parts) -> EmbeddedEngine:
    """Return what runs the jobs, each by the name under which a case wants it."""
    functions: Mapping[str, JobFunction] = {
        "export": Export(parts),
        "copies": Copies(parts),
        "expire": Expire(parts),
        "survey": Survey(parts),
        "erase": Erase(parts),
        "verify_erasure": VerifyErasure(parts),
        "restrict": Restrict(parts),
        "lift": Lift(parts),
        "rectify": Rectify(parts),
        "notify": Notify(parts),
    }
    at_once = {
        "export": parts.config.export.at_once,
        "erase": parts.config.erasure.at_once,
        "copies": 2,
        "expire": 2,
        "survey": 2,
        "notify": 1,  # the servers of an hour are counted, of all cases
    }
    ended = Outcome(parts).end
    return EmbeddedEngine(
        parts.database,
        timed(functions),
        clock=parts.clock,
        at_once=at_once,
        on_end=ended,
        machine=machine.name_of(parts.config.data.directory),
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


def _spool(folder: Path) -> Path:
    spool = folder / "spool"
    spool.mkdir(mode=0o700, exist_ok=True)
    return spool


async def _until(stop: asyncio.Event, work: Sequence[Awaitable[None]]) -> None:
    """Run ``work`` until ``stop`` is set, or until one of it fails: then everything stops and the error is raised."""
    tasks = [asyncio.ensure_future(part) for part in work]
    waiting = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()
    finally:
        for task in [waiting, *tasks]:
            task.cancel()
        await asyncio.gather(waiting, *tasks, return_exceptions=True)
