"""Whenever the power goes in a staff conversation: each card, each line, each reply is there once, and the chain holds.

Each step of the conversation is played from where the one before has ended, and for every second of its effects once
more: with a cut before that effect, and another life that finds what is left to do. All would take twice as long.
"""

import copy
import itertools
import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from dpobot.audit import chain
from dpobot.errors import Unavailable
from dpobot.model.ids import RoomId
from dpobot.store.database import Database
from dpobot.store.seal import Seal
from tests.fakes.matrix import FakeServer
from tests.flow.conftest import ANNA, world
from tests.flow.planted import BODY
from tests.flow.power import Power
from tests.flow.stage import play
from tests.flow.team import DORA, EMIL, STAFF, Team, code

CASE = "DPO-2026-0001"
_WAIT = timedelta(seconds=11)  # a reply is held back for less
_CHANGES = re.compile(r"`[a-z]+ [A-Z2-9]{6}`|\d\d:\d\d(:\d\d)?")  # codes, and times

Said = Callable[[Team, RoomId], object]  # lets somebody say something; the room is Anna's

STEPS: Sequence[Said] = (
    lambda team, room_id: team.stage.server.text(room_id, ANNA, f"complaint {BODY} it took a month"),
    lambda team, _: _in_thread(team, "claim"),
    lambda team, _: team.stage.server.in_thread(team.room, EMIL, team.cards()[CASE], "I know this one"),
    lambda team, _: _in_thread(team, "reply We are looking into it."),
    lambda team, _: _in_thread(team, "pause Which month was it?"),
    lambda team, room_id: team.stage.server.text(room_id, ANNA, f"{BODY} it was March"),
    lambda team, _: _in_thread(team, "approve"),
    lambda team, _: _in_thread(team, code(team.thread(CASE)[-1:])),
    lambda team, _: _in_thread(team, "close: It will not happen again."),
)


def _in_thread(team: Team, text: str) -> None:
    team.stage.server.in_thread(team.room, DORA, team.cards()[CASE], text)


@dataclass
class World:
    """Everything that a life of the bot leaves behind."""

    folder: Path
    seal: Seal
    server: FakeServer
    room: RoomId | None = None
    direct: RoomId | None = None

    def fork(self, folder: Path, first: int) -> "World":
        """Return the same world once more, with its own future; ``first``: the number of its next event."""
        folder.mkdir(mode=0o700)
        shutil.copyfile(self.folder / "dpobot.sqlite", folder / "dpobot.sqlite")
        kept: dict[str, Any] = {
            each.name: copy.deepcopy(getattr(self.server, each.name))
            for each in fields(self.server)
            if each.name not in ("timeline", "_numbers")
        }
        server = FakeServer(**kept, timeline=list(self.server.timeline), _numbers=itertools.count(first))
        return World(folder, self.seal, server, self.room, self.direct)

    async def live(self, said: Said | None, power: Power | None = None, *, wait: bool = False) -> "Outcome":
        """Let the bot live: somebody says something, and what follows follows, as long as there is power.

        ``wait``: so long that what is held back is said.
        """
        database = Database(f"sqlite+aiosqlite:///{self.folder / 'dpobot.sqlite'}", self.seal)
        await database.open()
        try:
            async with play(database, self.folder, self.server, world(self.server), power, staff=STAFF) as stage:
                team = Team(stage, self.room) if self.room is not None else await Team.gather(stage)
                self.room, self.direct = team.room, self.direct or await stage.meet(ANNA)
                if said is not None:
                    said(team, self.direct)
                with suppress(Unavailable):
                    await stage.settle()
                    if wait:
                        self.server.now += _WAIT
                        await stage.settle()
                return Outcome(
                    Counter(_normal(team.stage.said(team.room))),
                    Counter(_normal(team.thread(CASE))) if CASE in team.cards() else Counter(),
                    {name: team.card(name) for name in team.cards()},
                    Counter(_normal(stage.said(self.direct))),
                    await stage.states(),
                    [(row["direction"], row["author"]) for row in await stage.rows("case_message")],
                    Counter(row["action"] for row in await stage.rows("audit")),
                    (await database.read(chain.verify)).holds,
                )
        finally:
            await database.close()


@dataclass(frozen=True)
class Outcome:
    """What everybody sees, and what is kept."""

    in_staff_room: Counter[str]
    in_thread: Counter[str]
    cards: dict[str, str]
    to_anna: Counter[str]
    states: list[str]
    written: list[tuple[str, str | None]]
    audited: Counter[str]
    chain_holds: bool


def _normal(said: list[str]) -> list[str]:
    return [_CHANGES.sub("…", sentence) for sentence in said]


async def test_the_power_may_go_before_any_effect(tmp_path: Path, sqlite_template: Path, seal: Seal) -> None:
    """After a cut the next life leaves everything as if there had been none."""
    base = World(tmp_path / "base", seal, FakeServer())
    base.folder.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, base.folder / "dpobot.sqlite")
    await base.live(None)
    for number, said in enumerate(STEPS):
        after = base.fork(tmp_path / f"step{number}", 1000 * (number + 1))
        power = Power()
        expected = await after.live(said, power, wait=number == _REPLY)
        assert (number, expected.chain_holds, expected.states) == (number, True, [_STATES[number]])
        for cut in range(number % 2, power.spent, 2):
            disturbed = base.fork(tmp_path / f"step{number}cut{cut}", 1000 * (number + 1))
            await disturbed.live(said, Power(cut), wait=number == _REPLY)
            outcome = await disturbed.live(None, wait=number == _REPLY)
            assert (number, cut, outcome) == (number, cut, expected)
            shutil.rmtree(disturbed.folder)
        base = after
    assert {name: count for name, count in expected.in_staff_room.items() if count != 1} == {}


_REPLY = 3  # which step is held back for a while
_STATES = ("review", "review", "review", "review", "paused", "review", "review", "approved", "closed")
