"""`dpobot register`: the register on standard output, and the verdict on the audit trail as an exit status."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from dpobot.audit import chain, trail
from dpobot.cases import service
from dpobot.model.ids import EventId, UserId
from dpobot.model.words import Channel, Kind, Trust
from dpobot.store import audit_rows
from dpobot.store.database import Tx
from tests.unit.admin import bot_toml, opened, run

__all__ = ["bot_toml"]  # a fixture

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANNA = UserId("@anna:example.org")


async def _three_rows(bot_toml: Path) -> list[str]:
    """Write three rows, and return the head after each."""
    database = await opened(bot_toml)
    heads = []
    for number in range(3):
        await database.write(lambda tx, n=number: trail.record(tx, NOW, "bot", "test.row", None, {"n": n}))  # type: ignore[misc] # bound per turn
        heads.append((await database.read(lambda tx: audit_rows.head(tx, chain.GENESIS))).hash)
    await database.close()
    return heads


async def test_an_untouched_trail_holds_and_contains_every_head_it_had(bot_toml: Path) -> None:
    """Exit status 0, and how many rows there are."""
    heads = await _three_rows(bot_toml)
    for more in ([], ["--head", heads[0]], ["--head", heads[2].upper()]):
        assert await run(bot_toml, "register", "--verify", *more) == (0, "the audit trail holds: 3 rows\n", "")


async def test_a_changed_row_is_found(bot_toml: Path) -> None:
    """Exit status 1, and where."""
    await _three_rows(bot_toml)
    database = await opened(bot_toml)

    async def change(tx: Tx) -> None:
        await tx.conn.execute(sa.text("UPDATE audit SET action = 'test.other' WHERE seq = 2"))

    await database.write(change)
    await database.close()
    status, said, _ = await run(bot_toml, "register", "--verify")
    assert (status, said) == (1, "the audit trail is broken at row 2 (hash); 1 rows before hold\n")


async def test_a_head_of_elsewhere_is_not_in_it(bot_toml: Path) -> None:
    """A trail that was computed anew holds, but the digest of last month says otherwise."""
    await _three_rows(bot_toml)
    status, said, _ = await run(bot_toml, "register", "--verify", "--head", "ab" * 32)
    assert status == 1
    assert "that head is not in it" in said


async def test_the_register_names_nobody(bot_toml: Path) -> None:
    """One line a request of these days, without a user ID."""
    database = await opened(bot_toml)
    opening = service.Opening(
        ANNA, Kind.COMPLAINT, Channel.MATRIX, Trust.SIGNED, True, None, EventId("$asked"), {}, NOW
    )
    await database.write(lambda tx: service.open_case(tx, NOW, opening, service.Rules()))
    await database.close()
    status, said, _ = await run(bot_toml, "register", "2026-11-01", "2026-11-30")
    assert status == 0
    assert [line.split(",")[:4] for line in said.splitlines()[1:]] == [
        ["DPO-2026-0001", "complaint", "matrix", "2026-11-23"]
    ]
    assert ANNA not in said


@pytest.mark.parametrize("arguments", [[], ["2026-11-01"], ["2026-11-01", "2026-11-02", "--verify"]])
async def test_what_makes_no_sense_is_answered_with_a_hint(bot_toml: Path, arguments: list[str]) -> None:
    """Exit status 2, as for other mistakes of an admin."""
    status, said, problem = await run(bot_toml, "register", *arguments)
    assert (status, said) == (2, "")
    assert "name two days" in problem
