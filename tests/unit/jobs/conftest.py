"""The jobs on a real database, with a fake Matrix and homeserver and a clock that is set by hand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dpobot.config import Config, parse
from dpobot.delivery.attachments import Attachments
from dpobot.delivery.laments import Laments
from dpobot.delivery.outbox import Outbox
from dpobot.engine.embedded import EmbeddedEngine
from dpobot.jobs.erase import Erase
from dpobot.jobs.expire import Expire
from dpobot.jobs.export import Export
from dpobot.jobs.lift import Lift
from dpobot.jobs.outcome import Outcome
from dpobot.jobs.parts import Parts
from dpobot.jobs.rectify import Rectify
from dpobot.jobs.reminders import Reminders
from dpobot.jobs.restrict import Restrict
from dpobot.jobs.survey import Survey
from dpobot.jobs.verify_erasure import VerifyErasure
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.receipt.key import SigningKey
from dpobot.store import bot_state, cases, jobs, people, staff_threads
from dpobot.store.database import Database, Tx
from dpobot.text.render import Renderer, templates_folder
from tests.fakes.changes import FakeChanges
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.leftovers import FakeLeftovers
from tests.fakes.matrix import FakeMatrix, FakeServer
from tests.test_shape import example

BOT = UserId("@dpo:dpobot.test")
ANNA = UserId("@anna:dpobot.test")
STAFF = UserId("@staff:dpobot.test")
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass
class ServerClock:
    """The fake server's time is everybody's time."""

    server: FakeServer

    def now(self) -> datetime:
        """Return it."""
        return self.server.now


class MediaHomeserver(FakeHomeserver):
    """The fake homeserver, which also deletes what the bot has uploaded."""

    def __init__(self, server: FakeServer) -> None:
        super().__init__()
        self._server = server

    async def delete_media(self, url: Mxc) -> bool:
        """Delete it from either."""
        existed = await super().delete_media(url)
        return self._server.media.pop(url, None) is not None or existed


@dataclass
class World:
    """Everything that a test touches. ``staff``: the staff room; ``room``: Anna's direct message."""

    database: Database
    server: FakeServer
    homeserver: MediaHomeserver
    parts: Parts
    engine: EmbeddedEngine
    outbox: Outbox
    reminders: Reminders
    staff: RoomId
    room: RoomId
    _cases: int = 0

    async def case(self, state: CaseState = CaseState.REVIEW, **more: Any) -> Case:
        """Insert a case of Anna's that came in now; it is due a month later, and has its card."""
        self._cases += 1
        now = self.server.now
        values = {
            "reference": f"DPO-2026-{self._cases:04d}",
            "person": ANNA,
            "kind": Kind.COMPLAINT,
            "state": state,
            "channel": Channel.MATRIX,
            "trust": Trust.SIGNED,
            "room_id": self.room,
            "event_id": f"$case{self._cases}",
            "options": {},
            "received_at": now,
            "due_at": now + timedelta(days=31),
            "updated_at": now,
        } | more

        async def insert(tx: Tx) -> Case:
            case = await cases.add(tx, values)
            await staff_threads.touch(tx, case.id)
            await staff_threads.noted(tx, case.id, self.staff, EventId(f"$card{case.id}"))
            return case

        return await self.database.write(insert)

    async def export(self, state: CaseState = CaseState.APPROVED, **more: Any) -> Case:
        """Insert an approved export of Anna's and want its job."""
        case = await self.case(state, kind=Kind.EXPORT, **more)
        await self.want(case)
        return case

    async def want(self, case: Case) -> None:
        """Want the export of a case."""
        now = self.server.now
        await self.database.write(
            lambda tx: jobs.want(tx, case_id=case.id, name="export", person=case.person, wake_at=now, now=now)
        )

    async def read(self, case: Case) -> Case:
        """Return a case as it is now."""
        return await self.database.read(lambda tx: cases.get(tx, case.id))

    async def remind(self, **parts: float) -> list[str]:
        """Let time pass and return what Anna and staff are told unasked then."""
        self.server.now += timedelta(**parts)
        before = len(self.server.timeline)
        await self.reminders.once()
        await self.outbox.drain()
        return [str(event.content["body"]) for event in self.server.timeline[before:] if "body" in event.content]

    async def work(self, **parts: float) -> None:
        """Let time pass, and let jobs and outbox do what is due then."""
        self.server.now += timedelta(**parts)
        for _ in range(10):
            started = await self.engine.sweep()
            await self.engine.idle()
            if not (await self.outbox.drain() or started):
                return
        raise AssertionError("the jobs never come to rest")

    def said(self, room_id: RoomId | None = None) -> list[str]:
        """Return what the bot has said in a room, Anna's if none is named."""
        return self.server.bodies(room_id or self.room, BOT)

    def files(self) -> list[EventId]:
        """Return the files that the bot has sent to Anna and not taken back."""
        heard = self.server.heard(self.room, BOT)
        return [event.event_id for event in heard if event.content.get("msgtype") == "m.file"]

    async def pause_deliveries(self) -> None:
        """Switch breach mode on."""
        now = self.server.now.isoformat()
        await self.database.write(lambda tx: bot_state.set(tx, bot_state.DELIVERIES_PAUSED, now))

    async def resume_deliveries(self) -> None:
        """Switch breach mode off."""
        await self.database.write(lambda tx: bot_state.drop(tx, bot_state.DELIVERIES_PAUSED))


@pytest.fixture
def changed() -> dict[str, Any]:
    """What a test changes in the configuration's section ``staff``."""
    return {}


@pytest.fixture
def config(tmp_path: Path, changed: dict[str, Any]) -> Config:
    raw: dict[str, Any] = {**example(), "data": {"directory": str(tmp_path / "data")}}
    raw["staff"] = {"members": [STAFF], "remind_days": [7, 3, 1], "digest_hour": 8} | changed
    return parse(raw)


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """All templates, compiled once."""
    operator = parse(example()).operator
    return Renderer(templates_folder(), {"operator": operator, "bot": BOT, "commands": []})


@pytest.fixture
async def world(sqlite_database: Database, tmp_path: Path, config: Config, renderer: Renderer) -> AsyncIterator[World]:
    server = FakeServer(now=NOW)
    homeserver, matrix, clock = MediaHomeserver(server), FakeMatrix(server, BOT), ServerClock(server)
    homeserver.add_account(ANNA)
    (tmp_path / "spool").mkdir(mode=0o700)
    parts = Parts(
        sqlite_database,
        homeserver,
        matrix,
        renderer,
        clock,
        config,
        tmp_path / "spool",
        "2026-01-01",
        changes=FakeChanges(homeserver),
        leftovers=FakeLeftovers(homeserver),
        receipt_key=SigningKey(bytes(32)),
    )
    engine = EmbeddedEngine(
        sqlite_database,
        {
            "export": Export(parts),
            "expire": Expire(parts),
            "survey": Survey(parts),
            "erase": Erase(parts),
            "verify_erasure": VerifyErasure(parts),
            "restrict": Restrict(parts),
            "lift": Lift(parts),
            "rectify": Rectify(parts),
        },
        clock=clock,
        at_once={"export": 2, "expire": 2},
        on_end=Outcome(parts).end,
        jitter=lambda: 0.0,
    )
    attachments = Attachments(matrix, tmp_path / "attachments", 1_000_000)
    outbox = Outbox(sqlite_database, matrix, clock, attachments, Laments(renderer, "en", 1_000_000))
    staff, room = server.staff_room(BOT, {STAFF: 50}), server.room(ANNA, BOT)
    server.join(room, BOT)

    async def staffing() -> frozenset[UserId]:
        return frozenset({STAFF})

    async def met(tx: Tx) -> None:
        await bot_state.be_born(tx, NOW)
        await bot_state.set(tx, bot_state.STAFF_ROOM, staff)
        await people.ensure(tx, ANNA, NOW)
        await people.set_room(tx, ANNA, room)
        await people.mark_greeted(tx, ANNA, NOW)

    await sqlite_database.write(met)
    await engine.start()
    yield World(sqlite_database, server, homeserver, parts, engine, outbox, Reminders(parts, staffing), staff, room)
    await engine.stop()
