"""What is remembered of erasures: the way, the rooms, the receipts, the devices, what is to be put right."""

import functools
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dpobot.model.erasure import Copy, ErasureOptions, ErasureRoom, Fate, Residual, Survey
from dpobot.model.ids import RoomId
from dpobot.model.words import CaseState, Channel, JobState, Kind, Trust
from dpobot.store import (
    cases,
    erasure_rooms,
    erasures,
    jobs,
    known_devices,
    receipts,
    rectifications,
    reminders,
    safeguards,
)
from dpobot.store.database import Database, Tx
from dpobot.store.receipts import Receipt
from dpobot.store.rectifications import Rectification
from dpobot.store.safeguards import Safeguard
from dpobot.store.tables import erasure, rectification
from tests.unit.store.moments import ANNA, BORIS, NOW, after

T = TypeVar("T")

OPTIONS = ErasureOptions(redact=True, copy=Copy.WAIVED)
PLAN = {"version": 1, "person": ANNA, "survey": {"messages": 3, "servers": ["a.org"]}}


async def _case(tx: Tx, number: int = 1, **other: Any) -> int:
    values = {
        "reference": f"DPO-2026-{number:04d}",
        "person": ANNA,
        "kind": Kind.ERASURE,
        "state": CaseState.CONFIRMING,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "options": {},
        "received_at": NOW,
        "due_at": NOW,
        "updated_at": NOW,
    }
    return (await cases.add(tx, {**values, **other})).id


async def _do(database: Database, work: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    return await database.write(lambda tx: work(tx, *arguments))


async def _put(tx: Tx, number: int = 1, **values: Any) -> int:
    case_id = await _case(tx, number)
    await erasures.put(tx, case_id, OPTIONS)
    await erasures.change(tx, case_id, **{"survey_after": None, **values})
    return case_id


async def _get(database: Database, case_id: int) -> erasures.Erasure:
    found = await database.read(lambda tx: erasures.get(tx, case_id))
    assert found is not None
    return found


async def test_an_erasure_begins_with_its_options(database: Database) -> None:
    """Everything else is not known yet; of other cases there is none."""
    case_id = await database.write(_put)
    known = await _get(database, case_id)
    assert (known.case_id, known.options, known.skip, known.counts, known.failures) == (case_id, OPTIONS, False, {}, {})
    assert (known.plan, known.plan_hash, known.begun_at, known.residuals) == (None, None, None, ())
    assert await database.read(lambda tx: erasures.get(tx, case_id + 1)) is None


async def test_what_changes_comes_back_as_it_was(database: Database) -> None:
    """Plan, counts, failures and residuals are JSON on both databases; moments keep their microseconds."""
    moment = NOW.replace(microsecond=123456)
    residuals = (Residual("media", 2, "in_use"), Residual("account", 1, "name_reserved"))
    values: dict[str, Any] = {
        "plan": PLAN,
        "plan_hash": "a" * 64,
        "surveyed_at": moment,
        "counts": {"events": 3},
        "failures": {"media": "M_UNKNOWN"},
        "residuals": residuals,
        "skip": True,
    }
    known = await _get(database, await database.write(lambda tx: _put(tx, **values)))
    assert {name: getattr(known, name) for name in values} == values


async def test_begun_anew_it_forgets_plan_and_confirmation(database: Database) -> None:
    """A plan that is none is not the JSON value null."""
    case_id = await database.write(
        lambda tx: _put(tx, plan=PLAN, plan_hash="a", surveyed_at=NOW, confirmed_hash="a", cooled_off_at=NOW)
    )
    other = ErasureOptions(media=True)
    await database.write(lambda tx: erasures.put(tx, case_id, other))
    known = await _get(database, case_id)
    assert (known.options, known.plan, known.plan_hash, known.surveyed_at) == (other, None, None, None)
    assert (known.confirmed_hash, known.cooled_off_at) == (None, None)
    none = sa.select(sa.func.count()).where(erasure.c.plan.is_(sa.null()))
    assert await database.read(lambda tx: _scalar(tx, none)) == 1
    await database.write(lambda tx: erasures.change(tx, case_id, plan=None))
    assert await database.read(lambda tx: _scalar(tx, none)) == 1


async def _scalar(tx: Tx, query: Any) -> Any:
    return (await tx.conn.execute(query)).scalar_one()


async def test_the_code_is_sealed_until_it_is_dropped(database: Database) -> None:
    """Nothing in the table reads like it."""
    case_id = await database.write(_put)
    assert await database.read(lambda tx: erasures.code_of(tx, case_id)) is None
    await database.write(lambda tx: erasures.keep_code(tx, case_id, "ABCD-EFGH"))
    sealed = await database.read(lambda tx: _scalar(tx, sa.select(erasure.c.sealed)))
    assert (b"ABCD" in sealed, await database.read(lambda tx: erasures.code_of(tx, case_id))) == (False, "ABCD-EFGH")
    await database.write(lambda tx: erasures.drop_code(tx, case_id))
    assert await database.read(lambda tx: erasures.code_of(tx, case_id)) is None
    assert await database.read(lambda tx: erasures.code_of(tx, case_id + 1)) is None


async def test_beginnings_are_counted(database: Database) -> None:
    """From a moment on, itself included."""
    for number, seconds in enumerate((0, 10, 20), start=1):
        await database.write(functools.partial(_put, number=number, begun_at=after(seconds)))
    await database.write(lambda tx: _put(tx, 9))
    moments = (NOW, after(10), after(11), after(21))
    assert [await _do(database, erasures.begun_since, m) for m in moments] == [3, 2, 1, 0]
    firsts = [await _do(database, erasures.first_begun_since, m) for m in moments]
    assert firsts == [NOW, after(10), after(20), None]


async def test_what_cools_off_is_found_soonest_first(database: Database) -> None:
    """Neither what has begun nor what is over; not what was said already, if it is asked for what was not."""

    async def fill(tx: Tx) -> list[int]:
        late, soon = await _put(tx, 1, cooled_off_at=after(20)), await _put(tx, 2, cooled_off_at=after(10))
        await _put(tx, 3, cooled_off_at=after(5), begun_at=NOW)
        await _put(tx, 4)
        over = await _case(tx, 5, closed_at=NOW, state=CaseState.WITHDRAWN)
        await erasures.put(tx, over, OPTIONS)
        await erasures.change(tx, over, cooled_off_at=after(1))
        await reminders.note(tx, soon, "erase_soon", NOW)
        return [soon, late]

    soon, late = await database.write(fill)

    async def found(until: datetime, limit: int, unsaid: str | None = None) -> list[int]:
        cooling = await database.read(lambda tx: erasures.cooling(tx, until, limit, unsaid=unsaid))
        return [each.case_id for each in cooling]

    assert [await found(after(20), 9), await found(after(19), 9), await found(after(20), 1)] == [
        [soon, late],
        [soon],
        [soon],
    ]
    assert await found(after(20), 1, "erase_soon") == [late]


def _rooms(count: int, **other: Any) -> list[ErasureRoom]:
    return [
        ErasureRoom(RoomId(f"!{n:05}:x"), **{"membership": "join", "fate": Fate.REDACT, "events": n, **other})
        for n in range(count)
    ]


async def test_rooms_are_added_once_however_many(database: Database) -> None:
    """What is known of one stays when it is found again; far more than one INSERT may hold."""
    case_id = await database.write(_put)
    rooms = _rooms(1203)
    first = await database.write(lambda tx: erasure_rooms.add_all(tx, case_id, rooms))
    await database.write(lambda tx: erasure_rooms.done(tx, case_id, rooms[0].room_id))
    again = await database.write(lambda tx: erasure_rooms.add_all(tx, case_id, _rooms(1204)))
    none = await database.write(lambda tx: erasure_rooms.add_all(tx, case_id, []))
    assert (first, again, none) == (1203, 1, 0)
    assert await database.read(lambda tx: erasure_rooms.counts(tx, case_id)) == {"new": 1203, "done": 1}


async def test_rooms_are_read_in_pages(database: Database) -> None:
    """In one order, of one state and fate, as they were found."""
    case_id = await database.write(_put)
    mixed = [*_rooms(4), ErasureRoom(RoomId("!sole:x"), "leave", Fate.PURGE, 0, "failed", "M_FORBIDDEN")]
    await database.write(lambda tx: erasure_rooms.add_all(tx, case_id, mixed))

    async def page(**how: Any) -> list[ErasureRoom]:
        return await database.read(lambda tx: erasure_rooms.of_case(tx, case_id, **how))

    first = await page(limit=2, state="new")
    rest = await page(after=first[-1].room_id, state="new")
    assert [*first, *rest] == mixed[:4]
    assert [await page(fate=Fate.PURGE), await page(state="done"), await page()] == [mixed[4:], [], mixed]
    assert await database.read(lambda tx: erasure_rooms.of_case(tx, case_id + 1)) == []


async def test_rooms_that_failed_are_done_again(database: Database) -> None:
    """Only those; their errors go."""
    case_id = await database.write(_put)
    done, failed, new = _rooms(3)

    async def fill(tx: Tx) -> None:
        await erasure_rooms.add_all(tx, case_id, [done, failed, new])
        await erasure_rooms.done(tx, case_id, done.room_id)
        await erasure_rooms.failed(tx, case_id, failed.room_id, "M_FORBIDDEN")

    async def errors(state: str) -> list[str | None]:
        return [room.error for room in await database.read(lambda tx: erasure_rooms.of_case(tx, case_id, state=state))]

    await database.write(fill)
    assert await errors("failed") == ["M_FORBIDDEN"]
    assert await database.write(lambda tx: erasure_rooms.again(tx, case_id)) == 1
    assert (await errors("new"), await errors("done")) == ([None, None], [None])
    await database.write(lambda tx: erasure_rooms.forget(tx, case_id))
    assert await database.read(lambda tx: erasure_rooms.counts(tx, case_id)) == {}


async def test_a_receipt_is_promised_and_signed_once(database: Database) -> None:
    """One for each case, one for each code; what was signed first stays."""
    one, two = await database.write(_case), await database.write(lambda tx: _case(tx, 2))
    promises = [("a" * 64, one), ("a" * 64, one), ("b" * 64, one), ("a" * 64, two)]
    made = [await _do(database, receipts.promise, *p, NOW) for p in promises]
    assert made == [True, False, False, False]
    assert await database.read(lambda tx: receipts.by_code(tx, "a" * 64)) == Receipt(one, None, NOW, None)
    signed = [await _do(database, receipts.sign, one, t, after(1)) for t in ("first", "second")]
    found = await database.read(lambda tx: receipts.of_case(tx, one))
    assert (signed, found) == ([True, False], Receipt(one, "first", NOW, after(1)))
    assert await database.write(lambda tx: receipts.sign(tx, two, "none", NOW)) is False
    assert await database.read(lambda tx: receipts.by_code(tx, "b" * 64)) is None


async def test_a_device_is_known_since_it_was_first_seen(database: Database) -> None:
    """Each of a person by itself; who is forgotten has none."""
    first = await database.write(lambda tx: known_devices.seen(tx, ANNA, "one", NOW))
    again = await database.write(lambda tx: known_devices.seen(tx, ANNA, "one", after(9)))
    other = await database.write(lambda tx: known_devices.seen(tx, ANNA, "two", after(9)))
    theirs = await database.write(lambda tx: known_devices.seen(tx, BORIS, "one", after(5)))
    assert (first, again, other, theirs) == (NOW, NOW, after(9), after(5))
    await database.write(lambda tx: known_devices.forget(tx, ANNA))
    left = [await _do(database, known_devices.since, w, "one") for w in (ANNA, BORIS)]
    assert left == [None, after(5)]


async def test_what_is_to_be_put_right_is_sealed(database: Database) -> None:
    """The field is readable, the values are not; another one replaces it."""
    case_id = await database.write(_case)
    await database.write(lambda tx: rectifications.put(tx, case_id, "display_name", {"old": None, "new": "Annabel"}))
    sealed = await database.read(lambda tx: _scalar(tx, sa.select(rectification.c.sealed)))
    known = await database.read(lambda tx: rectifications.get(tx, case_id))
    assert (b"Annabel" in sealed, known) == (False, Rectification("display_name", {"old": None, "new": "Annabel"}))
    assert "Annabel" not in repr(known)
    await database.write(lambda tx: rectifications.put(tx, case_id, "email", {"old": "a@x", "new": "b@x"}))
    other = await database.read(lambda tx: rectifications.get(tx, case_id))
    await database.write(lambda tx: rectifications.forget(tx, case_id))
    gone = await database.read(lambda tx: rectifications.get(tx, case_id))
    assert (other, gone) == (Rectification("email", {"old": "a@x", "new": "b@x"}), None)


async def test_safeguards_are_replaced_by_name(database: Database) -> None:
    """Others stay."""
    cap, policy = Safeguard("daily_cap", 20, 30, NOW, after(9)), Safeguard("policy", 0)
    await database.write(lambda tx: safeguards.write(tx, [cap, policy]))
    await database.write(lambda tx: safeguards.write(tx, [Safeguard("daily_cap", 5)]))
    expected = {"daily_cap": Safeguard("daily_cap", 5), "policy": policy}
    assert await database.read(safeguards.read) == expected


async def test_a_run_that_was_superseded_is_shut_out(database: Database) -> None:
    """It changes nothing any more, and another one of the same name is wanted beside it; other work goes on."""
    case_id = await database.write(_case)

    async def want(tx: Tx, name: str) -> int:
        return await jobs.want(tx, case_id=case_id, name=name, person=ANNA, wake_at=NOW, now=NOW)

    old, other = [await _do(database, want, n) for n in ("survey", "erase")]
    await database.write(lambda tx: jobs.admit(tx, old, name="survey", run_token="run", at_once=1, now=NOW))
    await database.write(lambda tx: jobs.supersede(tx, case_id, "survey", NOW))
    new = await database.write(lambda tx: want(tx, "survey"))
    standing = await database.write(
        lambda tx: jobs.checkpoint(tx, old, "run", step="count", result={}, progress=None, now=NOW)
    )
    late = await database.write(lambda tx: jobs.finish(tx, old, "run", JobState.DONE, None, NOW))
    found = {job.id: job.state for job in await database.read(lambda tx: jobs.of_case(tx, case_id))}
    assert (standing, late) == (jobs.Standing.LOST, None)
    assert found == {old: JobState.CANCELLED, other: JobState.WANTED, new: JobState.WANTED}
    active = [await _do(database, jobs.active, case_id, n) for n in ("survey", "lift")]
    assert active == [True, False]


@given(st.builds(ErasureOptions, st.booleans(), st.booleans(), st.booleans(), st.sampled_from(Copy)))
def test_options_come_back_as_they_were(options: ErasureOptions) -> None:
    """Through JSON."""
    assert ErasureOptions.from_json(options.to_json()) == options


@pytest.mark.parametrize("servers", [(), ("a.org", "b.org")])
def test_a_survey_comes_back_as_it_was(servers: tuple[str, ...]) -> None:
    """Through JSON, whose lists are no tuples."""
    counts = {name: n for n, name in enumerate(Survey.__slots__) if name != "servers"}
    survey = Survey(**counts, servers=servers)
    assert Survey.from_json(survey.to_json()) == survey
