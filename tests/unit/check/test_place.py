"""What is opened for the checks: nothing is made, nothing is changed, and what is missing is said with its cure."""

from pathlib import Path

import pytest

from dpobot import config
from dpobot.check import place
from dpobot.check.finding import Answer, Bot, Standing
from dpobot.clock import SystemClock
from dpobot.store.database import Database
from dpobot.store.schema import HEAD
from tests.test_shape import example
from tests.unit.store.older import at_revision


def _configured(folder: Path, url: str | None = None) -> config.Config:
    return config.parse(example() | {"data": {"directory": str(folder)} | ({"database_url": url} if url else {})})


async def test_before_it_ever_ran_nothing_is_made(tmp_path: Path) -> None:
    """Neither folder nor database nor key; each says how it comes to be."""
    chosen = _configured(tmp_path / "data")
    database = await place.opened(chosen, SystemClock())
    bot = await place.account(chosen, database)
    assert isinstance(database, Answer)
    assert isinstance(bot, Answer)
    assert (database.standing, database.cure) == (Standing.WARNING, "start it: dpobot run")
    assert (bot.standing, "dpobot init" in bot.cure) == (Standing.WARNING, True)
    assert list(tmp_path.iterdir()) == []


async def test_an_older_database_is_not_brought_up_to_date(database_url: str, tmp_path: Path) -> None:
    """Whoever looks does not migrate: there may be no backup yet."""
    await at_revision(database_url, "0003", lambda _: None)
    for _ in range(2):
        found = await place.opened(_configured(tmp_path, database_url), SystemClock())
        assert isinstance(found, Answer)
        assert (found.standing, "0003" in found.sentence, HEAD in found.sentence) == (Standing.WARNING, True, True)


async def test_lost_keys_are_told_and_no_new_ones_made(
    sqlite_database: Database, sqlite_url: str, tmp_path: Path
) -> None:
    """New keys would open nothing that is there."""
    found = await place.opened(_configured(tmp_path, sqlite_url), SystemClock())
    assert isinstance(found, Answer)
    assert (found.standing, "seal.keys is not there" in found.sentence) == (Standing.FAILED, True)
    assert not (tmp_path / "seal.keys").exists()


@pytest.mark.parametrize("device", ["{", '{"user_id": "@other:example.org", "device_id": "A", "access_token": "x"}'])
async def test_a_device_that_is_not_the_bots_is_told(device: str, tmp_path: Path) -> None:
    """Damaged, or another account's."""
    (tmp_path / "matrix").mkdir()
    (tmp_path / "matrix/device.json").write_text(device)
    found = await place.account(_configured(tmp_path), Answer(Standing.OK, ""))
    assert isinstance(found, Answer)
    assert found.standing is Standing.FAILED


async def test_the_device_is_used_without_opening_its_keys(tmp_path: Path) -> None:
    """Its folder is not locked: a bot that runs has it."""
    (tmp_path / "matrix").mkdir()
    device = '{"user_id": "@dpo:example.org", "device_id": "A", "access_token": "x"}'
    (tmp_path / "matrix/device.json").write_text(device)
    found = await place.account(_configured(tmp_path), Answer(Standing.OK, ""))
    assert isinstance(found, Bot)
    assert (found.user_id, found.http.token) == ("@dpo:example.org", "x")
    assert [path.name for path in (tmp_path / "matrix").iterdir()] == ["device.json"]
