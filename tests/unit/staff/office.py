"""A staff room on a real database and a Matrix in memory, and a person whose cases stand in it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from dpobot.cases import service
from dpobot.cases.service import Opening, Rules
from dpobot.config import Config, parse
from dpobot.delivery.attachments import Attachments
from dpobot.delivery.laments import Laments
from dpobot.delivery.outbox import Outbox
from dpobot.matrix.api import Received
from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.model.records import Case
from dpobot.model.words import Channel, Kind, Trust
from dpobot.staff.board import Board
from dpobot.staff.room import StaffRoom
from dpobot.store import bot_state, cases, staff_threads
from dpobot.store.database import Database, Tx
from dpobot.text.render import Renderer, templates_folder
from tests.fakes.matrix import FakeMatrix, FakeServer
from tests.test_shape import example
from tests.unit.text.samples import GLOBALS

T = TypeVar("T")
BOT, ADA = UserId("@dpo:dpobot.test"), UserId("@ada:dpobot.test")
SIRI, TOM = UserId("@siri:dpobot.test"), UserId("@tom:dpobot.test")
RULES = Rules(frozenset({Kind.EXPORT}))


def configuration(**staff: Any) -> Config:
    """Return the example configuration with these keys in its section of the staff room."""
    raw: dict[str, Any] = {**example()}
    raw["staff"] = {**raw["staff"], "members": [], **staff}
    return parse(raw)


@dataclass
class Office:
    """The parts that make the staff room; opening another one on the same database is a restart."""

    database: Database
    folder: Path
    config: Config = field(default_factory=lambda: configuration(members=[SIRI, TOM]))
    server: FakeServer = field(default_factory=FakeServer)

    def __post_init__(self) -> None:
        self.matrix = FakeMatrix(self.server, BOT)
        self.renderer = Renderer(templates_folder(), GLOBALS)
        self.room = StaffRoom(self.database, self.matrix, self.renderer, self, self.config)
        self.board = Board(self.database, self.renderer, self, self.config)
        largest = self.config.staff.evidence_megabytes * 1_000_000
        attachments = Attachments(self.matrix, self.folder / "files", largest)
        laments = Laments(self.renderer, self.config.staff.language, largest)
        self.outbox = Outbox(self.database, self.matrix, self, attachments, laments)

    def now(self) -> datetime:
        """Return the server's time."""
        return self.server.now

    def again(self, **staff: Any) -> "Office":
        """Start anew, perhaps with other words in the configuration."""
        config = configuration(**staff) if staff else self.config
        return Office(self.database, self.folder, config, self.server)

    async def opens(self) -> RoomId:
        """Have the room ready, with Siri and Tom in it."""
        room_id = await self.room.ready()
        assert room_id is not None
        for member in (SIRI, TOM):
            self.server.join(room_id, member)
        await self.settle()
        return room_id

    async def settle(self) -> None:
        """Let everything be written and sent that is due."""
        while await self.board.sweep() + await self.outbox.drain():
            pass

    def waits(self, **time: float) -> None:
        """Let time pass."""
        self.server.now += timedelta(**time)

    async def case(self, kind: Kind = Kind.COMPLAINT, person: UserId = ADA, trust: Trust = Trust.SIGNED) -> Case:
        """Open a case."""
        opening = Opening(
            person=person,
            kind=kind,
            channel=Channel.MATRIX,
            trust=trust,
            local=True,
            room_id=None,
            event_id=None,
            options={},
            received_at=self.now(),
        )
        return (await self.write(lambda tx: service.open_case(tx, self.now(), opening, RULES))).case

    async def writes(self, case: Case, *texts: str) -> None:
        """Let the person write into their case."""
        for text in texts:
            event_id = self.server.text(self.server.room(ADA), ADA, text)
            await self.write(lambda tx: self._adds(tx, case, event_id, text))  # noqa: B023 - called at once

    async def _adds(self, tx: Tx, case: Case, event_id: EventId, text: str) -> None:
        newest = await cases.get(tx, case.id)
        await service.add_message(tx, self.now(), newest, event_id, text, RULES)

    async def card(self, case: Case) -> EventId:
        """Return the event of a case's card."""
        thread = await self.read(lambda tx: staff_threads.get(tx, case.id))
        assert thread is not None
        assert thread.event_id is not None
        return thread.event_id

    async def shown(self, case: Case) -> str:
        """Return what a case's card shows now."""
        return self.server.shown(await self.card(case))

    async def thread(self, case: Case) -> list[str]:
        """Return the texts in a case's thread."""
        return [str(event.content["body"]) for event in self.server.thread(await self.card(case))]

    def sent(self, room_id: RoomId) -> list[Received]:
        """Return what the bot has sent to a room."""
        return [event for event in self.server.heard(room_id, BOT) if event.state_key is None]

    def edits(self, room_id: RoomId) -> int:
        """Return how often the bot has edited something in a room."""
        return sum("m.new_content" in event.content for event in self.sent(room_id))

    async def current(self) -> str | None:
        """Return which room the bot's state names."""
        return await self.read(lambda tx: bot_state.get(tx, bot_state.STAFF_ROOM))

    async def read(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Look something up."""
        return await self.database.read(work)

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Change something."""
        return await self.database.write(work)
