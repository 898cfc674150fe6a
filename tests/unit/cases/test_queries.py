"""What staff ask about all cases."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.cases import decisions, queries
from dpobot.cases.queries import Counts, KindCount, Median, Queue
from dpobot.model.ids import Reference
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from dpobot.store.case_queries import Ended
from tests.unit.cases.office import BORIS, NOW, VERA, WIM, Office, after

A_DAY = timedelta(days=1)


async def _due_in(office: Office, days: float, kind: Kind = Kind.QUESTION, **values: Any) -> Case:
    return await office.set(await office.open(kind), due_at=after(days=days), **values)


async def _queue(office: Office, which: Queue, limit: int = 10) -> list[int]:
    return [case.id for case in await office.ask(queries.queue, which, NOW, VERA, limit)]


async def test_each_queue_shows_its_cases(office: Office) -> None:
    """Soonest due first; the time of a paused case stands still; what is answered needs nobody."""
    late = await _due_in(office, -1)
    mine = await _due_in(office, 9, assignee=VERA)
    soon = await _due_in(office, 7, assignee=WIM)
    paused = await office.do(decisions.pause, await _due_in(office, 2), VERA)
    delivered = await office.set(await office.open(Kind.EXPORT), state=CaseState.DELIVERED, due_at=NOW)
    closed = await office.to(await _due_in(office, 1), CaseState.CLOSED)
    assert await _queue(office, Queue.OPEN) == [late.id, paused.id, soon.id, mine.id]
    assert await _queue(office, Queue.DUE) == [late.id, soon.id]
    assert await _queue(office, Queue.MINE) == [mine.id]
    assert await _queue(office, Queue.ALL) == [closed.id, delivered.id, paused.id, soon.id, mine.id, late.id]
    assert [await _queue(office, which, 2) for which in (Queue.OPEN, Queue.ALL)] == [
        [late.id, paused.id],
        [closed.id, delivered.id],
    ]


async def test_staff_find_anybodys_case(office: Office) -> None:
    """By its reference; one that was never given out is none."""
    case = await office.open()
    assert await office.ask(queries.any_by_reference, case.reference) == case
    assert await office.ask(queries.any_by_reference, Reference("DPO-2026-9999")) is None


async def test_what_needs_somebody_most_comes_first(office: Office) -> None:
    """Urgent kinds, then by due date; neither what somebody else has nor what waits for the person or for a job."""
    third = await _due_in(office, 5)
    second = await _due_in(office, 3, assignee=VERA)
    first = await _due_in(office, 20, Kind.SECURITY)
    fourth = await office.to(await _due_in(office, 6), CaseState.APPROVED)  # to be carried out by hand
    field = {"options": {"field": "email"}, "state": CaseState.APPROVED}
    await _due_in(office, 2, Kind.RECTIFICATION, **field)
    fifth = await office.to(await _due_in(office, 7, Kind.RECTIFICATION), CaseState.APPROVED)
    sixth = await _due_in(office, 8, Kind.ERASURE, state=CaseState.PARTIAL, person=BORIS)
    await _due_in(office, 1, Kind.ERASURE)  # waits for its code
    await _due_in(office, 1, assignee=WIM)
    await office.do(decisions.pause, await _due_in(office, 1), VERA)
    await office.to(await _due_in(office, 1, Kind.EXPORT), CaseState.APPROVED)
    seen, case = [], None
    while (case := await office.ask(queries.next_for, NOW, VERA, case)) is not None:
        seen.append(case.id)
    assert seen == [each.id for each in (first, second, third, fourth, fifth, sixth)]


async def test_open_cases_are_counted(office: Office) -> None:
    """By what they need; nothing is counted where there is nothing."""
    assert await office.ask(queries.counts, NOW) == Counts(0, 0, 0, 0, 0, 0)
    await _due_in(office, -1)
    await _due_in(office, 7, assignee=VERA)
    await _due_in(office, 8, assignee=VERA)
    await office.to(await _due_in(office, 3, Kind.EXPORT), CaseState.APPROVED, CaseState.HELD)
    await _due_in(office, 9, Kind.ERASURE, state=CaseState.PARTIAL)
    await office.do(decisions.pause, await _due_in(office, -2), VERA)
    await office.to(await _due_in(office, -3), CaseState.CLOSED)
    assert await office.ask(queries.counts, NOW) == Counts(
        open=6, due_soon=2, overdue=1, unassigned=4, held=2, paused=1
    )


async def test_kinds_are_counted(office: Office) -> None:
    """Those of which there is a case; what is no longer open is closed."""
    await _due_in(office, -1)
    await office.to(await _due_in(office, 1), CaseState.CLOSED)
    await office.set(await office.open(Kind.EXPORT), state=CaseState.DELIVERED)
    assert await office.ask(queries.counts_by_kind, NOW) == [
        KindCount(Kind.EXPORT, 0, 0, 1),
        KindCount(Kind.QUESTION, 1, 1, 1),
    ]


@pytest.mark.parametrize(("days", "median"), [((4,), 4.0), ((9, 1, 2), 2.0), ((1, 2, 2, 9), 2.0), ((3, 8), 5.5)])
async def test_medians_are_those_of_what_is_over(office: Office, days: tuple[int, ...], median: float) -> None:
    """Of whole days; of an even number the mean of the two in the middle."""
    for each in days:
        await office.set(await office.open(Kind.QUESTION), state=CaseState.CLOSED, days=each)
    await office.open(Kind.COMPLAINT)
    assert await office.ask(queries.medians) == [Median(Kind.QUESTION, len(days), median)]


@given(st.dictionaries(st.integers(0, 400), st.integers(1, 9), min_size=1))
def test_a_median_from_bars_is_the_median_of_their_days(bars: dict[int, int]) -> None:
    """Written out, sorted and looked at in the middle."""
    written_out = sorted(day for day, count in bars.items() for _ in range(count))
    middle = (written_out[(len(written_out) - 1) // 2], written_out[len(written_out) // 2])
    ended = [Ended(Kind.QUESTION, day, count) for day, count in sorted(bars.items())]
    found = queries.median_of(Kind.QUESTION, ended)
    assert (found.count, found.days) == (len(written_out), float(Fraction(sum(middle), 2)))
