"""Alerts about the jobs of erasures and restrictions: closed when nobody need look any more, and not before."""

from itertools import count, product

from dpobot.model.words import CaseState, Channel, JobState, Kind, Trust
from dpobot.store import alerts, cases, jobs
from dpobot.store.database import Database, Tx
from tests.unit.store.moments import ANNA, NOW

_S = CaseState
_numbers = count(1)


async def _case(tx: Tx, state: CaseState) -> int:
    values = {
        "reference": f"DPO-2026-{next(_numbers):04}",
        "person": ANNA,
        "kind": Kind.ERASURE,
        "state": state,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "options": {},
        "received_at": NOW,
        "due_at": NOW,
        "updated_at": NOW,
        "closed_at": NOW if state is _S.CLOSED else None,
    }
    return (await cases.add(tx, values)).id


async def _end(tx: Tx, case_id: int, name: str, run: str, state: JobState) -> int:
    id_ = await jobs.want(tx, case_id=case_id, name=name, person=ANNA, wake_at=NOW, now=NOW)
    await jobs.admit(tx, id_, name=name, run_token=run, at_once=9, now=NOW)
    await jobs.finish(tx, id_, run, state, None, NOW)
    return id_


async def _failed(tx: Tx, state: CaseState, name: str, again: JobState | None = None) -> None:
    """Let a job fail, with its alert, and perhaps a later one end in another way."""
    case_id = await _case(tx, state)
    job = await _end(tx, case_id, name, "first", JobState.FAILED)
    await alerts.open(tx, key=f"job:{job}:failed", code=f"{name} {state} {again}", now=NOW, case_id=case_id)
    if again is not None:
        await _end(tx, case_id, name, "second", again)


async def _left(database: Database) -> list[str]:
    await database.write(lambda tx: alerts.settle(tx, NOW))
    return [alert.code for alert in await database.read(alerts.list_open)]


async def test_what_was_stopped_is_looked_at_until_somebody_has_decided(database: Database) -> None:
    """Whatever work it was."""
    names = ("export", "erase", "restrict", "rectify")

    async def fill(tx: Tx) -> None:
        for name, state in product(names, (_S.HELD, _S.PARTIAL, _S.APPROVED, _S.REFUSED)):
            await _failed(tx, state, name)

    await database.write(fill)
    assert await _left(database) == [f"{name} {state} None" for name in names for state in ("held", "partial")]


async def test_what_was_done_at_last_needs_nobody(database: Database) -> None:
    """Nor what belongs to a case that is over."""
    names = ("survey", "verify_erasure", "lift")
    ends = ((_S.REVIEW, None), (_S.REVIEW, JobState.FAILED), (_S.REVIEW, JobState.DONE), (_S.CLOSED, None))

    async def fill(tx: Tx) -> None:
        for name, (state, again) in product(names, ends):
            await _failed(tx, state, name, again)

    await database.write(fill)
    assert await _left(database) == [f"{name} review {again}" for name in names for again in ("None", "failed")]


async def test_a_part_that_failed_is_looked_at_until_it_is_tried_again(database: Database) -> None:
    """By `retry`, with or without what failed."""

    async def fill(tx: Tx) -> None:
        for state in (_S.PARTIAL, _S.APPROVED, _S.CLOSED):
            case_id = await _case(tx, state)
            key = f"erasure_partial:{case_id}:1"
            await alerts.open(tx, key=key, code="erasure_partial", now=NOW, case_id=case_id)

    await database.write(fill)
    assert await _left(database) == ["erasure_partial"]
