"""`dpobot trust`: an admin has made sure that a new identity is still the same person."""

from datetime import UTC, datetime
from pathlib import Path

from dpobot.audit import chain
from dpobot.model.ids import UserId
from dpobot.store import audit_rows, people
from dpobot.store.database import Tx
from tests.unit.admin import bot_toml, opened, run

__all__ = ["bot_toml"]  # a fixture

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SIRI = UserId("@siri:example.org")


async def test_the_next_identity_counts_and_the_trail_knows_who_let_it(bot_toml: Path) -> None:
    """Again it changes nothing, and says so."""
    database = await opened(bot_toml)

    async def meet(tx: Tx) -> None:
        await people.ensure(tx, SIRI, NOW)
        await people.pin_master_key(tx, SIRI, "old")

    await database.write(meet)
    then = "the next message from a device that they have verified brings the one that counts from then on\n"
    assert await run(bot_toml, "trust", SIRI) == (0, f"the identity of {SIRI} is forgotten: {then}", "")
    assert await run(bot_toml, "trust", SIRI) == (0, f"no identity of {SIRI} is known: {then}", "")
    assert await database.write(lambda tx: people.pin_master_key(tx, SIRI, "new")) == "new"

    async def trail(tx: Tx) -> list[tuple[str | None, str]]:
        return [(row.actor, row.action) async for row in audit_rows.rows(tx)]

    assert await database.read(trail) == [
        ("admin", "person.identity_accepted"),
        (SIRI, "person.identity_accepted_of"),
    ]
    assert (await database.read(chain.verify)).holds
    await database.close()


async def test_who_never_was_here_is_not_trusted(bot_toml: Path) -> None:
    """A typing mistake is told; nothing is made of it."""
    status, said, problem = await run(bot_toml, "trust", "@sirl:example.org")
    assert (status, said) == (1, "")
    assert problem == "dpobot: @sirl:example.org has never talked with this bot; is the user ID complete?\n"
    database = await opened(bot_toml)
    assert await database.read(lambda tx: people.get(tx, UserId("@sirl:example.org"))) is None
    await database.close()


async def test_it_says_what_is_to_be_made_sure_of_first(bot_toml: Path) -> None:
    """An identity can be reset by others than its owner."""
    status, said, _ = await run(bot_toml, "trust", "--help")
    assert status == 0
    assert "over another channel" in " ".join(said.split())
