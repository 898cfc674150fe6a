"""The card of an erasure says how far it is, its thread what has happened, and neither is in anybody's way."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from dpobot.cases import decisions, erasure, exceptional, service
from dpobot.cases.service import Opening
from dpobot.model.erasure import Copy, ErasureOptions, ErasureRoom, Fate, Residual, Survey
from dpobot.model.ids import RoomId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import cases, erasure_rooms, erasures, jobs, staff_threads
from dpobot.store.database import Tx
from tests.unit.staff.office import ADA, RULES, SIRI, Office

OPTIONS = ErasureOptions(redact=True, media=True, copy=Copy.WAIVED)
SURVEY = Survey(
    messages=2_345, state=12, state_kept=7, shared_rooms=8, left_rooms=2, sole_rooms=1, direct_rooms=0, media=9,
    media_bytes=4_200_000, media_private=3, devices=2, addresses=1, account_data=5, sso_links=0,
    servers=("elsewhere.example",),
)  # fmt: skip
ROOMS = [ErasureRoom(RoomId(f"!{n}:x"), "join", Fate.REDACT, 10) for n in range(4)]


async def _asked(office: Office, after: timedelta | None = None) -> Case:
    case = await office.case(Kind.ERASURE)
    until = None if after is None else office.now() + after
    await office.write(lambda tx: erasure.begin(tx, office.now(), case, OPTIONS, survey_after=until))
    return await _newest(office, case)


async def _newest(office: Office, case: Case) -> Case:
    return await office.read(lambda tx: cases.get(tx, case.id))


async def _planned(office: Office, case: Case, survey: Survey = SURVEY) -> Case:
    async def note(tx: Tx) -> None:
        known = await erasures.get(tx, case.id)
        assert known is not None
        newest = await cases.get(tx, case.id)
        await erasure.planned(tx, office.now(), newest, erasure.plan_of(ADA, known.options, survey))

    await office.write(note)
    return await _newest(office, case)


async def _confirmed(office: Office) -> Case:
    case = await _planned(office, await _asked(office))
    known = await office.read(lambda tx: erasures.get(tx, case.id))
    assert known is not None
    await office.write(lambda tx: erasure.confirm(tx, office.now(), case, known.plan_hash or ""))
    return await _newest(office, case)


async def _begun(office: Office) -> Case:
    case = await _planned(office, await _confirmed(office))
    case = await _moved(office, case, CaseState.APPROVED, CaseState.WORKING)
    office.waits(hours=25)
    await office.write(lambda tx: erasure.begun(tx, office.now(), case))
    await office.write(lambda tx: erasure_rooms.add_all(tx, case.id, ROOMS))
    return case


async def _moved(office: Office, case: Case, *states: CaseState) -> Case:
    for state in states:
        newest = await _newest(office, case)
        await office.write(lambda tx, n=newest, s=state: service.move(tx, office.now(), n, s, "bot", "case.moved"))  # type: ignore[misc] # defaults of a lambda
    return await _newest(office, case)


async def _progress(office: Office, case: Case, room: ErasureRoom) -> None:
    async def done(tx: Tx) -> None:
        await erasure_rooms.done(tx, case.id, room.room_id)
        await staff_threads.touch(tx, case.id)

    await office.write(done)


async def _by_post(office: Office) -> Case:
    opening = Opening(
        person=ADA, kind=Kind.ERASURE, channel=Channel.POST, trust=Trust.UNKNOWN, local=True, room_id=None,
        event_id=None, options={}, received_at=office.now(),
    )  # fmt: skip
    return (await office.write(lambda tx: service.open_case(tx, office.now(), opening, RULES))).case


async def _shows(office: Office, case: Case, *parts: str) -> None:
    await office.settle()
    shown = await office.shown(case)
    assert [part for part in parts if part not in shown] == [], shown


async def test_before_the_confirmation_the_card_says_what_is_missing(office: Office) -> None:
    """Counting, then the person's code, then one more count."""
    await office.opens()
    case = await _asked(office)
    await _shows(office, case, "confirmation", "Erasure: I am counting", "`redact`, `media`")
    await _planned(office, case)
    await _shows(office, case, "their typed code is missing", "Next: the person types their code", "wants no copy")
    known = await office.read(lambda tx: erasures.get(tx, case.id))
    assert known is not None
    await office.write(lambda tx: erasure.confirm(tx, office.now(), case, known.plan_hash or ""))
    await _shows(office, case, "I count once more whether the plan still holds")


async def test_a_new_device_is_waited_for(office: Office) -> None:
    """Until when, and what ends it sooner."""
    await office.opens()
    case = await _asked(office, timedelta(hours=24))
    await _shows(
        office, case, "asked from a new device; the plan comes after 23 November 2026, 12:00 UTC", "`verify …`"
    )


async def test_a_confirmed_one_waits_for_staff_and_for_the_time_to_think(office: Office) -> None:
    """With the moment before which nothing begins, then for its job."""
    await office.opens()
    case = await _planned(office, await _confirmed(office))
    until = "nothing begins before 23 November 2026, 12:00 UTC"
    await _shows(office, case, "waits for a decision", f"confirmed by the person; {until}", "`claim`")
    claimed = await office.write(lambda tx: decisions.claim(tx, office.now(), case, SIRI))
    await _shows(office, case, "Next: decide. `approve`")
    case = await _moved(office, claimed, CaseState.APPROVED)
    await _shows(office, case, f"decided; {until}", "`cancel`", "nothing to do; I carry it out")
    await _moved(office, case, CaseState.WORKING)
    await _shows(office, case, "about to begin: the person is told first")


async def test_what_is_not_confirmed_can_not_be_decided(office: Office) -> None:
    """The card names the cure instead of `approve`."""
    await office.opens()
    case = await office.case(Kind.ERASURE, trust=Trust.UNSIGNED)
    claimed = await office.write(lambda tx: decisions.claim(tx, office.now(), case, SIRI))
    await _shows(office, case, "Next: find out who asks.")
    await office.write(lambda tx: decisions.verify(tx, office.now(), claimed, SIRI))
    await _shows(office, case, "not confirmed by the person", "Next: the person says `erase` once more")


async def test_progress_edits_the_card_now_and_then(office: Office) -> None:
    """Four rooms in a moment are one edit, not four; what else happens is shown at once."""
    room_id = await office.opens()
    case = await _begun(office)
    await _shows(office, case, "begun 23 November 2026, 13:00 UTC; there is no way back", "0 of 4 rooms done")
    edits = office.edits(room_id)
    for room in ROOMS[:3]:
        await _progress(office, case, room)
        await office.settle()
    assert office.edits(room_id) == edits
    office.waits(seconds=11)
    await _shows(office, case, "3 of 4 rooms done")
    assert office.edits(room_id) == edits + 1
    await _progress(office, case, ROOMS[3])
    newest = await _newest(office, case)
    await office.write(lambda tx: decisions.claim(tx, office.now(), newest, SIRI))
    await _shows(office, case, "4 of 4 rooms done", f"Assigned to: `{SIRI}`")


async def test_what_has_failed_stands_on_the_card(office: Office) -> None:
    """By code and number, with the two ways on."""
    await office.opens()
    case = await _begun(office)
    for room in ROOMS[:2]:
        await office.write(lambda tx, room=room: erasure_rooms.failed(tx, case.id, room.room_id, "forbidden"))  # type: ignore[misc] # defaults of a lambda
    await office.write(lambda tx: erasure.stopped_short(tx, office.now(), case, {"media": "timeout"}))
    await _shows(office, case, "State: carried out in part", "`forbidden` \u00d7 2, `timeout` \u00d7 1", "`retry skip`")
    assert "part of the erasure has failed" in (await office.thread(case))[-1]
    await office.write(lambda tx: jobs.supersede(tx, case.id, "erase", office.now()))
    await office.write(lambda tx: erasure.retry(tx, office.now(), case, SIRI, skip=False))
    await _shows(office, case, "begun 23 November 2026, 13:00 UTC", "0 of 4 rooms done")


@pytest.mark.parametrize(
    ("residuals", "parts"),
    [
        ((), ("Nothing that was to go is left.",)),
        ((Residual("account", 1, "name_reserved"),), ("Nothing that was to go is left.", "1 sort of data stays")),
        ((Residual("messages", 3, "still_there"),), ("Left over: `messages` \u00d7 3 (`still_there`)",)),
    ],
)
async def test_the_end_says_what_is_left(
    office: Office, residuals: tuple[Residual, ...], parts: tuple[str, ...]
) -> None:
    """What was to stay is only counted; what should have gone is named."""
    await office.opens()
    case = await _begun(office)
    await office.write(lambda tx: erasures.change(tx, case.id, erased_at=office.now()))
    await office.write(lambda tx: staff_threads.touch(tx, case.id))
    await _shows(office, case, "everything is done; I am checking what is left")
    await office.write(lambda tx: erasure.finished(tx, office.now(), case, residuals))
    await _shows(office, case, "State: closed", "the receipt is signed", "Nothing is left to do.", *parts)


async def test_the_thread_hears_each_step_once(office: Office) -> None:
    """The plan that the person reads, their code, what came of it, and the beginning."""
    await office.opens()
    case = await _planned(office, await _asked(office))
    await office.settle()
    known = await office.read(lambda tx: erasures.get(tx, case.id))
    assert known is not None
    await office.write(lambda tx: erasure.confirm(tx, office.now(), case, known.plan_hash or ""))
    await office.settle()
    case = await _planned(office, case)
    await office.settle()
    case = await _moved(office, case, CaseState.APPROVED, CaseState.WORKING)
    office.waits(hours=25)
    await office.write(lambda tx: erasure.begun(tx, office.now(), case))
    await office.settle()
    told = await office.thread(case)
    expected = ["has read what would go", "has typed the code", "still holds", "the erasure has begun"]
    assert [part for part, line in zip(expected, told, strict=True) if part not in line] == []


async def test_a_plan_that_no_longer_holds_is_one_line(office: Office) -> None:
    """That the case goes back with it needs no second one."""
    await office.opens()
    case = await _confirmed(office)
    await office.settle()
    before = len(await office.thread(case))
    await _planned(office, case, SURVEY.__class__(**{**SURVEY.to_json(), "messages": 9_999, "servers": ()}))
    await office.settle()
    told = (await office.thread(case))[before:]
    assert "I have asked them anew" in told[0]
    assert [line for line in told if "the person has asked anew" in line] == []


async def test_the_numbers_of_a_request_from_outside_stand_in_its_thread(office: Office) -> None:
    """Staff decide by them."""
    await office.opens()
    case = await _by_post(office)
    await _shows(office, case, "I am counting what would go", "not verified: came by post")
    await _planned(office, case)
    await _shows(office, case, "counted; the plan waits for you", "has no copy of their data")
    (line,) = await office.thread(case)
    for part in ("I have counted", "2\u202f345 messages", "`elsewhere.example`", "`approve`"):
        assert part in line


async def test_an_exceptional_one_names_its_room(office: Office) -> None:
    """On the card and, when it is counted, in the thread."""
    await office.opens()
    case = await _planned(office, await _confirmed(office))
    what = {"scope": "state", "room_id": "!room:x"}
    options: Mapping[str, Any] = {**case.options, "exceptional": what}
    await office.write(lambda tx: service.change(tx, office.now(), case, {"options": options}))
    await office.write(lambda tx: erasures.put(tx, case.id, ErasureOptions()))
    plan = exceptional.exceptional_plan(
        ADA, "state", RoomId("!room:x"), {"joined": 2, "ever": 3}, {"messages": 1, "state": 4, "kept": 0}
    )
    newest = await _newest(office, case)
    await office.write(lambda tx: erasure.planned(tx, office.now(), newest, plan))
    await _shows(office, case, "state events in `!room:x`", "counted; the plan waits for you")
    assert "4 state events" in (await office.thread(case))[-1]


@pytest.mark.parametrize(
    ("kind", "options", "action", "parts", "line"),
    [
        (Kind.RESTRICTION, {}, "restriction.in_force", ("the account is suspended", "`lift …`"), "is suspended;"),
        (
            Kind.RECTIFICATION,
            {"field": "email"},
            "rectification.done",
            ("the e-mail address",),
            "the correction is made",
        ),
    ],
)
async def test_restrictions_and_corrections(
    office: Office, kind: Kind, options: dict[str, str], action: str, parts: tuple[str, ...], line: str
) -> None:
    """How they stand, and what happened."""
    await office.opens()
    opening = Opening(
        person=ADA, kind=kind, channel=Channel.MATRIX, trust=Trust.SIGNED, local=True, room_id=None, event_id=None,
        options=options, received_at=office.now(),
    )  # fmt: skip
    case = (await office.write(lambda tx: service.open_case(tx, office.now(), opening, RULES))).case
    case = await _moved(office, case, CaseState.APPROVED, CaseState.WORKING)
    await office.write(lambda tx: service.move(tx, office.now(), case, CaseState.DELIVERED, "bot", action))
    await _shows(office, case, *parts)
    assert line in (await office.thread(case))[-1]
