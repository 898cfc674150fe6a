"""Restriction and rectification: work that the homeserver can do, and what only people can."""

import asyncio
from typing import Any

import pytest

from dpobot.cases import decisions, erasure, service
from dpobot.errors import Refusal, StaffRefusal
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import rectifications
from tests.unit.cases.office import ANNA, NOW, VERA, Office


async def _approve(office: Office, case: Case) -> Case:
    plan = await office.ask(decisions.approval_plan, case, False, NOW)
    return (await office.do(decisions.approve, case, VERA, decisions.plan_hash(plan), False)).case


async def _restricted(office: Office) -> Case:
    case = await _approve(office, await office.open(Kind.RESTRICTION))
    return await office.to(case, CaseState.WORKING, CaseState.DELIVERED)


@pytest.mark.parametrize(
    ("kind", "other", "job"),
    [
        (Kind.EXPORT, {}, "export"),
        (Kind.RESTRICTION, {}, "restrict"),
        (Kind.RESTRICTION, {"local": False}, None),
        (Kind.RECTIFICATION, {"options": {"field": "email"}, "local": False}, None),
        (Kind.RECTIFICATION, {"options": {"field": "email"}}, "rectify"),
        (Kind.RECTIFICATION, {}, None),
        (Kind.ERASURE, {}, "erase"),
        (Kind.ERASURE, {"local": False}, None),
        (Kind.OBJECTION, {}, None),
    ],
)
async def test_a_case_knows_its_work(office: Office, kind: Kind, other: dict[str, Any], job: str | None) -> None:
    """None: people carry it out."""
    case = await office.open(kind, **other)
    assert (service.job_of(case), (await office.ask(decisions.approval_plan, case, False))["job"]) == (job, job)


async def test_an_approved_restriction_has_a_job(office: Office) -> None:
    """Staff don't close it while that job is wanted."""
    case = await _approve(office, await office.open(Kind.RESTRICTION))
    assert await office.jobs(case) == [("restrict", "wanted")]
    with pytest.raises(StaffRefusal) as caught:
        await office.do(decisions.close, await office.set(case, answered_at=NOW), VERA)
    assert caught.value.code == "wrong_state"


async def test_a_restriction_is_lifted_once(office: Office) -> None:
    """Its work is wanted, by whoever of staff is first."""
    case = await _restricted(office)
    await asyncio.gather(*(office.do(erasure.lift, case, VERA) for _ in range(2)))
    assert await office.jobs(case) == [("restrict", "wanted"), ("lift", "wanted")]
    assert ((await office.actions(case)).count("restriction.lifting"), (await office.now(case)).state) == (
        1,
        CaseState.DELIVERED,
    )


async def test_only_what_is_restricted_is_lifted(office: Office) -> None:
    """Neither another kind nor what has not been done yet."""
    export = await office.set(await office.open(Kind.EXPORT), state=CaseState.DELIVERED)
    for case in (export, await office.open(Kind.RESTRICTION)):
        with pytest.raises(StaffRefusal) as caught:
            await office.do(erasure.lift, case, VERA)
        assert (caught.value.code, caught.value.values["action"]) == ("wrong_state", "lift")


async def test_a_restriction_ends_by_being_lifted(office: Office) -> None:
    """Neither by `close` nor by `received`: the account would stay suspended, and nobody would know."""
    case = await _restricted(office)
    with pytest.raises(StaffRefusal) as staff:
        await office.do(decisions.close, case, VERA)
    with pytest.raises(Refusal) as person:
        await office.do(service.confirm_received, case, ANNA, Trust.SIGNED)
    assert (staff.value.code, person.value.code) == ("wrong_state", "not_delivered")


async def test_a_restriction_on_its_way_is_not_taken_back(office: Office) -> None:
    """The account may be suspended by now: staff lift it."""
    case = await office.to(await _approve(office, await office.open(Kind.RESTRICTION)), CaseState.WORKING)
    with pytest.raises(Refusal) as caught:
        await office.do(service.withdraw, case, ANNA, Trust.SIGNED)
    assert caught.value.code == "not_withdrawable"


async def test_what_is_to_be_put_right_is_part_of_the_plan(office: Office) -> None:
    """Staff approve exactly these values."""
    case = await office.open(Kind.RECTIFICATION, options={"field": "email"})
    assert (await office.ask(decisions.approval_plan, case, False))["rectification"] is None
    values = {"old": "anna@old.example", "new": "anna@new.example"}
    await office.database.write(lambda tx: rectifications.put(tx, case.id, "email", values))
    plan = await office.ask(decisions.approval_plan, case, False)
    await office.database.write(lambda tx: rectifications.put(tx, case.id, "email", {**values, "new": "boris@x"}))
    with pytest.raises(service.Conflict):
        await office.do(decisions.approve, case, VERA, decisions.plan_hash(plan), False)
    assert plan["rectification"] == {"field": "email", **values}


async def test_free_words_are_for_people(office: Office) -> None:
    """They approve, do it by hand, and close the case."""
    case = await _approve(office, await office.open(Kind.RECTIFICATION, channel=Channel.MATRIX))
    answered = await office.set(case, answered_at=NOW)
    assert (await office.do(decisions.close, answered, VERA)).state is CaseState.CLOSED
