"""What the bot no longer needs to know goes: old rows at once, closed cases to their line in the register."""

from datetime import timedelta

import pytest

from dpobot.config import RetentionConfig
from dpobot.jobs import retention
from dpobot.jobs.retention import Retention
from dpobot.model.words import CaseState
from tests.unit.jobs.conftest import NOW, World


async def test_closed_cases_are_reduced_after_their_time(world: World) -> None:
    """Not before it, not if they are open, and not twice."""
    old = await world.case(CaseState.CLOSED, closed_at=NOW - timedelta(days=31), days=3)
    young = await world.case(CaseState.CLOSED, closed_at=NOW - timedelta(days=29), days=3)
    running = await world.case(received_at=NOW - timedelta(days=400))
    tidy = Retention(world.database, world.parts.clock, RetentionConfig(closed_days=30))
    assert await tidy.once() == 1
    assert (await world.read(old)).expired_at == NOW
    assert ((await world.read(young)).expired_at, (await world.read(running)).expired_at) == (None, None)
    assert await tidy.once() == 0


async def test_a_legal_hold_keeps_them(world: World) -> None:
    """All of the person's, as long as it lasts."""
    await world.case(CaseState.CLOSED, closed_at=NOW - timedelta(days=400))
    await world.case(legal_hold=True)
    assert await Retention(world.database, world.parts.clock).once() == 0


async def test_many_are_reduced_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is a transaction of its own, so that nobody waits for the whole."""
    monkeypatch.setattr(retention, "_PAGE", 2)
    made = [await world.case(CaseState.CLOSED, closed_at=NOW - timedelta(days=400)) for _ in range(5)]
    assert await Retention(world.database, world.parts.clock).once() == 5
    assert [(await world.read(case)).expired_at for case in made] == [NOW] * 5
