"""The homeserver of `benchmarks.workers`: it answers at once, and then waits as long as a busy real one would take.

Two cores can't run a homeserver that four workers keep busy. The waiting is all that is made up: what collects, packs,
checks, journals and delivers is the code that always does it.
"""

import asyncio
import math
import random
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

from dpobot.clock import Clock
from dpobot.config import parse
from dpobot.homeserver.api import Homeserver
from dpobot.jobs.parts import Parts
from dpobot.matrix.api import Courier
from dpobot.model.ids import RoomId, UserId
from dpobot.receipt.key import SigningKey
from dpobot.store.database import Database
from dpobot.text.render import Renderer, templates_folder
from tests.fakes.changes import FakeChanges
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.leftovers import FakeLeftovers
from tests.fakes.matrix import FakeMatrix, FakeServer
from tests.test_shape import example

BOT = UserId("@dpo:dpobot.test")
ROOMS, EVENTS = 10, 40  # of each person, and in each room
SPREAD = 0.75  # of the logarithm: one answer in twenty takes more than three times the median
# Medians in seconds. What a page of events takes is from benchmarks.admin_api_speed; a message goes over the bot.
HOMESERVER = {"own_events": 0.6, "company": 0.4, "rooms": 0.3, "media": 0.2, "media_bytes": 0.3}
ACCOUNT = {"send": 0.8, "upload_encrypted": 1.0}
OTHERS = 0.15


class Waiting:
    """Something whose every request takes its time."""

    def __init__(self, inner: Any, medians: Mapping[str, float], dice: random.Random) -> None:
        self._inner = inner
        self._medians = medians
        self._dice = dice

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*arguments: Any, **named: Any) -> Any:
            await self._wait(name)
            return await found(*arguments, **named)

        return call

    async def media_bytes(self, item: Any) -> AsyncIterator[bytes]:
        """See `Homeserver.media_bytes`."""
        await self._wait("media_bytes")
        async for block in self._inner.media_bytes(item):
            yield block

    async def _wait(self, name: str) -> None:
        await asyncio.sleep(self._dice.lognormvariate(math.log(self._medians.get(name, OTHERS)), SPREAD))


def person(number: int) -> UserId:
    """Return the user ID of one of the people."""
    return UserId(f"@p{number}:dpobot.test")


def direct_rooms(server: FakeServer, people: int) -> list[RoomId]:
    """Make everybody's direct message with the bot; the same ones each time."""
    rooms = []
    for number in range(people):
        room = server.room(person(number), BOT)
        server.join(room, BOT)
        rooms.append(room)
    return rooms


def _homeserver(people: int) -> FakeHomeserver:
    made = FakeHomeserver()
    for number in range(people):
        who = made.add_account(person(number))
        for index in range(ROOMS):
            room = made.add_room(RoomId(f"!r{index}-{number}:dpobot.test"), f"Room {index}")
            made.set_membership(room, who, "join")
            for event in range(EVENTS):
                made.say(room, who, f"{event}: the quick brown fox jumps over the lazy dog")
        made.upload(who, random.Random(number).randbytes(200_000), "photo.jpg", "image/jpeg")
    return made


def parts_of(database: Database, clock: Clock, folder: Path, people: int, seed: int) -> Parts:
    """Return what the jobs of one machine are given; its disk is ``folder``."""
    config = parse({**example(), "data": {"directory": str(folder)}})
    homeserver, server, dice = _homeserver(people), FakeServer(now=clock.now()), random.Random(seed)
    direct_rooms(server, people)
    folder.mkdir(parents=True)
    (folder / "spool").mkdir(mode=0o700)
    return Parts(
        database,
        cast(Homeserver, Waiting(homeserver, HOMESERVER, dice)),
        cast(Courier, Waiting(FakeMatrix(server, BOT), ACCOUNT, dice)),
        Renderer(templates_folder(), {"operator": config.operator, "bot": BOT, "commands": [], "links": False}),
        clock,
        config,
        folder / "spool",
        "2026-01-01",
        FakeChanges(homeserver),
        FakeLeftovers(homeserver),
        SigningKey(bytes(32)),
    )
