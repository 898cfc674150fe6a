"""The job `verify_erasure`: what is found decides, and is signed."""

from dataclasses import replace
from typing import Any

import pytest

from dpobot.cases import erasure
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs.erasing import SAMPLE
from dpobot.jobs.parts import Parts
from dpobot.jobs.verify_erasure import ALERT
from dpobot.model.erasure import Copy, ErasureOptions, ErasureRoom, Fate
from dpobot.model.ids import Mxc, RoomId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, JobState, Kind
from dpobot.receipt import check, codes
from dpobot.store import alerts, erasure_rooms, erasures, jobs, receipts
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure
from tests.fakes.leftovers import FakeLeftovers
from tests.unit.jobs.conftest import ANNA, NOW, STAFF, World

CODE = "ABCD-EFGH-JKLM-NPQR-STUV"
SHARED, LEFT, SOLE = RoomId("!a-shared:dpobot.test"), RoomId("!b-left:dpobot.test"), RoomId("!c-sole:dpobot.test")
COUNTS = {"messages": 3, "state": 1, "media": 2, "media_private": 1, "rooms": 1, "devices": 1}
ALL = ErasureOptions(redact=True, media=True, copy=Copy.WAIVED)


def rooms_of(parts: Parts) -> FakeLeftovers:
    """Return what looks afterwards in memory."""
    assert isinstance(parts.leftovers, FakeLeftovers)
    return parts.leftovers


async def erased(world: World, chosen: ErasureOptions = ALL, **more: Any) -> Case:
    """Insert a case of Anna's whose erasure has just come to its end, with nothing left behind."""
    case = await world.case(CaseState.WORKING, kind=Kind.ERASURE, **more)
    world.homeserver.add_account(ANNA, deactivated=True, erased=True)
    for room in (SHARED, LEFT):
        world.homeserver.add_room(room)
        world.homeserver.send(room, ANNA, {}, "m.room.message")
    plan = {"survey": {"servers": ["elsewhere.test"]}}
    rooms = [
        ErasureRoom(SHARED, "join", Fate.REDACT, 2, "done"),
        ErasureRoom(LEFT, "leave", Fate.REDACT, 1, "done"),
        ErasureRoom(SOLE, "join", Fate.PURGE, 1, "done"),
    ]

    async def insert(tx: Tx) -> None:
        await erasures.put(tx, case.id, chosen)
        times = {"confirmed_at": NOW, "begun_at": NOW, "erased_at": NOW}
        await erasures.change(tx, case.id, plan=plan, plan_hash="ab" * 32, counts=COUNTS, **times)
        await erasures.keep_code(tx, case.id, CODE)
        await receipts.promise(tx, codes.code_hash(CODE), case.id, NOW)
        await erasure_rooms.add_all(tx, case.id, rooms)

    await world.database.write(insert)
    return case


async def verify(world: World, case: Case) -> None:
    """Let the job do its work."""
    now = world.server.now
    await world.database.write(
        lambda tx: jobs.want(tx, case_id=case.id, name="verify_erasure", person=case.person, wake_at=now, now=now)
    )
    await world.work()


async def known(world: World, case: Case) -> Erasure:
    """Return what is known of the erasure."""
    found = await world.database.read(lambda tx: erasures.get(tx, case.id))
    assert found is not None
    return found


async def document(world: World) -> str | None:
    """Return the receipt that the code leads to."""
    found = await world.database.read(lambda tx: receipts.by_code(tx, codes.code_hash(CODE)))
    assert found is not None
    return found.document


async def open_alerts(world: World) -> list[str]:
    """Return the codes of what staff must look at."""
    return [each.code for each in await world.database.read(alerts.list_open)]


async def test_what_is_gone_is_signed_and_the_case_is_closed(world: World) -> None:
    """Counts are what was there; what stays is told with why; whose it is can be shown with the code alone."""
    case = await erased(world)
    await verify(world, case)
    assert (await world.read(case)).state is CaseState.CLOSED
    signed = await document(world)
    assert signed is not None
    checked = check.verify(signed, world.parts.receipt_key.public)
    assert checked.case == case.reference
    assert checked.plan == "ab" * 32
    assert checked.counts == {name: count for name, count in COUNTS.items() if name != "media_private"}
    assert {(each.category, each.count, each.reason) for each in checked.residuals} == {
        ("account", 1, "name_reserved"),
        ("other_servers", 1, "other_servers"),
        ("search_index", 0, "search_index"),
        ("server_logs", 0, "log_files"),
    }
    assert set(checked.times) == {"requested", "confirmed", "begun", "erased", "checked"}
    assert checked.notice == world.parts.notice_version
    assert checked.subject == codes.subject_of(CODE, ANNA)
    for secret in (ANNA, "anna", CODE, SHARED, "elsewhere.test"):
        assert secret not in signed


async def test_afterwards_neither_rooms_nor_code_are_kept(world: World) -> None:
    """What is left and when it was checked stays with the case; staff are told once."""
    case = await erased(world)
    await verify(world, case)
    assert await world.database.read(lambda tx: erasure_rooms.of_case(tx, case.id)) == []
    assert await world.database.read(lambda tx: erasures.code_of(tx, case.id)) is None
    after = await known(world, case)
    assert after.checked_at == NOW
    assert "search_index" in {each.category for each in after.residuals}
    told = [body for body in world.said(world.staff) if "was checked" in body]
    assert len(told) == 1
    assert case.reference in told[0]
    assert "What was to go is gone" in told[0]
    assert await open_alerts(world) == []


@pytest.mark.parametrize("planted", ["message", "reaction", "state", "room", "media", "account", "device"])
async def test_one_thing_that_was_forgotten_stops_it(world: World, planted: str) -> None:
    """Not closed in silence: nothing is signed, staff are told, and the room in question is to be done again."""
    case = await erased(world)
    homeserver = world.homeserver
    if planted == "message":
        homeserver.say(SHARED, ANNA, "forgotten")
    elif planted == "reaction":
        homeserver.send(SHARED, ANNA, {"m.relates_to": {"key": "x"}}, "m.reaction")
    elif planted == "state":
        homeserver.send(SHARED, ANNA, {"topic": "Anna's"}, "m.room.topic", state_key="")
    elif planted == "room":
        homeserver.add_room(SOLE)
    elif planted == "media":
        homeserver.upload(ANNA, b"forgotten")
    elif planted == "account":
        homeserver.add_account(ANNA, deactivated=True, erased=False)
    else:
        homeserver.hold("devices", ANNA, {"device_id": "A"})
    await verify(world, case)
    assert (await world.read(case)).state is CaseState.PARTIAL
    assert await document(world) is None
    assert await world.database.read(lambda tx: erasures.code_of(tx, case.id)) == CODE
    failed = await world.database.read(lambda tx: erasure_rooms.of_case(tx, case.id, state="failed"))
    expected = {"message": [SHARED], "reaction": [SHARED], "state": [SHARED], "room": [SOLE]}.get(planted, [])
    assert [(room.room_id, room.error) for room in failed] == [(room, "still_there") for room in expected]
    category = {"message": "messages", "reaction": "other_events", "room": "rooms", "device": "devices"}
    reason = {"account": "not_erased"}.get(planted, "still_there")
    shown = {"verify.state_in_directory": reason} if planted == "state" else {}
    assert (await known(world, case)).failures == {f"verify.{category.get(planted, planted)}": reason} | shown
    assert ALERT in await open_alerts(world)
    told = [body for body in world.said(world.staff) if "not all is gone" in body]
    assert len(told) == 1
    assert "forgotten" not in told[0]


async def test_after_a_retry_the_same_receipt_is_signed(world: World) -> None:
    """The code that the person has leads to it, and what staff had to look at is settled."""
    case = await erased(world)
    world.homeserver.say(SHARED, ANNA, "forgotten")
    await verify(world, case)
    stopped = await world.read(case)
    await world.database.write(lambda tx: erasure.retry(tx, world.server.now, stopped, STAFF, skip=False))
    await world.work(minutes=1)
    assert (await world.read(case)).state is CaseState.CLOSED
    signed = await document(world)
    assert signed is not None
    assert check.verify(signed, world.parts.receipt_key.public).counts["messages"] == 3
    assert ALERT not in await open_alerts(world)


async def test_what_staff_let_be_is_in_the_receipt(world: World) -> None:
    """Going on without is not hiding it: the count is less, and the reason is told."""
    case = await erased(world)
    world.homeserver.say(SHARED, ANNA, "forgotten")
    world.homeserver.hold("devices", ANNA, {"device_id": "A"})

    async def skip(tx: Tx) -> None:
        await erasures.change(tx, case.id, skip=True)
        await erasure_rooms.failed(tx, case.id, SHARED, "M_FORBIDDEN")

    await world.database.write(skip)
    await verify(world, case)
    assert (await world.read(case)).state is CaseState.CLOSED
    signed = await document(world)
    assert signed is not None
    checked = check.verify(signed, world.parts.receipt_key.public)
    assert (checked.counts["messages"], checked.counts["devices"]) == (2, 0)
    left = {(each.category, each.reason) for each in checked.residuals}
    assert {("messages", "refused_by_server"), ("devices", "still_there")} <= left
    assert any("Not all is gone" in body for body in world.said(world.staff))


async def test_what_was_to_stay_is_no_fault(world: World) -> None:
    """Messages without `redact`, files that others see, rules of rooms, what nobody can reach any more."""
    case = await erased(world, replace(ALL, redact=False, media=False))
    homeserver = world.homeserver
    homeserver.say(SHARED, ANNA, "others have a copy")
    homeserver.send(SHARED, ANNA, {"users": {}}, "m.room.power_levels", state_key="")
    homeserver.send(LEFT, ANNA, {"topic": "Anna's"}, "m.room.topic", state_key="")
    homeserver.upload(ANNA, b"others see it")
    await verify(world, case)
    assert (await world.read(case)).state is CaseState.CLOSED
    left = {(each.category, each.count, each.reason) for each in (await known(world, case)).residuals}
    assert {
        ("messages", 1, "others_have_copy"),
        ("state_kept", 1, "keeps_room_working"),
        ("state", 1, "no_longer_in_room"),
        ("media", 1, "others_can_see"),
    } <= left


async def test_a_private_file_that_stayed_is_a_fault(world: World) -> None:
    """Two are left, but others could only see one of them."""
    case = await erased(world, replace(ALL, media=False))
    world.homeserver.upload(ANNA, b"others see it")
    world.homeserver.upload(ANNA, b"private")
    await verify(world, case)
    assert (await known(world, case)).failures == {"verify.media": "still_there"}


async def test_a_file_of_the_sample_whose_bytes_are_there_is_a_fault(world: World) -> None:
    """Whatever the list of the server says."""
    case = await erased(world)
    url = Mxc(world.homeserver.upload(STAFF, b"not listed as Anna's"))

    async def noted(tx: Tx) -> None:
        job = await jobs.want(tx, case_id=case.id, name="erase", person=ANNA, wake_at=NOW, now=NOW)
        await jobs.admit(tx, job, name="erase", run_token="t", at_once=9, now=NOW)
        await jobs.checkpoint(tx, job, "t", step=SAMPLE, result={"media": [url]}, progress=None, now=NOW)
        await jobs.finish(tx, job, "t", JobState.DONE, None, NOW)

    await world.database.write(noted)
    await verify(world, case)
    assert (await known(world, case)).failures == {"verify.media": "still_there"}


async def test_a_question_that_is_refused_is_not_taken_for_gone(world: World) -> None:
    """It is not known; staff decide."""
    case = await erased(world)
    rooms_of(world.parts).fault("of_account", Rejected("M_FORBIDDEN", 403))
    await verify(world, case)
    assert (await known(world, case)).failures == {"verify.account": "check_failed"}


@pytest.mark.parametrize("trouble", [Unavailable("http_503"), Rejected("M_UNKNOWN_TOKEN", 401)])
@pytest.mark.parametrize("method", ["of_account", "of_media", "of_room", "of_deleted_room"])
async def test_it_goes_on_where_it_was_cut_short(world: World, method: str, trouble: Exception) -> None:
    """Nothing that was asked is asked twice; the end is the same."""
    case = await erased(world)
    assert isinstance(trouble, Unavailable | Rejected)
    rooms_of(world.parts).fault(method, trouble)
    await verify(world, case)
    assert (await world.read(case)).state is CaseState.WORKING
    await world.work(hours=1)
    assert (await world.read(case)).state is CaseState.CLOSED
    asked = rooms_of(world.parts).calls
    assert asked.count("of_account") == (2 if method == "of_account" else 1)


async def test_run_again_it_changes_nothing(world: World) -> None:
    """Neither the receipt nor what staff were told."""
    case = await erased(world)
    await verify(world, case)
    signed, told = await document(world), len(world.said(world.staff))
    await verify(world, case)
    assert (await document(world), len(world.said(world.staff))) == (signed, told)


async def test_an_exceptional_erasure_is_only_of_what_it_names(world: World) -> None:
    """The account lives, and what was said in the room is not what it is about; a topic of theirs is."""
    options = {"exceptional": {"scope": "state", "room_id": SHARED}}
    case = await erased(world, ErasureOptions(), options=options)
    world.homeserver.add_account(ANNA)
    world.homeserver.say(SHARED, ANNA, "stays")

    async def one_room(tx: Tx) -> None:
        await erasure_rooms.forget(tx, case.id)
        await erasure_rooms.add_all(tx, case.id, [ErasureRoom(SHARED, "unknown", Fate.REDACT, 1, "done")])
        await erasures.change(tx, case.id, counts={"state": 1})

    await world.database.write(one_room)
    world.homeserver.send(SHARED, ANNA, {"topic": "Anna's"}, "m.room.topic", state_key="")
    await verify(world, case)
    assert (await known(world, case)).failures == {
        "verify.state": "still_there",
        "verify.state_in_directory": "still_there",
    }
