"""The reminder before an erasure begins: once, while it can still be taken back."""

from dpobot.cases import erasure
from dpobot.model.erasure import Copy, ErasureOptions
from dpobot.model.words import CaseState, Channel
from dpobot.store import cases, erasures, safeguards
from dpobot.store.safeguards import Safeguard
from tests.unit.jobs.conftest import World
from tests.unit.jobs.erasures import approve, ask, confirm, live


async def _reminded(world: World, **parts: float) -> list[str]:
    """Let time pass and return the reminders that Anna gets then."""
    return [text for text in await world.remind(**parts) if text.startswith("A reminder")]


async def _settled(world: World) -> None:
    live(world)
    case = await ask(world)
    await world.work()
    await confirm(world, case)
    await world.work()


async def test_two_hours_before_they_are_reminded_once(world: World) -> None:
    """How to take it back is in it; as long as staff have not decided it says so."""
    await _settled(world)
    assert await _reminded(world, hours=21, minutes=59) == []
    said = await _reminded(world, minutes=2)
    assert len(said) == 1
    assert "as soon as the DPO team has decided" in said[0]
    assert "cancel DPO-2026-0001" in said[0]
    assert await _reminded(world, hours=1) == []


async def test_who_confirms_another_plan_is_reminded_of_that(world: World) -> None:
    """Options were changed after the first reminder: a new cooling-off has its own."""
    await _settled(world)
    assert len(await _reminded(world, hours=23)) == 1
    case = await world.database.write(lambda tx: cases.lock(tx, 1))
    await world.database.write(lambda tx: erasures.change(tx, case.id, cooled_off_at=None))
    options = ErasureOptions(media=True, copy=Copy.WAIVED)
    moment = world.server.now
    await world.database.write(lambda tx: erasure.begin(tx, moment, case, options, survey_after=None))
    await world.work()
    await confirm(world, case)
    await world.work()
    assert len(await _reminded(world, hours=23)) == 1


async def test_what_is_approved_begins_by_itself(world: World) -> None:
    """And that is what they read."""
    live(world)
    case = await ask(world)
    await world.work()
    await confirm(world, case)
    await world.work()
    await approve(world, case)
    assert "begins on 11 March 2026, 12:00 UTC" in "".join(await _reminded(world, hours=23))


async def test_a_short_cooling_off_has_its_reminder_in_its_last_quarter(world: World) -> None:
    """Two hours before would be before it was confirmed."""
    await world.database.write(lambda tx: safeguards.write(tx, [Safeguard("cooling_off", 3600)]))
    await _settled(world)
    assert await _reminded(world, minutes=44) == []
    assert len(await _reminded(world, minutes=2)) == 1


async def test_what_has_begun_or_comes_too_late_is_not_said(world: World) -> None:
    """Nor is it said later."""
    await _settled(world)
    assert await _reminded(world, hours=25) == []
    assert await _reminded(world, hours=1) == []


async def test_who_asked_from_outside_is_not_reminded_here(world: World) -> None:
    """Staff write to them the way they asked."""
    live(world)
    case = await ask(world)
    await world.work()
    await confirm(world, case)
    await world.work()
    newest = await world.read(case)
    await world.database.write(
        lambda tx: cases.update(tx, newest, {"channel": Channel.POST, "state": CaseState.REVIEW})
    )
    assert await _reminded(world, hours=23) == []
