"""Expiry: what is left of an old case names nobody, and the trail still holds."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dpobot.audit import chain, trail
from dpobot.cases import correspondence, decisions, expiry, identity, register, service
from dpobot.cases.service import Conflict
from dpobot.model.erasure import ErasureOptions, ErasureRoom, Fate
from dpobot.model.ids import EventId, Mxc, RoomId
from dpobot.model.records import Case, IncomingKind
from dpobot.model.words import CaseState, Ground, JobState, Kind, Trust
from dpobot.store import (
    alerts,
    approvals,
    assessments,
    downloads,
    erasure_rooms,
    erasures,
    expiring,
    foreign_requests,
    inbox,
    jobs,
    known_devices,
    notices,
    outbox,
    people,
    receipts,
    rectifications,
    reminders,
    staff_uploads,
    volumes,
)
from dpobot.store.database import Tx
from dpobot.store.foreign_requests import ForeignRequest
from dpobot.store.inbox import NewEvent
from dpobot.store.outbox import OutboxItem, Relation
from dpobot.store.tables import metadata
from tests.unit.cases.office import ANNA, BORIS, FILE, NOW, RULES, VERA, Office, after

YEAR = timedelta(days=365)
LATER = NOW + YEAR
ROOM = RoomId("!staff:x")


async def _full(office: Office) -> Case:
    """Return a closed case with a row in every table that hangs on cases."""
    case = await office.open(Kind.EXPORT, options={"scope": "mine"})

    async def fill(tx: Tx) -> None:
        await service.add_message(tx, NOW, case, EventId("$words"), "my words", RULES)
        await correspondence.add_file(tx, NOW, case, EventId("$file"), FILE, None)
        await approvals.put(tx, case.id, VERA, "p" * 64, NOW)
        await assessments.put(tx, case.id, "nature", VERA, "high", "because", NOW)
        await reminders.note(tx, case.id, "day7", NOW)
        await volumes.put(tx, case.id, 1, 10, "a" * 64)
        await staff_uploads.add(tx, case.id, Mxc("mxc://x/copy"), NOW)
        await downloads.promise(tx, case.id, "secret", "h" * 64, now=NOW, expires_at=LATER)
        await erasures.put(tx, case.id, ErasureOptions())
        await erasures.keep_code(tx, case.id, "a code")
        await erasure_rooms.add_all(tx, case.id, [ErasureRoom(ROOM, "join", Fate.REDACT, 1)])
        await notices.add_all(tx, case.id, ["other.test"], NOW)
        await foreign_requests.add(tx, _asked(case.id))
        await rectifications.put(tx, case.id, "email", {"old": None, "new": "anna@x"})
        await receipts.promise(tx, "c" * 64, case.id, NOW)
        await alerts.open(tx, key="job:1", code="export.held", now=NOW, case_id=case.id)
        await outbox.put(
            tx, OutboxItem("card", VERA, {"body": ANNA}, NOW, room_id=ROOM, relation=Relation.CARD, case_id=case.id)
        )
        job = await jobs.want(tx, case_id=case.id, name="export", person=ANNA, wake_at=NOW, now=NOW)
        await jobs.admit(tx, job, name="export", run_token="run", at_once=1, now=NOW)
        await jobs.checkpoint(tx, job, "run", step="s", result={}, progress=None, now=NOW)
        await jobs.finish(tx, job, "run", JobState.FAILED, "gone", NOW)

    await office.database.write(fill)
    claimed = await office.do(decisions.claim, await office.now(case), VERA)
    return await office.do(decisions.refuse, claimed, VERA, Ground.NO_DATA, now=after(days=2))


def _asked(case_id: int) -> ForeignRequest:
    """Return what another homeserver has asked for."""
    return ForeignRequest(
        case_id, "other.test", BORIS, "OTH-1", ROOM, EventId("$notice"), True, ("forget",), "2026-11-20", None, NOW
    )


async def _due(office: Office, before: datetime = LATER) -> list[int]:
    return [case.id for case in await office.ask(expiry.due_for_expiry, before, 10)]


async def _rows(office: Office) -> dict[str, int]:
    """Return how many rows each table has that may hang on a case."""

    async def count(tx: Tx) -> dict[str, int]:
        tables = [each for each in metadata.sorted_tables if "case_id" in each.c or each.name == "job_step"]
        found = {}
        for table in tables:
            found[table.name] = (await tx.conn.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
        return found

    return await office.database.read(count)


async def test_an_old_case_is_reduced_to_its_line(office: Office) -> None:
    """Nothing else hangs on it but its receipt; the line in the register is the same as before; the chain holds."""
    case = await _full(office)
    before, line = await _rows(office), await office.ask(register.as_csv, NOW.date(), NOW.date())
    assert min(before.values()) > 0
    await office.do(expiry.expire, case, now=LATER)
    after_, left = await _rows(office), await office.now(case)
    assert {name for name, rows in after_.items() if rows} == {"audit", "receipt"}
    assert (left.person, left.room_id, left.event_id, left.assignee, left.options) == (expiry.NOBODY, *[None] * 3, {})
    assert (left.expired_at, left.outcome, left.days) == (LATER, "no_data", 2)
    assert await office.ask(register.as_csv, NOW.date(), NOW.date()) == line
    assert {(row.actor, row.actor_salt) for row in await office.ask(trail.of_case, case.id)} == {(None, None)}
    assert (await office.database.read(chain.verify)).holds is True


async def test_nobody_is_named_in_the_database_any_more(office: Office) -> None:
    """Neither the person nor the member of staff, in any column of any table."""
    case = await _full(office)
    await office.do(expiry.expire, case, now=LATER)

    async def all_text(tx: Tx) -> str:
        found = []
        for table in metadata.sorted_tables:
            found += [str(tuple(row)) for row in await tx.conn.execute(sa.select(table))]
        return "\n".join(found)

    text = await office.database.read(all_text)
    assert case.reference in text
    assert [name in text for name in (ANNA, VERA)] == [False, False]


async def test_expired_cases_are_left_alone(office: Office) -> None:
    """A second time changes nothing, and nothing is decided about one."""
    case = await _full(office)
    await office.do(expiry.expire, case, now=LATER)
    left = await office.now(case)
    await office.do(expiry.expire, left, now=LATER + YEAR)
    assert (await office.now(case), await _due(office, LATER + YEAR)) == (left, [])


async def test_only_what_has_been_over_long_enough_is_due(office: Office) -> None:
    """Open cases never; of the others the oldest first; one whose job still has to tidy up waits for it."""
    await office.open()
    second = await office.do(service.withdraw, await office.open(), ANNA, Trust.SIGNED, now=after(days=9))
    first = await office.do(service.withdraw, await office.open(), ANNA, Trust.SIGNED, now=after(days=8))
    busy = await office.to(await office.open(Kind.EXPORT), CaseState.APPROVED, CaseState.WORKING)
    await office.do(service.withdraw, busy, ANNA, Trust.SIGNED, now=after(days=7))
    assert await _due(office, after(days=9)) == [first.id]
    assert await _due(office, LATER) == [first.id, second.id]


async def test_a_legal_hold_keeps_every_case_of_its_person(office: Office) -> None:
    """Also those that are not on hold themselves; other people's expire."""
    old, held = await office.to(await office.open(), CaseState.CLOSED), await office.open()
    theirs = await office.to(await office.open(person=BORIS), CaseState.CLOSED)
    on_hold = await office.do(decisions.hold, held, VERA)
    assert await _due(office) == [theirs.id]
    await office.do(expiry.expire, old, now=LATER)
    assert await office.now(old) == old
    await office.do(decisions.release, on_hold, VERA)
    assert await _due(office) == [old.id, theirs.id]


async def test_who_has_asked_for_their_data_keeps_it(office: Office) -> None:
    """Until they say that they have it; what anybody may have asked for in their name keeps nothing."""
    old = await office.to(await office.open(), CaseState.CLOSED)
    await office.open(Kind.ACCESS, trust=Trust.UNSIGNED)
    assert (await _due(office), await office.ask(expiry.must_stay, ANNA)) == ([old.id], False)
    export = await office.open(Kind.EXPORT)
    assert (await _due(office), await office.ask(expiry.must_stay, ANNA)) == ([], True)
    await office.do(expiry.expire, old, now=LATER)
    assert await office.now(old) == old
    delivered = await office.to(export, CaseState.APPROVED, CaseState.WORKING, CaseState.DELIVERED)
    assert await _due(office) == []
    await office.do(service.confirm_received, delivered, ANNA, Trust.SIGNED)
    assert (await _due(office), await office.ask(expiry.must_stay, ANNA)) == ([old.id], False)


async def test_a_case_that_staff_have_verified_keeps_as_much(office: Office) -> None:
    """It is known who asks, on whatever way."""
    old = await office.to(await office.open(), CaseState.CLOSED)
    await office.do(decisions.verify, await office.open(Kind.ACCESS, trust=Trust.UNKNOWN), VERA)
    assert await _due(office) == []
    await office.do(expiry.expire, old, now=LATER)
    assert await office.now(old) == old


async def test_a_receipt_outlives_its_case(office: Office) -> None:
    """It can be fetched until its own time is over; one that nothing will come of goes then, too."""
    signed, promised, open_ = [await office.open() for _ in range(3)]

    async def keep(tx: Tx) -> None:
        for number, case in enumerate((signed, promised, open_)):
            await receipts.promise(tx, str(number) * 64, case.id, NOW)
        await receipts.sign(tx, signed.id, "{}", after(days=3))

    await office.database.write(keep)
    for case in (signed, promised):
        await office.do(expiry.expire, await office.to(case, CaseState.CLOSED), now=LATER)

    async def left(before: datetime) -> list[bool]:
        await office.database.write(lambda tx: expiry.forget_receipts(tx, before))
        codes = [str(number) * 64 for number in range(3)]
        return [await office.ask(receipts.by_code, code) is not None for code in codes]

    moments = (NOW, after(days=1), after(days=3), after(days=4))
    expected = [[True] * 3, [True, False, True], [True, False, True], [False, False, True]]
    assert [await left(moment) for moment in moments] == expected


async def test_the_devices_of_who_is_forgotten_are_forgotten(office: Office) -> None:
    """Those of others stay; a new identity makes them new as well."""

    async def fill(tx: Tx) -> None:
        for person in (ANNA, BORIS):
            await people.ensure(tx, person, NOW)
            await people.pin_master_key(tx, person, "key")
            await known_devices.seen(tx, person, "device", NOW)

    async def known() -> list[bool]:
        found = [await office.ask(known_devices.since, person, "device") for person in (ANNA, BORIS)]
        return [each is not None for each in found]

    await office.database.write(fill)
    await office.database.write(lambda tx: expiring.forget_people(tx, LATER, ANNA))
    first = await known()
    await office.do(identity.accept_new, BORIS, "admin")
    assert (first, await known()) == ([False, True], [False, False])


async def test_an_open_case_does_not_expire(office: Office) -> None:
    """Whoever asks for it."""
    case = await office.open()
    await office.do(expiry.expire, case, now=LATER)
    assert await office.now(case) == case


async def test_a_case_that_changed_meanwhile_is_read_again(office: Office) -> None:
    """A hold may have been put on it and taken off: whoever reduces it must have seen that."""
    case = await office.to(await office.open(), CaseState.CLOSED)
    await office.do(decisions.release, await office.do(decisions.hold, case, VERA), VERA)
    with pytest.raises(Conflict):
        await office.do(expiry.expire, case, now=LATER)


async def _known(office: Office, *who: Any) -> list[bool]:
    return [await office.ask(people.get, each) is not None for each in who]


async def test_who_has_no_case_is_forgotten(office: Office) -> None:
    """With the last case; not while there is another one, an event of theirs, or something to be said to them."""
    first = await office.to(await office.open(), CaseState.CLOSED)
    second = await office.to(await office.open(), CaseState.CLOSED)
    await office.do(expiry.expire, first, now=LATER)
    kept = await _known(office, ANNA)
    await office.do(expiry.expire, second, now=LATER)
    assert (kept, await _known(office, ANNA)) == ([True], [False])


async def test_who_has_just_written_is_not_forgotten(office: Office) -> None:
    """Their event is deleted after its own time, and then they are."""
    event = NewEvent(EventId("$new"), ROOM, ANNA, IncomingKind.TEXT, True, NOW, NOW, {})
    await office.database.write(lambda tx: people.ensure(tx, ANNA, NOW))
    await office.database.write(lambda tx: people.ensure(tx, BORIS, NOW))
    await office.database.write(lambda tx: outbox.put(tx, OutboxItem("hello", BORIS, {}, NOW)))
    await office.database.write(lambda tx: inbox.take_in(tx, [event], "s1"))
    assert await office.database.write(lambda tx: expiring.forget_people(tx, LATER)) == 0
    await office.database.write(lambda tx: inbox.done(tx, 1, NOW))
    await office.database.write(lambda tx: inbox.forget(tx, LATER))
    await office.database.write(lambda tx: outbox.failed(tx, 1, NOW))
    early = await office.database.write(lambda tx: expiring.forget_people(tx, NOW))
    assert (early, await office.database.write(lambda tx: expiring.forget_people(tx, LATER))) == (0, 2)
    assert await _known(office, ANNA, BORIS) == [False, False]
