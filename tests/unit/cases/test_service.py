"""Cases in the database: one transaction each, nobody's case in another one's way."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from dpobot.audit import chain, trail
from dpobot.cases import queries, service
from dpobot.cases.service import Conflict, Opened, Opening, Rules
from dpobot.cases.transitions import IllegalMove
from dpobot.errors import Refusal
from dpobot.model.ids import EventId, Reference, RoomId, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, JobState, Kind, Trust
from dpobot.store import jobs
from dpobot.store.database import Database, Tx
from dpobot.store.tables import case_message

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANNA, BORIS, STAFF = UserId("@anna:x"), UserId("@boris:x"), UserId("@staff:x")
RULES = Rules(frozenset({Kind.EXPORT}), "uk", "GB")
ASKED = Opening(
    person=ANNA,
    kind=Kind.EXPORT,
    channel=Channel.MATRIX,
    trust=Trust.SIGNED,
    local=True,
    room_id=RoomId("!r:x"),
    event_id=EventId("$1"),
    options={"scope": "mine"},
    received_at=NOW,
)


async def _open(database: Database, opening: Opening = ASKED, rules: Rules = RULES) -> Opened:
    return await database.write(lambda tx: service.open_case(tx, NOW, opening, rules))


async def _to(database: Database, case: Case, *states: CaseState) -> Case:
    for state in states:
        case = await _move(database, case, state)
    return case


async def _move(database: Database, case: Case, state: CaseState) -> Case:
    return await database.write(lambda tx: service.move(tx, NOW, case, state, "bot", "case.moved"))


async def _jobs(database: Database, case: Case) -> list[tuple[str, JobState, bool, datetime]]:
    found = await database.read(lambda tx: jobs.of_case(tx, case.id))
    return [(job.name, job.state, job.cancel, job.wake_at) for job in found]


async def _actions(database: Database, case: Case) -> list[str]:
    return [row.action for row in await database.read(lambda tx: trail.of_case(tx, case.id))]


async def test_an_approved_request_has_its_case_its_trail_and_its_job(database: Database) -> None:
    """All of it is there after the one transaction, and the chain of the trail holds."""
    opened = await _open(database)
    case = opened.case
    assert (opened.created, case.reference, case.state, case.version) == (True, "DPO-2026-0001", CaseState.APPROVED, 1)
    assert (case.options, case.due_at) == ({"scope": "mine"}, datetime(2026, 4, 2, 22, 59, 59, tzinfo=UTC))
    assert await _jobs(database, case) == [("export", JobState.WANTED, False, NOW)]
    assert await _actions(database, case) == ["case.opened", "case.approved"]
    assert (await database.read(chain.verify)).holds is True


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    """Neither case, nor trail, nor job; the number is given out again."""

    async def fail(tx: Tx) -> None:
        await service.open_case(tx, NOW, ASKED, RULES)
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fail)
    assert await database.read(lambda tx: queries.of_person(tx, ANNA)) == []
    assert (await _open(database)).case.reference == "DPO-2026-0001"
    assert (await database.read(chain.verify)).rows == 2


@pytest.mark.parametrize(
    "opening",
    [
        replace(ASKED, trust=Trust.UNSIGNED),
        replace(ASKED, trust=Trust.IDENTITY_CHANGED),
        replace(ASKED, local=False),
        replace(ASKED, kind=Kind.QUESTION),
    ],
)
async def test_what_policy_does_not_approve_waits(database: Database, opening: Opening) -> None:
    """In review, without a job."""
    case = (await _open(database, opening)).case
    assert (case.state, await _jobs(database, case)) == (CaseState.REVIEW, [])


async def test_a_message_opens_one_case(database: Database) -> None:
    """The same message again gives the same case, also when it comes twice at the same moment."""
    first, second = await asyncio.gather(_open(database), _open(database))
    third = await _open(database)
    assert (sorted([first.created, second.created]), third.created) == ([False, True], False)
    assert {first.case.id, second.case.id, third.case.id} == {first.case.id}
    assert len(await _jobs(database, first.case)) == 1


async def test_a_second_export_is_refused_with_the_reference_of_the_first(database: Database) -> None:
    """Until the first is answered; other kinds and other people are not concerned."""
    first = (await _open(database)).case
    again = replace(ASKED, event_id=EventId("$2"))
    with pytest.raises(Refusal) as caught:
        await _open(database, again)
    assert (caught.value.code, caught.value.values) == ("already_open", {"reference": first.reference})
    others = [
        await _open(database, replace(again, kind=Kind.COMPLAINT)),
        await _open(database, replace(again, person=BORIS, event_id=EventId("$3"))),
    ]
    assert [each.case.reference for each in others] == ["DPO-2026-0002", "DPO-2026-0003"]
    await _to(database, first, CaseState.WORKING, CaseState.DELIVERED)
    assert (await _open(database, replace(again, event_id=EventId("$4")))).created is True


async def test_two_exports_at_the_same_moment_are_one_and_a_refusal(database: Database) -> None:
    """Two messages, one person, one instant: only one case is opened."""
    openings = [replace(ASKED, event_id=EventId(f"${n}")) for n in range(4)]
    results = await asyncio.gather(*(_open(database, each) for each in openings), return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["Opened", "Refusal", "Refusal", "Refusal"]


@pytest.mark.parametrize("trust", [trust for trust in Trust if trust is not Trust.SIGNED])
async def test_an_unverified_request_is_in_nobodys_way(database: Database, trust: Trust) -> None:
    """It doesn't block a verified one, doesn't merge with it, and is not merged into it: both exist side by side."""
    unverified = (await _open(database, replace(ASKED, trust=trust))).case
    verified = (await _open(database, replace(ASKED, event_id=EventId("$2")))).case
    assert (unverified.state, verified.state) == (CaseState.REVIEW, CaseState.APPROVED)
    with pytest.raises(Refusal) as caught:
        await _open(database, replace(ASKED, trust=trust, event_id=EventId("$3")))
    assert caught.value.values == {"reference": unverified.reference}


async def test_an_unverified_device_changes_no_verified_case(database: Database) -> None:
    """It can neither take it back nor confirm it; the case stays as it was."""
    case = (await _open(database)).case
    for change in (service.withdraw, service.confirm_received):
        with pytest.raises(Refusal) as caught:
            await database.write(lambda tx, change=change: change(tx, NOW, case, ANNA, Trust.UNSIGNED))  # type: ignore[misc] # mypy can't infer a lambda with a default
        assert caught.value.code == "untrusted_change"
    assert await database.read(lambda tx: queries.by_id(tx, case.id)) == case


async def test_a_withdrawn_request_stops_its_job(database: Database) -> None:
    """The case is over, its job is told to stop; what may be on the server already is wanted gone."""
    case = await _to(database, (await _open(database)).case, CaseState.WORKING)
    withdrawn = await database.write(lambda tx: service.withdraw(tx, NOW, case, ANNA, Trust.SIGNED))
    assert (withdrawn.state, withdrawn.closed_at) == (CaseState.WITHDRAWN, NOW)
    assert await _jobs(database, case) == [
        ("export", JobState.WANTED, True, NOW),
        ("expire", JobState.WANTED, False, NOW),
    ]
    assert (await _actions(database, case))[-1] == "case.withdrawn"


@pytest.mark.parametrize("path", [(CaseState.WORKING, CaseState.DELIVERED), (CaseState.WITHDRAWN,)])
async def test_what_is_done_can_not_be_withdrawn(database: Database, path: tuple[CaseState, ...]) -> None:
    """A delivered archive is delivered; a withdrawn request is withdrawn."""
    case = await _to(database, (await _open(database)).case, *path)
    with pytest.raises(Refusal) as caught:
        await database.write(lambda tx: service.withdraw(tx, NOW, case, ANNA, Trust.SIGNED))
    assert caught.value.code == "not_withdrawable"


async def test_received_closes_the_case_and_deletes_the_archive_now(database: Database) -> None:
    """The deletion that waited for a later day is brought forward, and is still one job."""
    case = await _to(database, (await _open(database)).case, CaseState.WORKING, CaseState.DELIVERED)
    week = NOW + timedelta(days=7)
    await database.write(lambda tx: jobs.want(tx, case_id=case.id, name="expire", person=ANNA, wake_at=week, now=NOW))
    closed = await database.write(lambda tx: service.confirm_received(tx, NOW, case, ANNA, Trust.SIGNED))
    assert (closed.state, closed.closed_at) == (CaseState.CLOSED, NOW)
    assert (await _jobs(database, case))[1:] == [("expire", JobState.WANTED, False, NOW)]


async def test_what_is_not_delivered_can_not_be_received(database: Database) -> None:
    """The person is told so."""
    case = (await _open(database)).case
    with pytest.raises(Refusal) as caught:
        await database.write(lambda tx: service.confirm_received(tx, NOW, case, ANNA, Trust.SIGNED))
    assert caught.value.code == "not_delivered"


async def test_of_two_moves_at_once_one_wins(database: Database) -> None:
    """Both have read the same case: the second finds it changed, and nothing of it is recorded."""
    case = (await _open(database)).case
    results = await asyncio.gather(
        _to(database, case, CaseState.WORKING), _to(database, case, CaseState.HELD), return_exceptions=True
    )
    moved = [each for each in results if isinstance(each, Case)]
    assert sorted(type(each).__name__ for each in results) == ["Case", "Conflict"]
    assert await database.read(lambda tx: queries.by_id(tx, case.id)) == moved[0]
    assert (await _actions(database, case)).count("case.moved") == 1


async def test_an_old_reading_moves_nothing(database: Database) -> None:
    """A case that came back to the same state is another version of it."""
    asked = replace(ASKED, trust=Trust.UNSIGNED)
    old = (await _open(database, asked)).case
    await _to(database, old, CaseState.PAUSED, CaseState.REVIEW)
    with pytest.raises(Conflict):
        await _to(database, old, CaseState.APPROVED)


async def test_a_move_outside_the_table_is_a_defect(database: Database) -> None:
    """It raises before anything is written."""
    case = (await _open(database)).case
    with pytest.raises(IllegalMove):
        await _to(database, case, CaseState.DELIVERED)
    assert await _actions(database, case) == ["case.opened", "case.approved"]


async def test_an_approval_by_staff_wants_the_job(database: Database) -> None:
    """Decided by a human, carried out as if by policy; the trail names who, and the states."""
    case = (await _open(database, replace(ASKED, trust=Trust.UNSIGNED))).case
    approved = await database.write(
        lambda tx: service.move(tx, NOW, case, CaseState.APPROVED, STAFF, "case.approved", {"plan": "p1"})
    )
    row = (await database.read(lambda tx: trail.of_case(tx, case.id)))[-1]
    assert (approved.version, await _jobs(database, case)) == (2, [("export", JobState.WANTED, False, NOW)])
    assert (row.actor, dict(row.detail)) == (STAFF, {"plan": "p1", "from_state": "review", "to_state": "approved"})


async def test_words_go_into_a_case_once_and_sealed(database: Database) -> None:
    """They come out as they went in; the database and the trail do not show them."""
    case = (await _open(database)).case
    add = [
        await database.write(lambda tx: service.add_message(tx, NOW, case, EventId("$w"), "my words", RULES))
        for _ in range(2)
    ]
    messages = await database.read(lambda tx: queries.messages_of(tx, case.id))

    async def stored(tx: Tx) -> bytes:
        return bytes((await tx.conn.execute(sa.select(case_message.c.sealed))).scalar_one())

    assert (add, [(each.event_id, each.text) for each in messages]) == ([True, False], [("$w", "my words")])
    assert ["my words" in repr(messages), b"my words" in await database.read(stored)] == [False, False]


async def test_a_person_sees_their_own_cases_only(database: Database) -> None:
    """Somebody else's reference is as unknown as one that was never given out."""
    mine = (await _open(database)).case
    theirs = (await _open(database, replace(ASKED, person=BORIS, event_id=EventId("$2")))).case
    found = [
        await database.read(lambda tx, reference=reference: queries.by_reference(tx, ANNA, reference))  # type: ignore[misc] # mypy can't infer a lambda with a default
        for reference in (mine.reference, theirs.reference, Reference("DPO-2026-9999"))
    ]
    assert found == [mine, None, None]
    assert await database.read(lambda tx: queries.of_person(tx, ANNA)) == [mine]


async def test_what_is_over_is_not_open(database: Database) -> None:
    """Open cases come newest first; a delivered one is still open; at most as many as asked for are listed."""
    first = await _to(database, (await _open(database)).case, CaseState.WORKING, CaseState.DELIVERED)
    second = (await _open(database, replace(ASKED, event_id=EventId("$2")))).case
    third = (await _open(database, replace(ASKED, kind=Kind.QUESTION, event_id=EventId("$3")))).case
    await _to(database, third, CaseState.CLOSED)
    assert await database.read(lambda tx: queries.open_of_person(tx, ANNA)) == [second, first]
    newest = await database.read(lambda tx: queries.of_person(tx, ANNA, 2))
    assert [case.id for case in newest] == [third.id, second.id]
    assert await database.read(lambda tx: queries.by_id(tx, 99)) is None


async def test_numbers_have_no_gaps_however_many_ask_at_once(database: Database) -> None:
    """Twenty people in the same instant get the numbers 1 to 20, in one unbroken trail."""
    openings = [replace(ASKED, person=UserId(f"@p{n}:x"), event_id=EventId(f"$p{n}")) for n in range(20)]
    opened = await asyncio.gather(*(_open(database, each) for each in openings))
    assert sorted(each.case.reference for each in opened) == [f"DPO-2026-{n:04d}" for n in range(1, 21)]
    verdict = await database.read(chain.verify)
    assert (verdict.rows, verdict.problem) == (40, None)
