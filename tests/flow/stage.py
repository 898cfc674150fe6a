"""The stage of the stories: the bot as `dpobot.app` wires it, on a real database, with a fake Matrix and homeserver.

Nothing sleeps: `settle` lets everything happen that is due, `pass_time` moves the clock.
"""

import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dpobot import app
from dpobot.app import Bot
from dpobot.config import Config, parse
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.store import bot_state, tables
from dpobot.store.database import Database
from dpobot.store.tx import Tx
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.matrix import FakeMatrix, FakeServer
from tests.test_shape import example

BOT = UserId("@dpo:dpobot.test")


@dataclass
class ServerClock:
    """The fake server's time is everybody's time."""

    server: FakeServer

    def now(self) -> Any:
        """Return it."""
        return self.server.now


@dataclass
class Stage:
    """What a story plays on."""

    bot: Bot
    server: FakeServer
    homeserver: FakeHomeserver
    database: Database
    data: Path

    async def settle(self) -> None:
        """Let everything happen that is due now."""
        for _ in range(100):
            before = len(self.server.timeline)
            batch = await self.bot.listener.once(0)
            handled = await self.bot.workers.drain()
            sent = await self.bot.outbox.drain()
            started = await self.bot.engine.sweep()
            await self.bot.engine.idle()
            quiet = not (handled or sent or started) and len(self.server.timeline) == before
            if quiet and batch.next_batch == str(before):
                return
        raise AssertionError("the bot never comes to rest")

    async def pass_time(self, **parts: float) -> None:
        """Move the clock and let happen what is due then."""
        self.server.now += timedelta(**parts)
        await self.settle()

    async def meet(self, person: UserId, *, encrypted: bool = True) -> RoomId:
        """Let a person open a direct message with the bot."""
        room_id = self.server.room(person, BOT, encrypted=encrypted)
        await self.settle()
        return room_id

    async def ask(self, room_id: RoomId, person: UserId, text: str) -> list[str]:
        """Let a person write, and return what the bot answered."""
        before = len(self.said(room_id))
        self.server.text(room_id, person, text)
        await self.settle()
        return self.said(room_id)[before:]

    def said(self, room_id: RoomId) -> list[str]:
        """Return all that the bot has said in a room, edits left out."""
        return self.server.bodies(room_id, BOT)

    def files(self, room_id: RoomId) -> list[EventId]:
        """Return the file messages that the bot sent to a room and that are still there."""
        heard = self.server.heard(room_id, BOT)
        return [event.event_id for event in heard if event.content.get("msgtype") == "m.file"]

    def archive(self, room_id: RoomId) -> zipfile.ZipFile:
        """Open the newest volume in a room."""
        newest = [event for event in self.server.heard(room_id, BOT) if event.content.get("msgtype") == "m.file"][-1]
        path = self.data / "received.zip"
        path.write_bytes(self.server.media[newest.content["file"]["url"]])
        return zipfile.ZipFile(path)

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of a table."""

        async def read(tx: Tx) -> list[dict[str, Any]]:
            found = await tx.conn.execute(sa.select(tables.metadata.tables[table]))
            return [dict(row) for row in found.mappings()]

        return await self.database.read(read)


class StageHomeserver(FakeHomeserver):
    """The fake homeserver, knowing the media that the bot itself has uploaded: there is one media store."""

    def __init__(self, server: FakeServer) -> None:
        super().__init__()
        self._server = server

    async def delete_media(self, url: Mxc) -> bool:
        """Delete it from either."""
        existed = self._server.media.pop(url, None) is not None
        return await super().delete_media(url) or existed


def reference(said: list[str]) -> str:
    """Return the reference that is in what the bot said."""
    found = re.search(r"DPO-\d{4}-\d{4}", "\n".join(said))
    assert found is not None, said
    return found[0]


def configuration(data: Path, **sections: dict[str, Any]) -> Config:
    """Return the example configuration with a data folder and some keys changed."""
    raw: dict[str, Any] = {
        **example(),
    }
    raw["data"] = {"directory": str(data)}
    for name, values in sections.items():
        raw[name] = raw.get(name, {}) | values
    return parse(raw)


@asynccontextmanager
async def play(
    database: Database, data: Path, server: FakeServer, homeserver: FakeHomeserver, **sections: Any
) -> AsyncIterator[Stage]:
    """Open the stage; opening it again on the same database is a restart."""
    clock = ServerClock(server)

    async def born(tx: Tx) -> None:
        await bot_state.be_born(tx, clock.now())

    await database.write(born)
    bot = app.wire(configuration(data, **sections), clock, database, homeserver, FakeMatrix(server, BOT))
    await bot.engine.start()
    yield Stage(bot, server, homeserver, database, data)
    await bot.engine.stop()
