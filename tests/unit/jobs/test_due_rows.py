"""The tables behind what is said unasked, on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.model.records import Case, EncryptedFile
from dpobot.model.words import CaseState, Channel, JobState, Kind, Trust
from dpobot.store import alerts, cases, jobs, people, prompts, reminders, volumes, wakes
from dpobot.store.database import Database, Tx
from dpobot.store.reminders import received
from tests.unit.jobs.conftest import ANNA, NOW

DAY = timedelta(days=1)
OPEN = (CaseState.REVIEW, CaseState.HELD)


async def _case(database: Database, number: int, **more: Any) -> Case:
    values = {
        "reference": f"DPO-2026-{number:04d}",
        "person": ANNA,
        "kind": Kind.COMPLAINT,
        "state": CaseState.REVIEW,
        "channel": Channel.POST,
        "trust": Trust.UNKNOWN,
        "options": {},
        "received_at": NOW,
        "due_at": NOW + 30 * DAY,
        "updated_at": NOW,
    } | more
    return await database.write(lambda tx: cases.add(tx, values))


async def test_windows_are_half_open_and_what_was_said_is_left_out(database: Database) -> None:
    """From the start to before the end, in these states, oldest first, no more than the limit."""
    made = [await _case(database, number, received_at=NOW + number * DAY) for number in range(5)]
    await _case(database, 9, received_at=NOW + DAY, state=CaseState.CLOSED)
    held = await _case(database, 10, received_at=NOW + 1.5 * DAY, state=CaseState.HELD)

    async def look(tx: Tx) -> tuple[list[int], ...]:
        window = (NOW + DAY, NOW + 4 * DAY)
        before = await received(tx, OPEN, *window, "update7", 10)
        first = await reminders.note(tx, made[2].id, "update7", NOW)
        again = await reminders.note(tx, made[2].id, "update7", NOW)
        assert (first, again) == (True, False)
        after = await received(tx, OPEN, *window, "update7", 10)
        other = await received(tx, OPEN, *window, "update21", 2)
        return tuple([case.id for case in found] for found in (before, after, other))

    before, after, other = await database.write(look)
    assert before == [made[1].id, held.id, made[2].id, made[3].id]
    assert after == [made[1].id, held.id, made[3].id]
    assert other == [made[1].id, held.id]


async def test_due_with_and_without_bounds(database: Database) -> None:
    """None leaves a bound out, and says that what was said doesn't matter."""
    made = [await _case(database, number, due_at=NOW + number * DAY) for number in (3, 1, 2)]

    async def look(tx: Tx) -> list[list[str]]:
        await reminders.note(tx, made[1].id, "due1", NOW)
        found = [
            await reminders.due(tx, OPEN, None, None, None, 10),
            await reminders.due(tx, OPEN, None, NOW + 2 * DAY, None, 10),
            await reminders.due(tx, OPEN, None, NOW + 3 * DAY, "due1", 10),
            await reminders.due(tx, OPEN, NOW + 3 * DAY, None, "due1", 10),
        ]
        return [[case.reference[-1] for case in part] for part in found]

    assert await database.write(look) == [["1", "2", "3"], ["1"], ["2"], ["3"]]


async def test_acknowledgements(database: Database) -> None:
    """Those from outside that nobody has answered."""
    by = NOW + 30 * DAY
    wanted = await _case(database, 1, acknowledge_by=by)
    await _case(database, 2, acknowledge_by=by, answered_at=NOW)
    await _case(database, 3, acknowledge_by=by, channel=Channel.MATRIX)
    await _case(database, 4)
    found = await database.read(lambda tx: reminders.to_acknowledge(tx, OPEN, by - DAY, by + DAY, "acknowledge1", 10))
    assert [case.id for case in found] == [wanted.id]


async def test_alerts_are_told_once_and_settled_by_a_decision(database: Database) -> None:
    """An alert about an export's end closes when its case is no longer held; others stay."""
    held = await _case(database, 1, state=CaseState.HELD, kind=Kind.EXPORT)
    decided = await _case(database, 2, state=CaseState.REFUSED, kind=Kind.EXPORT)

    async def prepare(tx: Tx) -> None:
        for case, name in ((held, "export"), (decided, "export"), (decided, "expire")):
            job = await jobs.want(tx, case_id=case.id, name=name, person=case.person, wake_at=NOW, now=NOW)
            await alerts.open(tx, key=f"job:{job}:failed", code=name, now=NOW, case_id=case.id)
        await _uploaded(tx, decided)
        await alerts.open(tx, key="job_unknown:x", code="job_unknown", now=NOW)

    async def look(tx: Tx) -> tuple[Any, ...]:
        settled = await alerts.settle(tx, NOW)
        untold = await reminders.alerts_untold(tx, 10)
        await reminders.note(tx, held.id, f"alert{untold[0].id}", NOW)
        left = await reminders.alerts_untold(tx, 10)
        everything = await alerts.list_open(tx)
        return (
            settled,
            [(alert.case_id, alert.code) for alert in untold],
            [alert.case_id for alert in left],
            [alert.code for alert in everything],
        )

    await database.write(prepare)
    assert await database.write(look) == (
        1,
        [(held.id, "export"), (decided.id, "expire")],
        [decided.id],
        ["export", "expire", "job_unknown"],
    )


async def _uploaded(tx: Tx, case: Case) -> None:
    await volumes.put(tx, case.id, 1, 10, "a" * 64)
    key = {"kty": "oct", "k": "A" * 43}
    await volumes.uploaded(tx, case.id, 1, EncryptedFile(Mxc("mxc://x/volume"), key, "B" * 22, {"sha256": "c"}, 10))


async def _failed(tx: Tx, case: Case, run: str) -> None:
    """Let a run that takes back the case's archive fail."""
    id_ = await jobs.want(tx, case_id=case.id, name="expire", person=case.person, wake_at=NOW, now=NOW)
    await jobs.admit(tx, id_, name="expire", run_token=run, at_once=9, now=NOW)
    await jobs.finish(tx, id_, run, JobState.FAILED, "http_500", NOW)
    await alerts.open(tx, key=f"job:{id_}:failed", code="http_500", now=NOW, case_id=case.id)


@pytest.mark.parametrize(
    ("state", "deleted", "again", "settled"),
    [
        (CaseState.CLOSED, False, None, 0),
        (CaseState.CLOSED, False, JobState.FAILED, 0),
        (CaseState.DELIVERED, False, JobState.DONE, 1),
        (CaseState.CLOSED, True, None, 1),
        (CaseState.DELIVERED, True, None, 0),  # its job has still to close it
    ],
)
async def test_an_archive_that_was_taken_back_at_last_needs_nobody(
    database: Database, state: CaseState, deleted: bool, again: JobState | None, settled: int
) -> None:
    """By a later run, or another way; as long as it is on the homeserver somebody must look."""
    case = await _case(database, 1, state=state, kind=Kind.EXPORT)

    async def work(tx: Tx) -> int:
        await _uploaded(tx, case)
        await _failed(tx, case, "first")
        if deleted:
            await volumes.deleted(tx, case.id, 1, NOW)
        if again is not None:
            id_ = await jobs.want(tx, case_id=case.id, name="expire", person=case.person, wake_at=NOW, now=NOW)
            await jobs.admit(tx, id_, name="expire", run_token="second", at_once=9, now=NOW)
            await jobs.finish(tx, id_, "second", again, None, NOW)
        return await alerts.settle(tx, NOW)

    assert await database.write(work) == settled
    assert await database.write(lambda tx: alerts.settle(tx, NOW)) == 0
    assert len(await database.read(alerts.list_open)) == 1 - settled


async def test_people_are_paged_by_their_ids(database: Database) -> None:
    """Who never talked with the bot is none of them."""

    async def look(tx: Tx) -> tuple[list[UserId], list[UserId], int]:
        for name in ("c", "a", "b", "d"):
            await people.ensure(tx, UserId(f"@{name}:x"), NOW)
            if name != "b":
                await people.mark_greeted(tx, UserId(f"@{name}:x"), NOW)
        first = await people.greeted_after(tx, "", 2)
        return first, await people.greeted_after(tx, first[-1], 2), await people.count_greeted(tx, "@c:x")

    assert await database.write(look) == (["@a:x", "@c:x"], ["@d:x"], 2)


async def test_a_postponed_job_counts_no_failure_and_can_be_woken(database: Database) -> None:
    """It waits under the reason's name; others that wait are not woken with it."""
    case = await _case(database, 1, kind=Kind.EXPORT, state=CaseState.WORKING)

    async def look(tx: Tx) -> tuple[Any, ...]:
        job_id = await jobs.want(tx, case_id=case.id, name="export", person=ANNA, wake_at=NOW, now=NOW)
        await jobs.admit(tx, job_id, name="export", run_token="t", at_once=1, now=NOW)
        lost = await jobs.postpone(tx, job_id, "other", NOW + DAY, "paused", NOW)
        job = await jobs.postpone(tx, job_id, "t", NOW + DAY, "paused", NOW)
        assert job is not None
        woken = [await wakes.for_error(tx, error, NOW) for error in ("else", "paused", "paused")]
        after = await jobs.get(tx, job_id)
        assert after is not None
        return lost, (job.state, job.attempts, job.error, job.wake_at), woken, after.wake_at

    assert await database.write(look) == (None, (JobState.WANTED, 0, "paused", NOW + DAY), [0, 1, 0], NOW)


async def test_a_cancelled_job_is_not_postponed(database: Database) -> None:
    """Its cancellation must not wait."""
    case = await _case(database, 1, kind=Kind.EXPORT, state=CaseState.WORKING)

    async def look(tx: Tx) -> object:
        job_id = await jobs.want(tx, case_id=case.id, name="export", person=ANNA, wake_at=NOW, now=NOW)
        await jobs.admit(tx, job_id, name="export", run_token="t", at_once=1, now=NOW)
        await jobs.request_cancel(tx, case.id, NOW)
        return await jobs.postpone(tx, job_id, "t", NOW + DAY, "paused", NOW)

    assert await database.write(look) is None


async def test_codes_are_kept_longer_than_other_questions(database: Database) -> None:
    """So that "expired" can be told from "unknown"."""

    async def look(tx: Tx) -> list[int]:
        for number, (kind, age) in enumerate([("free_text", 1), ("staff_code", 1), ("staff_code", 30)]):
            await prompts.ask(
                tx,
                person=ANNA,
                room_id=RoomId("!r:x"),
                kind=kind,
                event_id=EventId(f"${number}"),
                content={},
                now=NOW,
                expires_at=NOW - age * timedelta(hours=1),
            )
        kept = {"staff_code": NOW - DAY}
        return [await prompts.forget(tx, NOW, kept), await prompts.forget(tx, NOW), await prompts.forget(tx, NOW)]

    assert await database.write(look) == [2, 1, 0]
