"""The bot as it is wired, with a staff room in which Siri and Tom sit."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.store.database import Database
from tests.fakes.matrix import FakeServer
from tests.flow.conftest import ANNA, world
from tests.flow.stage import BOT, Stage, play

SIRI, TOM, MALLORY = UserId("@siri:dpobot.test"), UserId("@tom:dpobot.test"), UserId("@mallory:dpobot.test")


@dataclass
class Room:
    """The staff room, and the direct message of a person who has complained."""

    stage: Stage
    id: RoomId
    direct: RoomId

    @property
    def server(self) -> FakeServer:
        """The Matrix side."""
        return self.stage.server

    async def card(self, number: int = -1) -> EventId:
        """Return the card of a case, the newest if not told otherwise."""
        found = (await self.stage.rows("staff_thread"))[number]["event_id"]
        assert found is not None
        return EventId(found)

    async def hears(self, sender: UserId, text: str, root: EventId | None = None) -> list[str]:
        """Let somebody write into the room, or a thread of it, and return what the bot says there."""
        if root is None:
            return await self.after(self.server.text(self.id, sender, text))
        return await self.after(self.server.in_thread(self.id, sender, root, text))

    async def after(self, event_id: EventId) -> list[str]:
        """Return what the bot says in the room after an event, edits of cards left out."""
        await self.stage.settle()
        events = self.server.timeline
        place = [event.event_id for event in events].index(event_id)
        said = [event for event in events[place:] if event.room_id == self.id and event.sender == BOT]
        return [str(event.content["body"]) for event in said if "m.new_content" not in event.content]

    async def notes(self) -> list[str]:
        """Return who has written notes."""
        return [row["author"] for row in await self.stage.rows("case_message") if row["direction"] == "note"]

    async def assignees(self) -> list[str | None]:
        """Return whose the cases are."""
        return [row["assignee"] for row in await self.stage.rows("case")]


@pytest.fixture
async def room(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Room]:
    """A staff room with one complaint of Anna's."""
    server, data = FakeServer(), tmp_path / "data"
    data.mkdir(mode=0o700)
    staff = {"members": [SIRI, TOM]}
    async with play(sqlite_database, data, server, world(server), staff=staff) as stage:
        room_id = await stage.bot.staff_room.current()
        assert room_id is not None
        for member in (SIRI, TOM, MALLORY):
            server.join(room_id, member)
        direct = await stage.meet(ANNA)
        await stage.ask(direct, ANNA, "complaint my data were lost")
        yield Room(stage, room_id, direct)
