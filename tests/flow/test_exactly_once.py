"""Whatever breaks, and whenever: one request gives one case, one answer of each kind, one archive."""

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from dpobot.errors import Unavailable
from dpobot.matrix.api import SyncBatch
from dpobot.model.ids import RoomId
from dpobot.store import bot_state
from dpobot.store.database import Database
from dpobot.store.seal import Seal
from tests.fakes.matrix import FakeServer
from tests.flow.conftest import ANNA, world
from tests.flow.power import Power
from tests.flow.stage import BOT, Stage, StageHomeserver, play

_BATCH = 8  # cuts of one test


async def test_the_same_batch_twice_is_taken_in_once(stage: Stage) -> None:
    """The server gives out a batch again, as after a crash before the token was kept."""
    room_id = await stage.meet(ANNA)
    before = str(len(stage.server.timeline))
    await stage.ask(room_id, ANNA, "export")
    heard = stage.said(room_id)
    await stage.database.write(lambda tx: bot_state.set(tx, bot_state.SYNC_TOKEN, before))
    await stage.settle()
    assert stage.said(room_id) == heard
    assert await stage.states() == ["delivered"]


async def test_a_command_within_a_batch_twice_counts_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A back-filled timeline may repeat an event in the same batch."""
    room_id = await stage.meet(ANNA)
    sync = stage.bot.matrix.sync

    async def doubled(since: str | None, timeout_ms: int) -> SyncBatch:
        batch = await sync(since, timeout_ms)
        return SyncBatch(batch.next_batch, batch.events * 2, batch.invites * 2)

    monkeypatch.setattr(stage.bot.matrix, "sync", doubled)
    assert len(await stage.ask(room_id, ANNA, "rights")) == 1


@pytest.mark.parametrize("request_", ["send", "upload_encrypted"])
async def test_an_answer_that_got_lost_doubles_nothing(stage: Stage, request_: str) -> None:
    """The server took a message, but its answer never arrived: the same transaction gives the same event."""
    room_id = await stage.meet(ANNA)
    stage.server.lost_answers[request_] = stage.away(3)
    await stage.ask(room_id, ANNA, "export")
    for _ in range(4):
        await stage.pass_time(minutes=1)
    assert stage.server.lost_answers[request_] == []
    assert _outcome(stage, room_id) == _EXPECTED
    assert await stage.states() == ["delivered"]


_EXPECTED = {"greeting": 1, "accepted": 1, "progress": 1, "file": 1, "delivered": 1}
_SIGNS = {
    "greeting": "Hello!",
    "accepted": "is accepted",
    "progress": "Collecting your data",
    "file": ".zip",
    "delivered": "Your data is here",
}


def _outcome(stage: Stage, room_id: RoomId) -> Counter[str]:
    said = stage.said(room_id)
    return Counter(name for name, sign in _SIGNS.items() for sentence in said if sign in sentence)


async def _life(stage: Stage, room_id: RoomId | None = None) -> None:
    """Live until there is nothing left to do, or no power."""
    with suppress(Unavailable):
        await stage.settle()


@pytest.mark.parametrize("first", range(0, 56, _BATCH))
async def test_the_power_may_go_before_any_effect(
    first: int, tmp_path: Path, sqlite_template: Path, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot dies before its first, second, ... effect (transaction or request); the next life finishes the work."""
    monkeypatch.setattr("dpobot.engine.turns._LOOK_AGAIN", 0.0)
    for cut in range(first, first + _BATCH):
        folder = tmp_path / str(cut)
        folder.mkdir(mode=0o700)
        (folder / "dpobot.sqlite").write_bytes(sqlite_template.read_bytes())
        database = Database(f"sqlite+aiosqlite:///{folder / 'dpobot.sqlite'}", seal)
        await database.open()
        try:
            await _die_and_live_again(database, folder, cut)
        finally:
            await database.close()


async def _die_and_live_again(database: Database, folder: Path, cut: int) -> None:
    server = FakeServer()
    homeserver = world(server)
    room_id = server.room(ANNA, BOT)
    server.text(room_id, ANNA, "export")
    power = Power(cut)
    async with play(database, folder, server, homeserver, power) as stage:
        await _life(stage)
    async with play(database, folder, server, homeserver) as stage:
        await stage.settle()
        await stage.pass_time(minutes=1)
        await stage.pass_time(minutes=1)
        assert (cut, await stage.states()) == (cut, ["delivered"])
        assert (cut, _outcome(stage, room_id)) == (cut, _EXPECTED)
        assert (cut, stage.spooled()) == (cut, [])


async def test_the_cuts_reach_the_end(
    sqlite_database: Database, data: Path, server: FakeServer, homeserver: StageHomeserver
) -> None:
    """The last cut of the test above lies behind the last effect of an undisturbed life."""
    room_id = server.room(ANNA, BOT)
    server.text(room_id, ANNA, "export")
    power = Power()
    async with play(sqlite_database, data, server, homeserver, power) as stage:
        await stage.settle()
        assert await stage.states() == ["delivered"]
    assert 30 < power.spent < 56
