"""Two who decide about an erasure at the same moment, on two connections: exactly one of them does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from dpobot.cases import decisions, erasure, safeguards, service
from dpobot.cases.approval import Approved
from dpobot.cases.erasure import NotNow, Planned
from dpobot.cases.safeguards import Safeguards
from dpobot.cases.service import Conflict
from dpobot.errors import Refusal
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Trust
from dpobot.store.database import Database
from dpobot.store.seal import Seal
from tests.unit.cases.office import ANNA, BORIS, NOW, VERA, WIM, Office, after, begin, plan_for

HASH = erasure.plan_hash(plan_for())


@pytest.fixture
async def other(office: Office, migrated_url: str, seal: Seal) -> AsyncIterator[Office]:
    """The same office, as another machine has it: connections of its own, and nothing shared in memory."""
    database = Database(migrated_url, seal)
    await database.open()
    yield Office(database)
    await database.close()


async def _both(*calls: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


async def _starts(office: Office, case: Case) -> int:
    return [name for name, state in await office.jobs(case) if state == "wanted"].count("survey")


async def test_two_confirmations(office: Office, other: Office) -> None:
    """One is noted, and one survey follows; the other one changes nothing."""
    case = await office.asked_to_erase()
    results = await _both(*(each.do(erasure.confirm, case, HASH) for each in (office, other)))
    assert [type(each) for each in results] == [Case, Case]
    assert ((await office.actions(case)).count("erasure.confirmed"), await _starts(office, case)) == (1, 1)


async def test_a_confirmation_and_a_new_wish(office: Office, other: Office) -> None:
    """Whoever is first: what was confirmed is never the plan of other options."""
    case = await office.asked_to_erase()
    await _both(office.do(erasure.confirm, case, HASH), other.do(begin, case))
    known = await office.erasure(case)
    assert (known.confirmed_hash, await _starts(office, case)) == (None, 1)
    assert await office.do(erasure.planned, case, plan_for()) is Planned.ASK


async def test_an_approval_and_a_cancellation(office: Office, other: Office) -> None:
    """One decides; the other is told that the case has changed."""
    case = await office.confirmed()
    shown = decisions.plan_hash(await office.ask(decisions.approval_plan, case, False))
    results = await _both(
        office.do(decisions.approve, case, VERA, shown, False), other.do(service.withdraw, case, ANNA, Trust.SIGNED)
    )
    won = [each for each in results if isinstance(each, Approved | Case)]
    expected = CaseState.APPROVED if isinstance(won[0], Approved) else CaseState.WITHDRAWN
    assert (len(won), (await office.now(case)).state) == (1, expected)
    assert ("erase" in [name for name, _ in await office.jobs(case)]) is (expected is CaseState.APPROVED)


async def test_two_first_approvals(office: Office, other: Office) -> None:
    """Where two are needed they are the two."""
    case = await office.confirmed()
    shown = decisions.plan_hash(await office.ask(decisions.approval_plan, case, True))
    calls = ((office, VERA), (other, WIM))
    results = await _both(*(each.do(decisions.approve, case, who, shown, True) for each, who in calls))
    assert sorted(each.complete for each in results) == [False, True]


async def test_a_cancellation_and_the_first_irreversible_step(office: Office, other: Office) -> None:
    """Either it was taken back, and nothing begins, or it has begun, and it is too late."""
    case = await office.working()
    results = await _both(office.do(erasure.begun, case), other.do(service.withdraw, case, ANNA, Trust.SIGNED))
    begun, withdrawn = await office.ask(erasure.has_begun, case.id), (await office.now(case)).state
    lost = [each for each in results if isinstance(each, Exception)]
    assert [type(each) for each in lost] == [Refusal if begun else Conflict]
    assert withdrawn is (CaseState.WORKING if begun else CaseState.WITHDRAWN)


async def test_whichever_is_first(office: Office, other: Office) -> None:
    """Both orders, held apart by the lock of the case: the second waits for the first to commit, and then sees it."""
    outcomes = []
    for first, second in (("begun", "withdraw"), ("withdraw", "begun")):
        case = await office.working()
        gate = asyncio.Event()
        steps: dict[str, tuple[Any, tuple[Any, ...]]] = {
            "begun": (erasure.begun, ()),
            "withdraw": (service.withdraw, (ANNA, Trust.SIGNED)),
        }
        slow = asyncio.create_task(office.database.write(_held(steps[first], case, gate)))
        fast = asyncio.create_task(other.do(steps[second][0], case, *steps[second][1]))
        gate.set()
        results = await _both(slow, fast)
        outcomes.append((await office.ask(erasure.has_begun, case.id), sum(isinstance(r, Exception) for r in results)))
        if (await office.now(case)).state is CaseState.WORKING:
            await office.to(case, CaseState.CLOSED)
    assert [lost for _, lost in outcomes] == [1, 1]


def _held(step: tuple[Any, tuple[Any, ...]], case: Case, gate: asyncio.Event) -> Any:
    async def change(tx: Any) -> Any:
        done = await step[0](tx, NOW, case, *step[1])
        await gate.wait()
        return done

    return change


async def test_two_that_begin_under_a_cap_of_one(office: Office, other: Office) -> None:
    """The second is sent away, on whichever machine it runs."""
    await office.do(safeguards.want, Safeguards(daily_cap=1))
    first, second = await office.working(), await office.working(person=BORIS)
    results = await _both(office.do(erasure.begun, first), other.do(erasure.begun, second))
    assert sorted(type(each).__name__ for each in results) == ["NoneType", NotNow.__name__]


async def test_a_first_step_and_a_legal_hold(office: Office, other: Office) -> None:
    """A hold that comes first is seen; one that comes second finds what has begun, and stops the rest."""
    case = await office.working()
    results = await _both(office.do(erasure.begun, case), other.do(decisions.hold, case, VERA))
    begun = await office.ask(erasure.has_begun, case.id)
    assert begun is not isinstance(results[0], NotNow)
    assert await office.ask(erasure.may_begin, after(hours=1), case) == "legal_hold"


async def test_two_settle_at_once(office: Office, other: Office) -> None:
    """Two surveys that end together: the case moves once, and the time to think begins once."""
    case = await office.asked_to_erase()
    await office.do(erasure.confirm, case, HASH)
    calls = (each.do(erasure.planned, case, plan_for(), now=after(minutes=n)) for n, each in enumerate((office, other)))
    assert await _both(*calls) == [Planned.CONFIRMED, Planned.CONFIRMED]
    assert (await office.actions(case)).count("erasure.settled") == 1


async def test_two_machines_that_start_at_once(office: Office, other: Office) -> None:
    """One takes the wish in, the other finds it: one row in the trail, one alert."""
    await office.do(safeguards.want, Safeguards())
    looser = Safeguards(daily_cap=100)
    results = await _both(office.do(safeguards.want, looser), other.do(safeguards.want, looser))
    assert sorted(len(each) for each in results) == [0, 1]
