"""Two machines that are set up at the same moment: the first one's keys count, and the other one says what to copy."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dpobot.config import Config, parse
from dpobot.errors import ConfigurationError
from dpobot.receipt import key
from dpobot.store import bot_state
from dpobot.store.database import Database
from dpobot.store.seal import Seal
from dpobot.workshop.storage import take_in_receipt_key
from tests.test_shape import example


def _machine(tmp_path: Path, name: str) -> Config:
    (tmp_path / name).mkdir(mode=0o700)
    return parse({**example(), "data": {"directory": str(tmp_path / name)}})


def _refused(ended: Sequence[Any]) -> list[str]:
    """Return what those that did not start say; nothing else may have gone wrong."""
    refusals = [error for error in ended if error is not None]
    assert [error for error in refusals if not isinstance(error, ConfigurationError)] == []
    return [str(error) for error in refusals]


async def test_one_key_signs_receipts(database: Database, tmp_path: Path) -> None:
    """Whoever made another one refuses to start, now and later, until the first one's has been copied."""
    here, there = _machine(tmp_path, "here"), _machine(tmp_path, "there")
    both = [take_in_receipt_key(config, database) for config in (here, there)]
    (said,) = _refused(await asyncio.gather(*both, return_exceptions=True))
    assert "copy the one that this installation signs with" in said
    again = [take_in_receipt_key(config, database) for config in (here, there)]
    assert _refused(await asyncio.gather(*again, return_exceptions=True)) == [said]
    known = await database.read(lambda tx: bot_state.get(tx, bot_state.RECEIPT_KEY))
    files = {
        key.load(config.data.directory).public == known: config.data.directory / key.FILE for config in (here, there)
    }
    files[False].write_bytes(files[True].read_bytes())
    for config in (here, there):
        await take_in_receipt_key(config, database)


async def test_one_key_file_seals(postgres_url: str) -> None:
    """What each would write the other could not read: one of them opens the database."""
    both = [Database(postgres_url, Seal({"key": bytes([number]) * 32}, "key")) for number in (1, 2)]
    (said,) = _refused(await asyncio.gather(*(each.open() for each in both), return_exceptions=True))
    for each in both:
        await each.close()
    assert "does not open this database" in said
