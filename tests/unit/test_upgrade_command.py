"""Upgrades and downgrades at the command line: one migrates, the others find it done; a newer database is refused."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from dpobot import config, exits
from dpobot.errors import Outdated
from dpobot.store import schema
from dpobot.store.database import Database, Tx
from dpobot.store.seal import Seal, load_or_create
from tests.unit.admin import bot_toml, opened, run
from tests.unit.store.older import at_revision, everything

__all__ = ["bot_toml"]  # a fixture

_NEWER = (
    "dpobot: data.database_url: this database belongs to a newer dpobot (revision 9999);"
    " install that version, or restore the backup from before its upgrade\n"
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_two_that_start_at_once_migrate_once(bot_toml: Path, kind: str, request: pytest.FixtureRequest) -> None:
    """Each exits with 0: who waited finds it done (a second run of a migration would fail on tables that exist)."""
    if kind == "postgresql":
        address = request.getfixturevalue("postgres_url")
        text = bot_toml.read_text().replace("[data]", f'[data]\ndatabase_url = "{address}"')
        bot_toml.write_text(text)
    configured = config.load(bot_toml)
    configured.data.directory.mkdir(mode=0o700)
    seal = load_or_create(configured.data.directory / "seal.keys")
    await at_revision(configured.database_url, "0001", everything(seal))
    results = await asyncio.gather(*(run(bot_toml, "migrate") for _ in range(2)))
    assert results == [(0, "the database is up to date\n", "")] * 2
    assert await _cases(configured.database_url, seal) == (schema.HEAD, 1)


async def _cases(url: str, seal: Seal) -> tuple[str, int]:
    database = Database(url, seal)
    await database.open()

    async def look(tx: Tx) -> tuple[str, int]:
        count = await tx.conn.scalar(sa.text('SELECT count(*) FROM "case"'))
        return await schema.revision(tx), int(count)

    found = await database.read(look)
    await database.close()
    return found


@pytest.mark.parametrize("command", ["migrate", "run"])
async def test_a_newer_database_is_refused(bot_toml: Path, command: str) -> None:
    """Exit status 2, a sentence, and the database is as it was: a downgrade needs the backup from before."""
    database = await opened(bot_toml)

    async def move_on(tx: Tx) -> None:
        await tx.conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    await database.write(move_on)
    await database.close()
    assert await run(bot_toml, command) == (2, "", _NEWER)


def test_who_runs_while_a_newer_one_migrates_ends_to_be_started_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 75: the service manager starts what is installed now; the sentence says why."""

    async def run_until_moved_on() -> int:
        raise Outdated("9999", schema.HEAD)

    assert exits.run(run_until_moved_on) == 75
    assert "was brought to revision 9999 by another dpobot" in capsys.readouterr().err
