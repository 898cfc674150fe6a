"""An erasure is carried out: in which order, what is left, what stops it before the point of no return."""

from datetime import timedelta

import pytest

from dpobot.cases import erasure
from dpobot.errors import Rejected, Unavailable
from dpobot.model.erasure import Copy, ErasureOptions
from dpobot.model.ids import RoomId
from dpobot.model.words import CaseState, Channel, Kind
from dpobot.receipt import check, codes
from dpobot.store import alerts, cases, erasures, jobs, receipts
from dpobot.store.database import Tx
from tests.unit.jobs.conftest import ANNA, STAFF, World
from tests.unit.jobs.erasures import (
    ALL,
    BERT,
    GROUP,
    LEFT,
    LONELY,
    SOLE,
    WAIVED,
    approve,
    ask,
    at_work,
    confirm,
    granted,
    job_row,
    live,
    read,
    rooms,
    safeguards,
    states,
    words_left,
)

_IRREVERSIBLE = {
    "redact", "redact_left", "delete_all_media", "delete_media", "delete_links", "clear_profile", "delete_room",
    "deactivate",
}  # fmt: skip
_REDACT = ErasureOptions(redact=True, copy=Copy.WAIVED)


def _done(world: World) -> list[str]:
    """Return what was asked of the homeserver to change, in order, each run of the same once."""
    changing = [
        call for call in world.homeserver.calls if call in _IRREVERSIBLE | {"prepare_erasure", "finish_erasure"}
    ]
    return [call for before, call in zip([None, *changing], changing, strict=False) if call != before]


async def _begin(world: World) -> None:
    """Let the last words be sent, and the job go on after them."""
    await world.work()
    await world.work(seconds=2)


async def _finish(world: World) -> None:
    """Let everything happen that is still to come."""
    for _ in range(10):
        await world.work(seconds=5)
        if not await at_work(world):
            return


async def test_it_goes_in_the_order_that_works(world: World) -> None:
    """Redaction while the account lives, rooms, files, links, profile; a round that finds nothing; then the end."""
    live(world)
    case = await granted(world, ALL)
    await _finish(world)
    assert _done(world) == [
        "prepare_erasure",
        "redact",
        "redact_left",
        "delete_room",
        "delete_all_media",
        "delete_links",
        "clear_profile",
        "redact",
        "deactivate",
        "finish_erasure",
        "delete_room",
    ]
    assert (await world.read(case)).state is CaseState.CLOSED


async def test_with_every_option_nothing_is_left(world: World) -> None:
    """What was said in every room, also in one that was left; rooms, files, the room with the bot, the account."""
    life = live(world)
    await granted(world, ALL)
    await _finish(world)
    home = world.homeserver
    assert [words_left(world, room_id) for room_id in (GROUP, LEFT)] == [[], []]
    assert home.rooms_held.keys() == {GROUP, LEFT}
    assert not {life.shown, life.own} & home._media.keys()
    assert home.accounts[ANNA].erased
    assert [event["content"].get("body") for event in home.rooms_held[GROUP].events if event["sender"] == BERT] == [
        "words of Bert"
    ]


async def test_without_options_others_keep_what_was_said_to_them(world: World) -> None:
    """Only what nobody else could see goes, and state that no room needs."""
    life = live(world)
    await granted(world)
    await _finish(world)
    home = world.homeserver
    assert words_left(world, GROUP) == ["words 0", "words 1", "words 2", "x"]
    assert words_left(world, LONELY) == ["words in a direct message"]
    assert home.rooms_held.keys() == {GROUP, LEFT, LONELY}
    assert life.shown in home._media
    assert life.own not in home._media
    topics = [event["content"] for event in home.rooms_held[GROUP].events if event["type"] == "m.room.topic"]
    assert topics == [{}, {"topic": ""}]


async def test_the_receipt_counts_what_was_there_less_what_is_left(world: World) -> None:
    """Signed, found by the code that the person was told, and bound to them."""
    live(world)
    case = await granted(world, ALL)
    await world.work()
    code = next(word for word in world.said()[-1].replace("`", " ").split() if codes.normalised(word))
    await _finish(world)
    known = await world.database.read(lambda tx: receipts.by_code(tx, codes.code_hash(code)))
    assert known is not None
    assert known.document is not None
    checked = check.verify(known.document, world.parts.receipt_key.public)
    assert checked.case == case.reference
    assert checked.subject == codes.subject_of(code, ANNA)
    counts = {name: count for name, count in checked.counts.items() if count}
    assert counts == {"messages": 6, "state": 3, "rooms": 3, "media": 2, "devices": 2}


async def test_nothing_irreversible_is_done_before_the_last_words_are_sent(world: World) -> None:
    """They wait as long as the homeserver takes none; what is sent holds the code of the receipt."""
    live(world)
    case = await granted(world, ALL)
    world.server.faults["send"] = [Unavailable("connection") for _ in range(3)]
    await world.work()
    assert _IRREVERSIBLE.isdisjoint(world.homeserver.calls)
    assert (await read(world, case)).begun_at is None
    await world.work(minutes=5)
    await _finish(world)
    assert "begins now" in world.said()[-1]
    assert (await world.read(case)).state is CaseState.CLOSED


async def test_who_cant_be_reached_for_a_day_is_not_erased(world: World) -> None:
    """Staff look; nothing has happened."""
    live(world)
    case = await granted(world, ALL)
    world.server.faults["send"] = [Unavailable("connection") for _ in range(1000)]
    await world.work()
    await world.work(hours=25)
    assert (await world.read(case)).state is CaseState.HELD
    assert (await job_row(world, case, "erase"))["error"] == "last_words_unsent"
    assert _IRREVERSIBLE.isdisjoint(world.homeserver.calls)


async def test_after_staff_have_looked_it_goes_on_with_the_same_code(world: World) -> None:
    """The receipt's code is made once."""
    live(world)
    case = await granted(world, ALL)
    world.server.faults["send"] = [Unavailable("connection") for _ in range(1000)]
    await world.work()
    code = await world.database.read(lambda tx: erasures.code_of(tx, case.id))
    await world.work(hours=25)
    world.server.faults.clear()
    await approve(world, case)
    await world.work(minutes=10)
    await _finish(world)
    assert any(str(code) in text for text in world.said())
    assert (await world.read(case)).state is CaseState.CLOSED


async def test_a_legal_hold_during_the_cooling_off_stops_it(world: World) -> None:
    """The case is held, the person hears that something stands against it."""
    live(world)
    case = await granted(world, ALL)
    other = await world.case(kind=Kind.COMPLAINT)
    await world.database.write(lambda tx: cases.update(tx, other, {"legal_hold": True}))
    await world.work()
    assert (await world.read(case)).state is CaseState.HELD
    assert "something stands against it" in world.said()[-1]
    assert _IRREVERSIBLE.isdisjoint(world.homeserver.calls)


async def test_a_legal_hold_in_the_middle_stops_what_is_left(world: World) -> None:
    """And when it is released staff let it go on."""
    live(world)
    case = await granted(world, ALL)
    world.homeserver.fault("delete_all_media", Unavailable("connection"))
    await _begin(world)
    other = await world.case(kind=Kind.COMPLAINT)
    await world.database.write(lambda tx: cases.update(tx, other, {"legal_hold": True}))
    await world.work(minutes=1)
    assert (await world.read(case)).state is CaseState.HELD
    assert "delete_all_media" in world.homeserver.calls
    assert not world.homeserver.accounts[ANNA].deactivated
    held = await world.read(other)
    await world.database.write(lambda tx: cases.update(tx, held, {"legal_hold": False}))
    await approve(world, case)
    await _finish(world)
    assert (await world.read(case)).state is CaseState.CLOSED


async def test_a_copy_that_is_asked_for_during_the_cooling_off_comes_first(world: World) -> None:
    """The erasure waits, and says so once; it goes on when they have their data."""
    live(world)
    case = await granted(world, ALL)
    access = await world.case(kind=Kind.ACCESS)
    await world.work()
    await world.work(minutes=10)
    assert [text for text in world.said() if "waits, and nothing" in text] == [world.said()[-1]]
    assert _IRREVERSIBLE.isdisjoint(world.homeserver.calls)
    await world.database.write(lambda tx: cases.update(tx, access, {"state": CaseState.CLOSED}))
    await world.work(minutes=10)
    await _finish(world)
    assert (await world.read(case)).state is CaseState.CLOSED


async def test_no_more_begin_in_a_day_than_the_cap_allows(world: World) -> None:
    """The next one waits until the first of them was a day ago."""
    live(world)
    await safeguards(world, daily_cap=1)
    earlier = await world.case(CaseState.CLOSED, kind=Kind.ERASURE, person=BERT)
    case = await granted(world, ALL)
    now = world.server.now
    await world.database.write(lambda tx: erasures.put(tx, earlier.id, WAIVED))
    await world.database.write(lambda tx: erasures.change(tx, earlier.id, begun_at=now - timedelta(hours=1)))
    await world.work()
    row = await job_row(world, case, "erase")
    assert (row["error"], row["wake_at"]) == ("daily_cap", now + timedelta(hours=23))
    told = await world.database.read(alerts.list_open)
    assert [(alert.code, alert.case_id) for alert in told] == [("daily_cap", case.id)]
    await world.work(hours=23)
    await _finish(world)
    assert (await world.read(case)).state is CaseState.CLOSED
    await world.database.write(lambda tx: alerts.settle(tx, world.server.now))
    assert await world.database.read(alerts.list_open) == []


async def test_before_the_cooling_off_is_over_nothing_begins(world: World) -> None:
    """Nor is the person told that it does."""
    live(world)
    case = await ask(world, ALL)
    await world.work()
    await confirm(world, case)
    await world.work()
    await approve(world, case)
    said = world.said()
    await world.work(hours=23)
    assert world.said() == said
    assert (await world.read(case)).state is CaseState.APPROVED


async def test_what_was_taken_back_is_not_begun(world: World) -> None:
    """The person said `cancel` between the last words and the first step: the case is over."""
    live(world)
    case = await granted(world, ALL)
    world.server.faults["send"] = [Unavailable("connection")]
    await world.work()
    newest = await world.read(case)
    await world.database.write(lambda tx: cases.update(tx, newest, {"state": CaseState.WITHDRAWN}))
    await _finish(world)
    assert _IRREVERSIBLE.isdisjoint(world.homeserver.calls)


async def test_what_they_write_while_it_runs_goes_too(world: World) -> None:
    """And a room that they open meanwhile."""
    live(world)
    await granted(world, ALL)
    late = RoomId("!late:dpobot.test")
    world.homeserver.fault("delete_links", Unavailable("connection"))
    await _begin(world)
    world.homeserver.say(GROUP, ANNA, "written meanwhile")
    world.homeserver.add_room(late)
    world.homeserver.set_membership(late, ANNA, "join")
    world.homeserver.say(late, ANNA, "said to oneself")
    await _finish(world)
    assert words_left(world, GROUP) == []
    assert late not in world.homeserver.rooms_held


async def test_somebody_who_comes_into_a_sole_room_keeps_it(world: World) -> None:
    """What is Anna's in it is redacted instead."""
    live(world)
    await granted(world, ALL)
    world.homeserver.fault("redact", Unavailable("connection"))
    await _begin(world)
    world.homeserver.set_membership(SOLE, BERT, "join")
    await _finish(world)
    assert words_left(world, SOLE) == []
    assert SOLE in world.homeserver.rooms_held


async def test_a_room_that_fails_keeps_the_others_from_nothing_but_the_account_alive(world: World) -> None:
    """The case is partial, with what failed and an alert for staff; nothing is deactivated."""
    live(world)
    case = await granted(world, ALL)
    world.homeserver.fault("redact", Rejected("M_UNKNOWN", 400))
    await _finish(world)
    assert (await world.read(case)).state is CaseState.PARTIAL
    assert (await rooms(world, case))[GROUP] == ("redact", "failed")
    assert words_left(world, LEFT) == []
    assert not world.homeserver.accounts[ANNA].deactivated
    assert await states(world, case) == [("survey", "done"), ("survey", "done"), ("erase", "done")]


@pytest.mark.parametrize("method", ["delete_all_media", "delete_links", "clear_profile", "deactivate"])
async def test_a_step_that_is_refused_for_good_is_noted_by_its_name(world: World, method: str) -> None:
    """So that staff know what to mend before they retry."""
    names = {"delete_all_media": "media", "delete_links": "links", "clear_profile": "profile"}
    live(world)
    case = await granted(world, ALL)
    world.homeserver.fault(method, Rejected("M_UNKNOWN", 400))
    await _finish(world)
    assert (await world.read(case)).state is CaseState.PARTIAL
    assert (await read(world, case)).failures == {names.get(method, method): "M_UNKNOWN"}
    await _retry(world, case.id, skip=False)
    await _finish(world)
    assert (await world.read(case)).state is CaseState.CLOSED


async def _retry(world: World, case_id: int, *, skip: bool) -> None:
    now = world.server.now

    async def write(tx: Tx) -> None:
        await erasure.retry(tx, now, await cases.get(tx, case_id), STAFF, skip=skip)

    await world.database.write(write)


async def test_who_never_stops_writing_does_not_keep_it_going_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some rounds it stops short, and staff decide."""
    live(world)
    case = await granted(world, ALL)
    called = world.homeserver.called

    def heard(method: str) -> None:
        called(method)
        if method == "redact":
            world.homeserver.say(GROUP, ANNA, "and one more")

    monkeypatch.setattr(world.homeserver, "called", heard)
    await _finish(world)
    assert (await world.read(case)).state is CaseState.PARTIAL
    assert (await read(world, case)).failures == {"rooms": "not_exhausted"}
    assert not world.homeserver.accounts[ANNA].deactivated


async def test_a_server_that_goes_away_at_every_request_is_waited_for(world: World) -> None:
    """Each is asked again, and it ends as if nothing had been."""
    live(world)
    case = await granted(world, ALL)
    for method in (*_IRREVERSIBLE, "prepare_erasure", "finish_erasure", "rooms", "own_counts", "people", "media"):
        world.homeserver.fault(method, Unavailable("connection"))
    for _ in range(30):
        await world.work(minutes=15)
        if not await at_work(world):
            break
    assert (await world.read(case)).state is CaseState.CLOSED
    assert (await read(world, case)).counts["messages"] == 6
    assert words_left(world, GROUP) == []


async def test_nothing_is_said_unasked_to_who_is_gone(world: World) -> None:
    """Another case of theirs may still be open."""
    live(world)
    await granted(world, ALL)
    await world.case(kind=Kind.COMPLAINT)
    await _finish(world)
    before = len(world.server.timeline)
    await world.remind(days=7)
    rooms_since = {event.room_id for event in world.server.timeline[before:]}
    assert rooms_since <= {world.staff}


async def test_retry_does_what_failed_and_ends_as_if_it_had_not(world: World) -> None:
    """The receipt's counts are those of the whole, the last words are not said again."""
    live(world)
    case = await granted(world, ALL)
    world.homeserver.fault("redact", Rejected("M_UNKNOWN", 400))
    await _finish(world)
    said = world.said()
    await _retry(world, case.id, skip=False)
    await _finish(world)
    assert (await world.read(case)).state is CaseState.CLOSED
    assert words_left(world, GROUP) == []
    assert world.said() == said
    known = await world.database.read(lambda tx: receipts.of_case(tx, case.id))
    assert known is not None
    assert '"messages":6' in str(known.document)


async def test_skip_goes_on_without_what_failed(world: World) -> None:
    """It becomes a residual of the receipt."""
    live(world)
    case = await granted(world, ALL)
    world.homeserver.fault("redact", Rejected("M_UNKNOWN", 400))
    await _finish(world)
    await _retry(world, case.id, skip=True)
    await _finish(world)
    assert (await world.read(case)).state is CaseState.CLOSED
    assert ("messages", 4, "refused_by_server") in [
        (each.category, each.count, each.reason) for each in (await read(world, case)).residuals
    ]


async def test_private_files_go_also_after_a_retry_and_shared_ones_stay(world: World) -> None:
    """Which files nobody else could see is decided before anything is redacted: afterwards no event names them."""
    life = live(world)
    case = await granted(world, _REDACT)
    world.homeserver.fault("delete_media", Rejected("M_UNKNOWN", 400))
    await _finish(world)
    assert (await world.read(case)).state is CaseState.PARTIAL
    await _retry(world, case.id, skip=False)
    await _finish(world)
    assert life.shown in world.homeserver._media
    assert life.own not in world.homeserver._media


async def test_who_asked_from_outside_gets_the_code_through_staff(world: World) -> None:
    """It stands in the case's thread; nothing is said to the account."""
    live(world)
    case = await world.case(CaseState.APPROVED, kind=Kind.ERASURE, channel=Channel.POST, verified_at=world.server.now)
    now = world.server.now
    await world.database.write(lambda tx: erasures.put(tx, case.id, ALL))
    await world.database.write(lambda tx: erasures.change(tx, case.id, cooled_off_at=now, plan={}, plan_hash="0" * 64))
    await world.database.write(
        lambda tx: jobs.want(tx, case_id=case.id, name="erase", person=ANNA, wake_at=now, now=now)
    )
    await world.work()
    code = await world.database.read(lambda tx: erasures.code_of(tx, case.id))
    assert world.said() == []
    assert any(codes.normalised(word) for text in world.said(world.staff) for word in text.replace("`", " ").split())
    await _finish(world)
    assert (await world.read(case)).state is CaseState.CLOSED
    assert code is None or code in "".join(world.said(world.staff))


async def test_an_account_that_was_deactivated_before_is_erased_all_the_same(world: World) -> None:
    """It is in no room any more: what can be taken back in rooms that were left is, and what can't stops nothing."""
    live(world)
    case = await granted(world, ALL)
    world.homeserver.add_account(ANNA, deactivated=True)
    for room_id in (GROUP, SOLE, LONELY):
        world.homeserver.rooms_held[room_id].members[ANNA] = "leave"
    await _finish(world)
    assert world.homeserver.accounts[ANNA].erased
    assert (await world.read(case)).state is CaseState.CLOSED
