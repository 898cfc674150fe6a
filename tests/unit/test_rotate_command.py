"""`dpobot rotate-keys`: what an admin does, and what happens when the power goes in between."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from dpobot import app, config, rotation
from dpobot.clock import SystemClock
from dpobot.errors import ConfigurationError
from dpobot.receipt import command, key
from dpobot.store import bot_state, key_file, outbox, resealing
from dpobot.store.database import Database, Tx
from dpobot.store.outbox import OutboxItem
from tests.unit.admin import bot_toml, opened
from tests.unit.cases.office import ANNA, NOW
from tests.unit.store import sealed

__all__ = ["bot_toml"]  # a fixture

_MANY = 300
_KILLED = """
import os, signal, sys
from dpobot.store.seal import Seal

close, left = Seal.close, list(range(230))

def cut(self, plain, context):
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left.pop()
    return close(self, plain, context)

Seal.close = cut
from dpobot.cli import main
main(sys.argv[1:])
"""


@pytest.fixture
async def database(bot_toml: Path) -> AsyncIterator[Database]:
    """The database of an installation with something in every place that is encrypted at rest."""
    made = await opened(bot_toml)
    await sealed.plant(made)
    yield made
    await made.close()


@pytest.fixture
def keys(bot_toml: Path) -> Path:
    """Its key file."""
    return config.load(bot_toml).data.directory / key_file.FILE


Rotate = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def rotate(bot_toml: Path, capsys: pytest.CaptureFixture[str]) -> Rotate:
    """Do what the command does with some options; return its exit status and what it says."""

    async def run(*options: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        rotation.arguments(parser)
        status = await rotation.run(parser.parse_args(options), config.load(bot_toml), SystemClock())
        return status, capsys.readouterr().out

    return run


async def test_an_admin_rotates_and_drops_the_old_key(rotate: Rotate, database: Database, keys: Path) -> None:
    """While a process that was started before goes on reading; nothing else is in the folder afterwards."""
    before = await sealed.opened(database)
    names = sorted(path.name for path in keys.parent.iterdir())
    status, said = await rotate()
    assert status == 0
    rotated = key_file.read(keys)
    assert f"key {rotated.current} is the current one now" in said
    assert len(rotated.former) == 1
    assert await sealed.opened(database) == before
    gone = f"1 former keys were removed from {keys}; backups from before can't be opened with it\n"
    assert await rotate("--drop-old") == (0, gone)
    assert list(key_file.read(keys).keys) == [rotated.current]
    assert await sealed.opened(database) == before
    assert sorted(path.name for path in keys.parent.iterdir()) == names


async def test_a_key_that_is_needed_is_not_dropped(rotate: Rotate, database: Database, keys: Path) -> None:
    """With how many values need it, and what to do."""
    key_file.put(keys, key_file.read(keys).moved_on())
    before = keys.read_bytes()
    status, said = await rotate("--drop-old")
    needed = sum(len(values) for values in (await sealed.held(database)).values()) + 1
    assert (status, said.split(":")[0]) == (1, f"{needed} values are still closed with former keys")
    assert keys.read_bytes() == before


async def test_killed_in_the_middle_the_second_run_finishes(
    bot_toml: Path, rotate: Rotate, database: Database, keys: Path
) -> None:
    """Hundreds of values, and no word of it is lost; the second run makes no third key."""

    async def fill(tx: Tx) -> None:
        for number in range(_MANY):
            await outbox.put(tx, OutboxItem(f"k{number}", ANNA, {"body": sealed.WORDS}, NOW))

    await database.write(fill)
    before = await sealed.opened(database)
    former = key_file.read(keys).current
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _KILLED, "rotate-keys", "--config", str(bot_toml), stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == -signal.SIGKILL
    assert 0 < (await database.read(resealing.old_ones))[former] < _MANY
    assert await sealed.opened(database) == before
    made = key_file.read(keys).current
    status, said = await rotate()
    assert (status, key_file.read(keys).current, said.split(":")[0]) == (0, made, "an earlier rotation was interrupted")
    assert await database.read(resealing.old_ones) == {}
    assert await sealed.opened(database) == before


async def test_with_more_machines_the_key_is_prepared_first(
    bot_toml: Path, rotate: Rotate, database: Database, keys: Path
) -> None:
    """The others must have it before anything is closed with it."""
    bot_toml.write_text(bot_toml.read_text().replace("[cluster]\nenabled = false", "[cluster]\nenabled = true"))
    before = key_file.read(keys)
    with pytest.raises(ConfigurationError, match="rotate-keys --prepare, and copy the file"):
        await rotate()
    assert key_file.read(keys) == before
    assert (await rotate("--prepare"))[0] == 0
    prepared = key_file.read(keys)
    assert (prepared.current, prepared.former) == (before.current, frozenset())
    assert (await rotate("--prepare"))[0] == 0
    assert key_file.read(keys) == prepared
    assert (await rotate())[0] == 0
    assert key_file.read(keys).current == prepared.following
    assert await database.read(resealing.old_ones) == {}


async def test_a_credential_can_not_be_changed_here(
    bot_toml: Path, rotate: Rotate, database: Database, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a copy of systemd's: the sentence says what to do with the original."""
    handed = tmp_path / "handed"
    handed.mkdir(mode=0o700)
    (handed / "seal").write_bytes(keys.read_bytes())
    (handed / "seal").chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    named = f"[data]\nseal_key_file = {json.dumps('credential:seal')}"
    bot_toml.write_text(bot_toml.read_text().replace("[data]", named))
    with pytest.raises(ConfigurationError, match="stop the bot, copy the file to a private folder"):
        await rotate()
    assert (handed / "seal").read_bytes() == keys.read_bytes()


async def test_receipts_of_a_former_key_stay_valid(bot_toml: Path, rotate: Rotate, database: Database) -> None:
    """Both public keys are published; the database knows the new one."""
    folder = config.load(bot_toml).data.directory
    former = key.load_or_create(folder)
    assert (await rotate("--receipt"))[0] == 0
    now = key.load(folder)
    assert now.publics == {now.key_id: now.public, former.key_id: former.public}
    published = json.loads(command.published(now.publics))
    assert list(published["receipt_keys"]) == [now.key_id, former.key_id]
    assert await database.read(lambda tx: bot_state.get(tx, bot_state.RECEIPT_KEY)) == now.public


async def test_a_receipt_key_that_nobody_knows_stops_the_start(
    bot_toml: Path, rotate: Rotate, database: Database
) -> None:
    """A machine with a key of its own would sign what nobody can check; one that is lost for good is followed."""
    settings = config.load(bot_toml)
    path = settings.data.directory / key.FILE
    await app.take_in_receipt_key(settings, database)
    lost = key.load(settings.data.directory)
    path.unlink()
    with pytest.raises(ConfigurationError, match="rotate-keys --receipt"):
        await app.take_in_receipt_key(settings, database)
    assert (await rotate("--receipt"))[0] == 0
    await app.take_in_receipt_key(settings, database)
    assert lost.key_id in key.load(settings.data.directory).publics
