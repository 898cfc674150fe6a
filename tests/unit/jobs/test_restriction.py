"""Restriction (Art. 18 GDPR): told, then suspended; told, then lifted."""

from datetime import timedelta

from dpobot.cases import erasure
from dpobot.delivery.messages import Address, post
from dpobot.errors import Rejected, Unavailable
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState, Channel, Kind
from dpobot.store import jobs
from dpobot.store.database import Tx
from tests.unit.jobs.conftest import ANNA, STAFF, World
from tests.unit.jobs.erasures import job_row


async def _approved(world: World, **more: object) -> Case:
    case = await world.case(CaseState.APPROVED, kind=Kind.RESTRICTION, **more)
    now = world.server.now
    await world.database.write(
        lambda tx: jobs.want(tx, case_id=case.id, name="restrict", person=case.person, wake_at=now, now=now)
    )
    return case


async def _lift(world: World, case: Case, *, hold_back: float = 0) -> None:
    """Let staff lift it, with words that wait for some minutes."""
    newest, now = await world.read(case), world.server.now

    async def write(tx: Tx) -> None:
        words = Reply("lift_announced", {"reference": case.reference, "lines": ["the reason"]})
        until = now + timedelta(minutes=hold_back)
        await post(tx, world.parts.renderer, now, Address(ANNA), words, "lifting", not_before=until, case_id=case.id)
        await erasure.lift(tx, now, newest, STAFF)

    await world.database.write(write)


async def test_the_person_is_told_before_the_account_is_suspended(world: World) -> None:
    """What works, what doesn't, and the way back: from then on they can't write to anybody."""
    case = await _approved(world)
    world.server.faults["send"] = [Unavailable("connection")]
    await world.work()
    assert not world.homeserver.accounts[ANNA].suspended
    await world.work(seconds=30)
    await world.work(seconds=5)
    assert world.homeserver.accounts[ANNA].suspended
    assert "a suspended account can send nothing at all" in world.said()[-1]
    assert (await world.read(case)).state is CaseState.DELIVERED


async def test_who_cant_be_told_is_not_suspended(world: World) -> None:
    """After a day staff look."""
    case = await _approved(world)
    world.server.faults["send"] = [Unavailable("connection") for _ in range(1000)]
    await world.work()
    await world.work(hours=25)
    assert not world.homeserver.accounts[ANNA].suspended
    assert (await world.read(case)).state is CaseState.HELD


async def test_who_asked_from_outside_is_told_there(world: World) -> None:
    """Nothing is said to the account: it may not be theirs to read."""
    await _approved(world, channel=Channel.POST)
    await world.work()
    assert world.homeserver.accounts[ANNA].suspended
    assert world.said() == []


async def test_an_account_that_is_unknown_is_for_staff(world: World) -> None:
    """There is nothing to suspend."""
    case = await _approved(world)
    del world.homeserver.accounts[ANNA]
    await world.work()
    assert (await world.read(case)).state is CaseState.HELD
    assert (await job_row(world, case, "restrict"))["error"] == "account_unknown"


async def test_what_the_server_refuses_is_for_staff(world: World) -> None:
    """They may approve it again."""
    case = await _approved(world)
    world.homeserver.fault("suspend", Rejected("M_UNRECOGNIZED", 404))
    await world.work()
    await world.work(seconds=5)
    assert (await world.read(case)).state is CaseState.HELD


async def test_it_is_lifted_after_the_person_was_told(world: World) -> None:
    """What staff wrote may wait, so that it can be taken back; the account waits for it (Art. 18(3) GDPR)."""
    case = await _approved(world)
    await world.work()
    await world.work(seconds=5)
    await _lift(world, case, hold_back=5)
    await world.work(minutes=4)
    assert world.homeserver.accounts[ANNA].suspended
    await world.work(minutes=1)
    await world.work(seconds=5)
    assert not world.homeserver.accounts[ANNA].suspended
    assert ["the reason" in text for text in world.said()[-2:]] == [True, False]
    assert "has ended" in world.said()[-1]
    assert (await world.read(case)).state is CaseState.CLOSED


async def test_what_cant_be_lifted_stays_in_force(world: World) -> None:
    """Staff are told, and lift it once more."""
    case = await _approved(world)
    await world.work()
    await world.work(seconds=5)
    world.homeserver.fault("suspend", Rejected("M_UNKNOWN", 400))
    await _lift(world, case)
    await world.work()
    await world.work(seconds=5)
    assert (await world.read(case)).state is CaseState.DELIVERED
    assert (await job_row(world, case, "lift"))["state"] == "failed"
    await _lift(world, case)
    await world.work()
    await world.work(seconds=5)
    assert (await world.read(case)).state is CaseState.CLOSED
