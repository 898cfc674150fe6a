"""A bot with an outbox, a person, a staff room and a case, in memory but for the database."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dpobot.delivery.attachments import Attachments
from dpobot.delivery.laments import Laments
from dpobot.delivery.messages import Address, StaffPlace, forward, post, post_staff
from dpobot.delivery.outbox import Outbox
from dpobot.errors import DpobotError
from dpobot.matrix.api import Received
from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.model.records import Case, FileRef, Reply
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import cases, staff_threads
from dpobot.store.database import Database, Tx
from dpobot.store.outbox import Relation
from dpobot.store.tables import outbox as table
from dpobot.text.render import Renderer
from tests.fakes.matrix import FakeMatrix, FakeServer

BOT = UserId("@dpo:dpobot.test")
ANNA = UserId("@anna:dpobot.test")
STAFF = UserId("@staff:dpobot.test")
LARGEST = 1000

TEMPLATES = {
    "user/words.html": "<p>{{ text }}</p>",
    "user/file_not_sent.html": "<p>not sent: {{ file_name }}</p>",
    "staff/words.html": "<p>{{ text }}</p>",
    "staff/thread_file_failed.html": "<p>failed: {{ file_name }}, {{ reason }}</p>",
    "staff/thread_file_not_sent.html": "<p>not sent: {{ file_name }}, {{ reason }}</p>",
    "staff/thread_not_delivered.html": "<p>not delivered</p>",
}


@dataclass
class World:
    """What a test plays with."""

    server: FakeServer
    database: Database
    outbox: Outbox
    renderer: Renderer
    folder: Path
    direct: RoomId
    office: RoomId
    case: Case
    requests: list[str] = field(default_factory=list)  # what was asked of the server
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)  # once, before a request of this name

    @property
    def now(self) -> datetime:
        """The time."""
        return self.server.now

    def before(self, request: str) -> None:
        """Note a request, and let happen what is to happen before it."""
        self.requests.append(request)
        self.meanwhile.pop(request, lambda: None)()

    async def say(self, text: str, key: str, room_id: RoomId | None = None, **more: Any) -> None:
        """Post words to Anna; ``more`` goes to `post`, ``cleartext`` to the address."""
        address = Address(ANNA, room_id, more.pop("cleartext", False))
        reply = Reply("words", {"text": text})
        await self.database.write(lambda tx: post(tx, self.renderer, self.now, address, reply, key, **more))

    async def tell(self, text: str, key: str, relation: Relation | None = None, **more: Any) -> None:
        """Post words to the staff room; ``more`` are fields of the reply."""
        place = StaffPlace(self.office, "en", self.case.id if relation else None, relation)
        reply = Reply("staff/words", {"text": text}, **more)
        await self.database.write(lambda tx: post_staff(tx, self.renderer, self.now, place, reply, key))

    async def evidence(self, file: FileRef, key: str) -> None:
        """Forward a file into the case's thread."""
        place = StaffPlace(self.office, "en", self.case.id, Relation.THREAD)
        await self.database.write(lambda tx: forward(tx, self.now, place, file, key))

    async def send(self, **later: float) -> list[str]:
        """Send what is due, after some time; return all that the bot has said to Anna in their direct message."""
        self.server.now += timedelta(**later)
        await self.outbox.drain()
        return self.server.bodies(self.direct, BOT)

    def fail(self, request: str, *errors: DpobotError) -> None:
        """Let the next requests of a name fail, without effect."""
        self.server.faults.setdefault(request, []).extend(errors)

    def said(self, room_id: RoomId) -> list[Received]:
        """Return the bot's messages in a room."""
        return [event for event in self.server.heard(room_id, BOT) if event.type == "m.room.message"]

    def uploaded(self, data: bytes, name: str = "orders.pdf", media_type: str = "application/pdf") -> FileRef:
        """Let somebody upload a file; return what is known of it."""
        return FileRef(name, media_type, self.server.store(data))

    async def card(self) -> EventId | None:
        """Return the case's card."""
        thread = await self.database.read(lambda tx: staff_threads.get(tx, self.case.id))
        return thread.event_id if thread else None

    async def states(self) -> dict[str, str]:
        """Return the state of each message in the outbox, by its key."""

        async def read(tx: Tx) -> dict[str, str]:
            rows = await tx.conn.execute(sa.select(table.c.key, table.c.state).order_by(table.c.id))
            return {row.key: row.state for row in rows}

        return await self.database.read(read)


async def _open_case(tx: Tx, now: datetime) -> Case:
    values = {
        "reference": "DPO-2026-0001",
        "person": ANNA,
        "kind": Kind.COMPLAINT,
        "state": CaseState.REVIEW,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "options": {},
        "received_at": now,
        "due_at": now,
        "updated_at": now,
    }
    case = await cases.add(tx, values)
    await staff_threads.touch(tx, case.id)
    return case


def _renderer(folder: Path) -> Renderer:
    for name, text in TEMPLATES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Renderer(folder, {})


@dataclass
class ServerClock:
    """The fake server's time is everybody's time."""

    server: FakeServer

    def now(self) -> datetime:
        """Return it."""
        return self.server.now


@pytest.fixture
async def world(sqlite_database: Database, tmp_path: Path) -> World:
    """The world at its beginning: nothing said yet."""
    server = FakeServer()
    direct = server.room(ANNA, BOT)
    server.join(direct, BOT)
    office = server.staff_room(STAFF, {BOT: 100})
    renderer, folder = _renderer(tmp_path / "templates"), tmp_path / "attachments"
    matrix = FakeMatrix(server, BOT, lambda request: made.before(request))
    attachments, laments = Attachments(matrix, folder, LARGEST), Laments(renderer, "en", LARGEST)
    outbox = Outbox(sqlite_database, matrix, ServerClock(server), attachments, laments)
    case = await sqlite_database.write(lambda tx: _open_case(tx, server.now))
    made = World(server, sqlite_database, outbox, renderer, folder, direct, office, case)
    return made
