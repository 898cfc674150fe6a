"""The stage of the stories: the bot as `dpobot.app` wires it, on a real database, with a fake Matrix and homeserver.

Nothing sleeps: `settle` lets everything happen that is due, `pass_time` moves the clock.
"""

import json
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from dpobot import app
from dpobot.app import Bot
from dpobot.config import Config, parse
from dpobot.errors import DpobotError, Unavailable
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.store import bot_state, tables
from dpobot.store.database import Database
from dpobot.store.tx import Tx
from dpobot.text.render import Renderer
from dpobot.workshop import jobs as workshop
from tests.fakes.changes import FakeChanges
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.leftovers import FakeLeftovers
from tests.fakes.matrix import FakeMatrix, FakeServer, unavailable
from tests.flow.planted import BODY, ROOM_NAME
from tests.flow.power import Power, PoweredDatabase
from tests.test_shape import example

BOT = UserId("@dpo:dpobot.test")
EXPORT: dict[str, Any] = {}  # what a story changes in this section


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
            handled += await self.bot.board.sweep()
            sent = await self.bot.outbox.drain()
            started = await self.bot.engine.sweep()
            await self.bot.engine.idle()
            quiet = not (handled or sent or started) and len(self.server.timeline) == before
            if quiet and batch.next_batch == str(before):
                return
        raise AssertionError("the bot never comes to rest")

    async def pass_time(self, **parts: float) -> None:
        """Move the clock and let happen what is due then, what is said unasked included."""
        self.server.now += timedelta(**parts)
        await self.bot.reminders.once()
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

    def manifest(self, room_id: RoomId) -> dict[str, Any]:
        """Return the manifest of the newest volume in a room."""
        with self.archive(room_id) as archive:
            found: dict[str, Any] = json.loads(archive.read("manifest.json"))
        return found

    def own_words(self, room_id: RoomId) -> list[str]:
        """Return the texts of all messages in the newest volume in a room."""
        with self.archive(room_id) as archive:
            files = [name for name in archive.namelist() if name.endswith(".jsonl")]
            events = [json.loads(line) for name in files for line in archive.read(name).splitlines()]
        return [event["content"]["body"] for event in events]

    def room(self, name: str, person: UserId, *bodies: str) -> RoomId:
        """Let a person be in a room of the homeserver, and say things there."""
        room_id = self.homeserver.add_room(RoomId(f"!{name}:dpobot.test"), ROOM_NAME)
        self.homeserver.set_membership(room_id, person, "join")
        for body in bodies:
            self.homeserver.say(room_id, person, f"{BODY} {body}")
        return room_id

    @staticmethod
    def away(times: int, retry_after: float | None = None) -> list[Exception]:
        """Return the failures of a server that is away for some requests."""
        return unavailable(times, retry_after)

    def spooled(self) -> list[str]:
        """Return what lies in the spool."""
        return sorted(path.name for path in (self.data / "spool").iterdir())

    async def states(self) -> list[str]:
        """Return the states of all cases, in their order."""
        return [case["state"] for case in await self.rows("case")]

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
        self.power = Power()
        self._later: dict[str, tuple[int, tuple[DpobotError, ...]]] = {}

    def after(self, method: str, times: int, *errors: DpobotError) -> None:
        """Let a method fail after it has answered some times."""
        self._later[method] = (len([call for call in self.calls if call == method]) + times, errors)

    def _called(self, method: str) -> None:
        when, errors = self._later.get(method, (-1, ()))
        if self.calls.count(method) == when:
            del self._later[method]
            self.fault(method, *errors)
        super()._called(method)

    async def delete_media(self, url: Mxc) -> bool:
        """Delete it from either."""
        self.power.request("delete_media")
        existed = await super().delete_media(url)
        return self._server.media.pop(url, None) is not None or existed


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
    raw["export"] = raw["export"] | EXPORT
    raw["data"] = {"directory": str(data)}
    raw["staff"] = raw["staff"] | {"members": []}  # a story that needs the staff room names its members
    for name, values in sections.items():
        raw[name] = raw.get(name, {}) | values
    return parse(raw)


_compiled: list[tuple[dict[str, object], Renderer]] = []


def _renderer(templates: Path, values: dict[str, object]) -> Renderer:
    """Return one renderer for all plays with the same values: compiling takes longer than most stories."""
    for known, renderer in _compiled:
        if known == values:
            return renderer
    _compiled.append((values, Renderer(templates, values)))
    return _compiled[-1][1]


@asynccontextmanager
async def play(
    database: Database,
    data: Path,
    server: FakeServer,
    homeserver: "StageHomeserver",
    power: Power | None = None,
    **sections: Any,
) -> AsyncIterator[Stage]:
    """Open the stage; opening it again on the same database is a restart. ``power`` lets it die in the middle."""
    clock = ServerClock(server)
    homeserver.power = power = power or Power()

    async def born(tx: Tx) -> None:
        await bot_state.be_born(tx, clock.now())

    await database.write(born)
    matrix = FakeMatrix(server, BOT, power.request)
    with patch.object(workshop, "Renderer", _renderer):
        config, powered = configuration(data, **sections), PoweredDatabase(database, power)
        administration = app.Administration(homeserver, FakeChanges(homeserver), FakeLeftovers(homeserver))
        bot = app.wire(config, clock, powered, administration, matrix)
        await app.take_in_safeguards(config, clock, database)
    try:
        with suppress(Unavailable):
            await bot.engine.start()
        with suppress(Unavailable):
            await bot.staff_room.ready()
        yield Stage(bot, server, homeserver, database, data)
    finally:
        await bot.engine.stop()
