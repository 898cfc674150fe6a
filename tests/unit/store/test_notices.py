"""The ledger and foreign requests on both databases: states, what is due, whom an arrival wakes, what is untold."""

from dataclasses import replace
from datetime import timedelta

from dpobot.model.ids import EventId, Reference, RoomId, UserId
from dpobot.model.notices import TO_BE_TOLD, NoticeState
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import cases, foreign_requests, jobs, notices, people
from dpobot.store.database import Database, Tx
from dpobot.store.foreign_requests import ForeignRequest
from tests.unit.store.moments import ANNA, NOW, ROOM

THERE = UserId("@dpo:other.test")
LATER = NOW + timedelta(hours=1)


async def _case(tx: Tx, number: int = 1, state: CaseState = CaseState.CLOSED) -> int:
    await people.ensure(tx, ANNA, NOW)
    case = await cases.add(
        tx,
        {
            "reference": f"DPO-2026-{number:04d}",
            "person": ANNA,
            "kind": Kind.ERASURE,
            "state": state,
            "channel": Channel.FEDERATION,
            "trust": Trust.SIGNED,
            "options": {},
            "received_at": NOW,
            "due_at": NOW,
            "updated_at": NOW,
            "closed_at": NOW if state is CaseState.CLOSED else None,
        },
    )
    return case.id


async def test_the_way_of_one_server(database: Database) -> None:
    """Found once, approved, told, answered; who was read as something else is left alone."""

    async def play(tx: Tx) -> None:
        case_id = await _case(tx)
        assert await notices.add_all(tx, case_id, ("a.test", "b.test"), NOW) == 2
        assert await notices.add_all(tx, case_id, ("b.test", "c.test"), NOW) == 1
        assert await notices.due(tx, case_id, NOW, 10) == []
        assert await notices.approve(tx, case_id, TO_BE_TOLD, NOW) == 3
        first, *_ = await notices.due(tx, case_id, NOW, 10)
        await notices.change(tx, first.id, contact=THERE, room_id=ROOM, invited_at=NOW)
        first = (await notices.in_room(tx, ROOM, THERE))[0]
        assert await notices.move(tx, first, NoticeState.SENT, sent_at=NOW)
        assert not await notices.move(tx, first, NoticeState.SENT)
        assert await notices.counts(tx, case_id) == {"approved": 2, "sent": 1}
        assert await notices.sent_since(tx, NOW - timedelta(hours=1)) == [NOW]
        asked = await notices.asked(tx, ROOM, THERE, "DPO-2026-0001")
        assert asked is not None
        assert asked.server == first.server
        assert await notices.asked(tx, ROOM, UserId("@x:other.test"), "DPO-2026-0001") is None
        assert not await notices.move(tx, asked, NoticeState.FOUND)
        assert await notices.move(tx, asked, NoticeState.DONE, answered_at=NOW)

    await database.write(play)


async def test_who_comes_into_the_room_wakes_the_job(database: Database) -> None:
    """The contact whom it waits for, and nobody else."""

    async def play(tx: Tx) -> None:
        case_id = await _case(tx)
        await notices.add_all(tx, case_id, ("a.test",), NOW)
        await notices.approve(tx, case_id, TO_BE_TOLD, NOW)
        (row,) = await notices.of_case(tx, case_id)
        await notices.change(tx, row.id, contact=THERE, not_before=LATER)
        job_id = await jobs.want(tx, case_id=case_id, name=notices.JOB, person=ANNA, wake_at=LATER, now=NOW)
        assert await notices.arrived(tx, (ANNA,), NOW) == 0
        assert await notices.next_at(tx, case_id) == LATER
        assert await notices.arrived(tx, (ANNA, THERE), NOW) == 1
        assert await notices.next_at(tx, case_id) == NOW
        job = await jobs.get(tx, job_id)
        assert job is not None
        assert job.wake_at == NOW

    await database.write(play)


async def test_foreign_requests(database: Database) -> None:
    """A server's reference opens one case; those that are over and untold are found, until they are told."""

    async def play(tx: Tx) -> None:
        over, open_ = await _case(tx), await _case(tx, 2, CaseState.REVIEW)
        request = ForeignRequest(
            case_id=over,
            server="other.test",
            sender=THERE,
            reference="OTH-1",
            room_id=RoomId(ROOM),
            event_id=EventId("$notice"),
            verified=True,
            requested=("forget", "media"),
            erased_on="2026-11-20",
            told=NoticeState.ACKNOWLEDGED,
            created_at=NOW,
        )
        assert await foreign_requests.add(tx, request)
        assert not await foreign_requests.add(tx, replace(request, case_id=open_))
        assert await foreign_requests.add(tx, replace(request, case_id=open_, reference="OTH-2"))
        assert await foreign_requests.find(tx, "other.test", "OTH-1") == request
        assert await foreign_requests.find(tx, "else.test", "OTH-1") is None
        assert await foreign_requests.open_of(tx, "other.test") == 1
        assert await foreign_requests.count_since(tx, "other.test", NOW - timedelta(hours=1)) == 2
        newest = await foreign_requests.in_room(tx, RoomId(ROOM), THERE)
        assert newest is not None
        assert newest.reference == "OTH-2"
        (untold,) = await foreign_requests.untold(tx, 10)
        assert (untold.request, untold.reference, untold.person) == (request, Reference("DPO-2026-0001"), ANNA)
        await foreign_requests.tell(tx, over, NoticeState.DONE)
        assert await foreign_requests.untold(tx, 10) == []

    await database.write(play)
