"""What staff decide: each decision is one transaction, and a wrong one is refused with what the sentence needs."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dpobot.audit import trail
from dpobot.cases import decisions, queries, service
from dpobot.cases.service import Conflict
from dpobot.errors import Refusal, StaffRefusal
from dpobot.model.ids import EventId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Ground, Kind, Trust
from dpobot.store import reminders
from tests.unit.cases.office import ANNA, NOW, RULES, VERA, WIM, Office, after, asked


async def _refused(office: Office, *call: Any, now: datetime = NOW) -> tuple[str, dict[str, object]]:
    with pytest.raises(StaffRefusal) as caught:
        await office.do(*call, now=now)
    return caught.value.code, caught.value.values


async def test_a_claimed_case_has_its_owner(office: Office) -> None:
    """Again by oneself it changes nothing; somebody else is told who has it; the card is written anew once."""
    case = await office.open()
    claimed = await office.do(decisions.claim, case, VERA)
    card = await office.card_is_new(case)
    again = await office.do(decisions.claim, claimed, VERA)
    assert (claimed.assignee, again, card, await office.card_is_new(case)) == (VERA, claimed, True, False)
    assert await _refused(office, decisions.claim, case, WIM) == ("claimed", {"by": VERA, "reference": case.reference})
    assert await office.actions(case) == ["case.opened", "case.claimed"]


async def test_of_two_who_claim_at_once_one_is_told(office: Office) -> None:
    """Both have seen the same card; the second hears the name of the first."""
    case = await office.open()
    both = (office.do(decisions.claim, case, each) for each in (VERA, WIM))
    results = await asyncio.gather(*both, return_exceptions=True)
    [won] = [each for each in results if isinstance(each, Case)]
    [lost] = [each for each in results if isinstance(each, StaffRefusal)]
    assert (lost.code, lost.values["by"]) == ("claimed", won.assignee)


async def test_a_case_is_handed_on(office: Office) -> None:
    """To somebody else, and to nobody; the trail has a row with the new owner as its actor."""
    case = await office.do(decisions.claim, await office.open(), VERA)
    handed = await office.do(decisions.assign, case, WIM, WIM)
    dropped = await office.do(decisions.assign, handed, WIM, None)
    same = await office.do(decisions.assign, dropped, WIM, None)
    assert [handed.assignee, dropped.assignee, same] == [WIM, None, dropped]
    assert (await office.actions(case))[2:] == ["case.assigned", "case.assigned_to", "case.unassigned"]


@pytest.mark.parametrize("end", [CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN])
async def test_nothing_more_is_decided_about_a_case_that_is_over(office: Office, end: CaseState) -> None:
    """Every decision says in which state it is."""
    case = await office.to(await office.open(), end)
    calls: list[tuple[Any, ...]] = [
        (decisions.claim, case, VERA),
        (decisions.assign, case, VERA, WIM),
        (decisions.refuse, case, VERA, Ground.OTHER),
        (decisions.extend, case, VERA, 1, RULES),
        (decisions.pause, case, VERA),
        (decisions.resume, case, VERA, RULES),
        (decisions.verify, case, VERA),
        (decisions.close, case, VERA),
    ]
    expected = ("case_over", {"reference": case.reference, "state": end.value})
    assert [await _refused(office, *call) for call in calls] == [expected] * len(calls)


async def test_an_old_reading_decides_nothing(office: Office) -> None:
    """Whatever it is: the case has changed since it was shown."""
    old = await office.open()
    await office.do(decisions.claim, old, VERA)
    for call in (
        (decisions.assign, old, VERA, WIM),
        (decisions.refuse, old, VERA, Ground.OTHER),
        (decisions.extend, old, VERA, 1, RULES),
        (decisions.pause, old, VERA),
        (decisions.verify, old, VERA),
        (decisions.hold, old, VERA),
    ):
        with pytest.raises(Conflict):
            await office.do(*call)
    assert await office.actions(old) == ["case.opened", "case.claimed"]


async def test_a_refusal_has_its_ground_and_its_days(office: Office) -> None:
    """The case is over and answered, and took so many whole days."""
    case = await office.open()
    refused = await office.do(decisions.refuse, case, VERA, Ground.UNFOUNDED, now=after(days=3, hours=20))
    seen = (refused.state, refused.outcome, refused.days, refused.closed_at, refused.answered_at)
    ended = after(days=3, hours=20)
    assert seen == (CaseState.REFUSED, "unfounded", 3, ended, ended)


async def test_a_refused_export_leaves_nothing_behind(office: Office) -> None:
    """It was held: what its job may have put somewhere is taken away."""
    case = await office.to(await office.open(Kind.EXPORT), CaseState.APPROVED, CaseState.WORKING, CaseState.HELD)
    await office.do(decisions.refuse, case, VERA, Ground.FRAUD)
    assert ("expire", "wanted") in await office.jobs(case)


async def test_what_is_being_done_can_not_be_refused(office: Office) -> None:
    """The sentence names state and action."""
    case = await office.to(await office.open(Kind.EXPORT), CaseState.APPROVED)
    expected = ("wrong_state", {"reference": case.reference, "state": "approved", "action": "refuse"})
    assert await _refused(office, decisions.refuse, case, VERA, Ground.OTHER) == expected


async def test_an_extension_counts_from_the_receipt(office: Office) -> None:
    """2 March, two months more: 2 June; the reminders of the old date count no more."""
    case = await office.open()
    for what in ("due1", "overdue3", "day7"):
        await office.database.write(lambda tx, what=what: reminders.note(tx, case.id, what, NOW))  # type: ignore[misc] # mypy can't infer a lambda with a default
    extended = await office.do(decisions.extend, case, VERA, 2, RULES, now=after(days=20))
    assert (extended.due_at, extended.extended_months) == (datetime(2026, 6, 2, 22, 59, 59, tzinfo=UTC), 2)
    noted = [
        await office.database.write(lambda tx, what=what: reminders.note(tx, case.id, what, NOW))  # type: ignore[misc] # mypy can't infer a lambda with a default
        for what in ("due1", "overdue3", "day7")
    ]
    assert noted == [True, True, False]


@pytest.mark.parametrize("months", [-1, 0, 3])
async def test_an_extension_is_one_or_two_months(office: Office, months: int) -> None:
    """Art. 12(3) knows no other."""
    case = await office.open()
    assert (await _refused(office, decisions.extend, case, VERA, months, RULES))[0] == "extend_months"


async def test_a_case_is_extended_once_and_in_time(office: Office) -> None:
    """Not a second time, and not after the first month."""
    late, twice = await office.open(), await office.open()
    extended = await office.do(decisions.extend, twice, VERA, 1, RULES)
    assert (await _refused(office, decisions.extend, extended, VERA, 1, RULES))[0] == "extended_already"
    refused = await _refused(office, decisions.extend, late, VERA, 1, RULES, now=late.due_at + timedelta(seconds=1))
    assert refused == ("extend_too_late", {"reference": late.reference})


async def test_a_pause_stops_the_clock(office: Office) -> None:
    """Ten days of waiting: due ten days later (12 April 2026 is a Sunday)."""
    case = await office.open()
    paused = await office.do(decisions.pause, case, VERA)
    resumed = await office.do(decisions.resume, paused, VERA, RULES, now=after(days=10))
    assert (paused.state, paused.paused_at, paused.due_at) == (CaseState.PAUSED, NOW, case.due_at)
    assert (resumed.state, resumed.paused_at) == (CaseState.REVIEW, None)
    assert resumed.due_at == datetime(2026, 4, 13, 22, 59, 59, tzinfo=UTC)


async def test_an_extension_keeps_what_a_pause_gave(office: Office) -> None:
    """Paused for ten days, then extended by a month: 2 May and ten days."""
    paused = await office.do(decisions.pause, await office.open(), VERA)
    resumed = await office.do(decisions.resume, paused, VERA, RULES, now=after(days=10))
    extended = await office.do(decisions.extend, resumed, VERA, 1, RULES, now=after(days=11))
    # 2 May is a Saturday, 4 May a bank holiday: 5 May, and ten days
    assert extended.due_at == datetime(2026, 5, 15, 22, 59, 59, tzinfo=UTC)


async def test_a_persons_word_resumes_their_case(office: Office) -> None:
    """Their message is stored, waits for the staff room, and time runs again; the actor is the person."""
    case = await office.do(decisions.pause, await office.open(), VERA)
    await office.do(service.add_message, case, EventId("$here"), "here it is", RULES, now=after(days=2))
    newest = await office.now(case)
    assert (newest.state, newest.due_at > case.due_at) == (CaseState.REVIEW, True)
    assert (await office.actions(case))[-2:] == ["case.message", "case.resumed"]
    again = await office.do(service.add_message, case, EventId("$here"), "here it is", RULES, now=after(days=3))
    assert (again, await office.now(case)) == (False, newest)


async def test_only_what_waits_is_resumed_and_only_what_is_reviewed_is_paused(office: Office) -> None:
    """The sentence says what the case does instead."""
    case = await office.open()
    assert (await _refused(office, decisions.resume, case, VERA, RULES))[1]["action"] == "resume"
    held = await office.to(case, CaseState.APPROVED, CaseState.HELD)
    assert (await _refused(office, decisions.pause, held, VERA))[0] == "wrong_state"


async def test_a_verified_person_is_proven(office: Office) -> None:
    """Noted once; from then on a second request of a verified device is the same one."""
    case = await office.open(Kind.EXPORT, trust=Trust.UNSIGNED)
    verified = await office.do(decisions.verify, case, VERA)
    again = await office.do(decisions.verify, verified, WIM)
    assert (case.proven, verified.proven, again) == (False, True, verified)
    with pytest.raises(Refusal) as caught:
        await office.open(Kind.EXPORT)
    assert (caught.value.code, caught.value.values) == ("already_open", {"reference": case.reference})


async def test_an_unverified_device_takes_no_verified_case_back(office: Office) -> None:
    """Also if it was staff who established who the person is."""
    case = await office.do(decisions.verify, await office.open(trust=Trust.UNSIGNED), VERA)
    with pytest.raises(Refusal) as caught:
        await office.do(service.withdraw, case, ANNA, Trust.UNSIGNED)
    assert caught.value.code == "untrusted_change"


async def test_a_legal_hold_counts_for_the_person(office: Office) -> None:
    """On a closed case as well; twice it changes nothing; released it is gone."""
    case = await office.to(await office.open(), CaseState.CLOSED)
    held = await office.do(decisions.hold, case, VERA)
    again = await office.do(decisions.hold, held, VERA)
    during = await office.ask(queries.on_legal_hold, ANNA)
    released = await office.do(decisions.release, held, VERA)
    assert (held.legal_hold, again, during, released.legal_hold) == (True, held, True, False)
    assert await office.ask(queries.on_legal_hold, ANNA) is False
    assert (await office.actions(case))[-2:] == ["case.legal_hold", "case.legal_hold_released"]


async def test_only_what_was_answered_is_closed(office: Office) -> None:
    """By staff, from every state in which nothing of ours is at work."""
    case = await office.open()
    assert (await _refused(office, decisions.close, case, VERA)) == ("unanswered", {"reference": case.reference})
    answered = await office.set(await office.to(case, CaseState.APPROVED), answered_at=NOW)
    closed = await office.do(decisions.close, answered, VERA, now=after(days=5))
    assert (closed.state, closed.days, closed.outcome) == (CaseState.CLOSED, 5, None)


async def test_an_approved_export_is_not_closed_under_its_job(office: Office) -> None:
    """Its job is about to run."""
    case = await office.set(await office.to(await office.open(Kind.EXPORT), CaseState.APPROVED), answered_at=NOW)
    assert (await _refused(office, decisions.close, case, VERA))[0] == "wrong_state"


async def test_a_delivery_is_an_answer(office: Office) -> None:
    """The first word counts: a case that was answered before keeps that moment."""
    path = (CaseState.APPROVED, CaseState.WORKING, CaseState.DELIVERED)
    case = await office.to(await office.open(Kind.EXPORT), *path)
    assert case.answered_at == NOW
    assert (await office.do(decisions.close, case, VERA)).state is CaseState.CLOSED


@pytest.mark.parametrize(
    ("kind", "channel", "acknowledged", "by"),
    [
        (Kind.COMPLAINT, Channel.MATRIX, True, True),
        (Kind.COMPLAINT, Channel.POST, False, True),
        (Kind.QUESTION, Channel.MATRIX, False, False),
    ],
)
async def test_a_complaint_is_acknowledged(
    office: Office, kind: Kind, channel: Channel, acknowledged: bool, by: bool
) -> None:
    """At once to whoever writes to the bot; by post within 30 days; other kinds have no such time."""
    case = await office.open(kind, channel=channel)
    last = datetime(2026, 4, 1, 22, 59, 59, tzinfo=UTC)
    assert ("case.acknowledged" in await office.actions(case), case.acknowledge_by) == (
        acknowledged,
        last if by else None,
    )


async def test_a_request_from_outside_names_who_opened_it(office: Office) -> None:
    """Its receipt may be days ago; the time counts from there."""
    opening = asked(Kind.ACCESS, channel=Channel.POST, trust=Trust.UNKNOWN, received_at=after(days=-10))
    opened = await office.do(service.open_case, opening, RULES, VERA)
    [row] = await office.ask(trail.of_case, opened.case.id)
    seen = (row.actor, row.detail["channel"], opened.case.due_at)
    assert seen == (VERA, "post", datetime(2026, 3, 20, 23, 59, 59, tzinfo=UTC))


@pytest.mark.parametrize("trust", [trust for trust in Trust if trust is not Trust.SIGNED])
async def test_whoever_opens_it_an_unverified_request_blocks_nobody(office: Office, trust: Trust) -> None:
    """Staff open one from outside; the person's own device is served all the same."""
    opening = asked(Kind.ERASURE, channel=Channel.EMAIL, trust=trust)
    outside = await office.do(service.open_case, opening, RULES, VERA)
    own = await office.open(Kind.ERASURE)
    assert (outside.case.proven, own.proven, own.id != outside.case.id) == (False, True, True)
