"""What our own database tells: erasures in time, receipts, safeguards. On SQLite and PostgreSQL."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from dpobot.cases.safeguards import Safeguards, want
from dpobot.check import own
from dpobot.check.finding import Answer, Standing
from dpobot.model.erasure import ErasureOptions
from dpobot.model.ids import UserId
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import cases, erasures, receipts
from dpobot.store.database import Database, Tx
from tests.unit.check.places import NOW, named, place

ANNA = UserId("@anna:example.org")


async def _case(tx: Tx, number: int, days: int, **other: Any) -> int:
    """Add an erasure that was asked for so many days ago."""
    values = {
        "reference": f"DPO-2026-{number:04d}",
        "person": ANNA,
        "kind": Kind.ERASURE,
        "state": CaseState.WORKING,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "options": {},
        "received_at": NOW - timedelta(days=days),
        "due_at": NOW,
        "updated_at": NOW,
    }
    case_id = (await cases.add(tx, {**values, **other})).id
    await erasures.put(tx, case_id, ErasureOptions())
    return case_id


async def _erased(tx: Tx, number: int, days: int, *, signed: bool) -> None:
    """Add an erasure whose last step was so many days ago."""
    over = {"closed_at": NOW, "state": CaseState.CLOSED} if signed else {}
    case_id = await _case(tx, number, days, **over)
    await erasures.change(tx, case_id, erased_at=NOW - timedelta(days=days))
    await receipts.promise(tx, f"hash-{number}", case_id, NOW)
    if signed:
        await receipts.sign(tx, case_id, "{}", NOW)


async def _look(database: Database, name: str) -> Answer:
    return await named(own.CHECKS, name).look(place(database=database))


async def test_an_empty_database_is_fine(database: Database) -> None:
    """Nothing was asked for yet."""
    answers = [await check.look(place(database=database)) for check in own.CHECKS]
    assert [answer.standing for answer in answers] == [Standing.OK] * 3


@pytest.mark.parametrize("state", [CaseState.REVIEW, CaseState.APPROVED, CaseState.WORKING, CaseState.PARTIAL])
async def test_an_erasure_that_is_not_over_after_a_month_fails(sqlite_database: Database, state: CaseState) -> None:
    """Whatever it waits for; its reference is named, oldest first, and nobody's name."""
    for number, days in ((1, 31), (2, 40), (3, 29)):
        await sqlite_database.write(partial(_case, number=number, days=days, state=state))
    answer = await _look(sqlite_database, "erasures in time")
    said = "erasures that are not over after 30 days: 2 (DPO-2026-0002, DPO-2026-0001)"
    assert (answer.standing, answer.sentence) == (Standing.FAILED, said)
    assert "retry" in answer.cure


async def test_the_last_week_is_a_warning(database: Database) -> None:
    """There is still time to do something."""
    await database.write(lambda tx: _case(tx, 7, 24))
    await database.write(lambda tx: _case(tx, 8, 22))
    answer = await _look(database, "erasures in time")
    said = "erasures that must be over within a week: 1 (DPO-2026-0007)"
    assert (answer.standing, answer.sentence) == (Standing.WARNING, said)


async def test_what_waits_for_the_person_or_is_over_or_held_by_law_is_in_time(database: Database) -> None:
    """Nobody here can hurry it."""
    others: list[dict[str, Any]] = [
        {"state": CaseState.CONFIRMING},
        {"state": CaseState.PAUSED},
        {"state": CaseState.REVIEW, "legal_hold": True},
        {"state": CaseState.CLOSED, "closed_at": NOW},
        {"state": CaseState.REVIEW, "kind": Kind.COMPLAINT},
    ]
    for number, other in enumerate(others):
        await database.write(partial(_case, number=number, days=90, **other))
    assert (await _look(database, "erasures in time")).standing is Standing.OK


async def test_a_finished_erasure_without_receipt_fails_after_a_day(database: Database) -> None:
    """Until then the job that looks afterwards may still be at it."""
    await database.write(lambda tx: _erased(tx, 1, 9, signed=True))
    await database.write(lambda tx: _erased(tx, 2, 0, signed=False))
    assert (await _look(database, "receipts")).standing is Standing.OK
    await database.write(lambda tx: _erased(tx, 3, 2, signed=False))
    answer = await _look(database, "receipts")
    said = "finished erasures without a signed receipt: 1 (DPO-2026-0003)"
    assert (answer.standing, answer.sentence) == (Standing.FAILED, said)


async def test_many_are_counted_and_ten_are_named(sqlite_database: Database) -> None:
    """A line stays a line."""
    for number in range(12):
        await sqlite_database.write(partial(_erased, number=number, days=20 - number, signed=False))
    said = (await _look(sqlite_database, "receipts")).sentence
    assert (said.count("DPO-"), said.endswith("DPO-2026-0009, ...)")) == (10, True)


async def test_a_looser_safeguard_on_its_way_is_a_warning(database: Database) -> None:
    """Whoever did not mean it has until then."""
    strict = Safeguards(cooling_off=timedelta(hours=48))
    for wanted in (strict, Safeguards(daily_cap=strict.daily_cap + 5, cooling_off=strict.cooling_off)):
        await database.write(partial(want, now=NOW, wanted=wanted))
    answer = await _look(database, "safeguards")
    assert answer.standing is Standing.WARNING
    assert answer.sentence.endswith("daily_cap 20 -> 25 from 2026-11-24 09:00")


async def test_safeguards_in_force_are_told(database: Database) -> None:
    """In the words of those who set them."""
    await database.write(lambda tx: want(tx, NOW, Safeguards(policy=True)))
    answer = await _look(database, "safeguards")
    said = "erasures wait 1 day, 0:00:00, at most 20 a day begin; confirmed ones need no decision of staff"
    assert (answer.standing, answer.sentence) == (Standing.OK, said)
