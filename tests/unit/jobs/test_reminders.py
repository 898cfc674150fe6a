"""What is said unasked is said on its day, once, and to the right people."""

from datetime import timedelta

import pytest

from dpobot.cases import safeguards, service
from dpobot.cases.safeguards import Safeguards
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs import announcing
from dpobot.jobs.reminders import Reminders
from dpobot.model.ids import RoomId, UserId
from dpobot.model.words import CaseState, Channel
from dpobot.store import alerts, bot_state, cases, people, reminders
from dpobot.store.database import Tx
from tests.unit.jobs.conftest import ANNA, BOT, NOW, STAFF, World

REMOTE = UserId("@rita:elsewhere.test")


async def _quiet(world: World) -> None:
    """Let today's digest pass, so that a test sees only what it is about."""
    await world.remind()


async def test_a_person_hears_on_day_7_and_21(world: World) -> None:
    """Where it stands, by when we must answer, how to take it back; each once, and nothing in between."""
    case = await world.case()
    steps = {0: 0, 6: 6, 7: 1, 8: 1, 20: 12, 21: 1, 22: 1, 30: 8}
    said = [
        (day, text) for day, days in steps.items() for text in await world.remind(days=days) if "here is where" in text
    ]
    assert [day for day, _ in said] == [7, 21]
    assert "a person of the DPO team is looking at it" in said[0][1]
    assert "10 April 2026" in said[0][1]
    assert f"cancel {case.reference}" in said[0][1]
    assert [event.room_id for event in world.server.timeline if "here is where" in str(event.content)] == [
        world.room
    ] * 2


async def test_once_also_after_a_restart(world: World) -> None:
    """What was said is a row: another process does not say it again."""
    await world.case()
    assert sum("here is where" in text for text in await world.remind(days=7)) == 1
    world.reminders = Reminders(world.parts)
    assert await world.remind() == []


async def test_an_update_that_comes_too_late_is_not_said(world: World) -> None:
    """After two weeks of absence day 7 is over; day 21 is still to come."""
    await world.case()
    assert [text for text in await world.remind(days=15) if "here is where" in text] == []
    assert [text for text in await world.remind(days=7) if "here is where" in text] != []


@pytest.mark.parametrize("state", [CaseState.DELIVERED, CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN])
async def test_who_has_an_answer_is_told_nothing(world: World, state: CaseState) -> None:
    """Neither the person nor staff hear of a case that is over or delivered."""
    await world.case(state)
    said = [text for days in (7, 14, 9, 10) for text in await world.remind(days=days)]
    assert [text for text in said if "DPO-2026" in text] == []


@pytest.mark.parametrize(
    ("person", "channel", "told"),
    [
        (ANNA, Channel.POST, True),
        (REMOTE, Channel.MATRIX, True),
        (REMOTE, Channel.EMAIL, False),
    ],
)
async def test_only_who_can_be_reached_is_told(world: World, person: UserId, channel: Channel, told: bool) -> None:
    """A request by post of somebody with an account here is; one from outside without an account is not."""
    await world.case(person=person, channel=channel)
    assert any("here is where" in text for text in await world.remind(days=7)) == told
    assert await world.remind(days=1, hours=-8) == []


async def test_a_paused_case_says_that_it_waits_for_the_person(world: World) -> None:
    """And staff are not reminded of it: its time stands still."""
    await world.case(CaseState.PAUSED, paused_at=NOW)
    (text,) = [text for text in await world.remind(days=7) if "here is where" in text]
    assert "waiting for an answer from you" in text
    said = [text for days in (17, 6, 1, 5) for text in await world.remind(days=days)]
    assert [text for text in said if " is due" in text or "is 5 days overdue" in text] == []


async def test_staff_are_reminded_before_a_case_is_due(world: World) -> None:
    """In its thread, on the configured days, with the assignee notified."""
    case = await world.case(assignee=STAFF)
    assert [text for text in await world.remind(days=22) if " is due in" in text] == []
    said = {day: [text for text in await world.remind(days=1) if " is due in" in text] for day in range(23, 31)}
    assert {day: len(texts) for day, texts in said.items() if texts} == {24: 1, 28: 1, 30: 1}
    assert f"{case.reference} is due in 7 days, on 10 April 2026. It is {STAFF}" in said[24][0]
    sent = [event for event in world.server.heard(world.staff, BOT) if " is due" in str(event.content.get("body"))]
    assert {tuple(event.content["m.mentions"]["user_ids"]) for event in sent} == {(STAFF,)}
    assert {event.content["m.relates_to"]["rel_type"] for event in sent} == {"m.thread"}
    assert {event.content["m.relates_to"]["event_id"] for event in sent} == {f"$card{case.id}"}
    assert {event.content["msgtype"] for event in sent} == {"m.text"}


async def test_nobodys_case_notifies_nobody_by_name(world: World) -> None:
    """The line is there for everybody."""
    await world.case(due_at=NOW + timedelta(days=3))
    (text,) = [text for text in await world.remind() if " is due" in text]
    assert "Nobody has claimed it yet." in text
    (sent,) = [
        event for event in world.server.heard(world.staff, BOT) if " is due in" in str(event.content.get("body"))
    ]
    assert sent.content["m.mentions"] == {}


async def test_a_due_date_that_moved_is_told_of_anew(world: World) -> None:
    """An extension makes the old reminders count no more."""
    case = await world.case(due_at=NOW + timedelta(days=7))
    assert sum(" is due in 7 days" in text for text in await world.remind()) == 1

    async def extended(tx: Tx) -> None:
        await reminders.due_moved(tx, case.id)
        assert await cases.update(tx, case, {"due_at": NOW + timedelta(days=67)})

    await world.database.write(extended)
    assert [text for text in await world.remind(days=59) if " is due" in text] == []
    assert sum(" is due in 7 days" in text for text in await world.remind(days=1)) == 1


async def test_a_complaint_from_outside_waits_for_its_acknowledgement(world: World) -> None:
    """Staff hear before its time is over, and once after it; what came over Matrix was acknowledged at once."""
    late = NOW + timedelta(days=30)
    case = await world.case(channel=Channel.POST, acknowledge_by=late, person=REMOTE, due_at=NOW + timedelta(days=90))
    await world.case(channel=Channel.MATRIX, acknowledge_by=late, due_at=NOW + timedelta(days=90))
    assert [text for text in await world.remind(days=21) if "acknowledged" in text] == []
    said = {day: [text for text in await world.remind(days=1) if "acknowledged" in text] for day in range(22, 34)}
    assert {day: len(texts) for day, texts in said.items() if texts} == {23: 1, 27: 1, 29: 1, 31: 1}
    assert said[23][0].startswith(f"Nobody has acknowledged the complaint {case.reference} yet.")
    assert "should have been acknowledged by 9 April 2026" in said[31][0]


async def test_an_answered_complaint_needs_no_acknowledgement(world: World) -> None:
    """The first word of staff was it."""
    late = NOW + timedelta(days=3)
    await world.case(channel=Channel.POST, acknowledge_by=late, answered_at=NOW, due_at=NOW + timedelta(days=90))
    assert [text for text in await world.remind() if "acknowledged" in text] == []


async def test_an_overdue_case_is_escalated_daily(world: World) -> None:
    """In the main time line, with all staff notified, from the hour of the digest on, until it is answered."""
    case = await world.case(due_at=NOW - timedelta(days=1))
    assert sum("is 1 day overdue" in text for text in await world.remind(hours=1)) == 1
    assert [text for text in await world.remind(hours=8) if "overdue" in text] == []
    assert [text for text in await world.remind(hours=10) if "overdue;" in text] == []  # seven in the morning
    assert sum("is 2 days overdue" in text for text in await world.remind(hours=1)) == 1
    sent = [event for event in world.server.heard(world.staff, BOT) if "overdue; it" in str(event.content.get("body"))]
    assert [event.content["m.mentions"] for event in sent] == [{"user_ids": [STAFF]}] * 2
    assert [event.content.get("m.relates_to") for event in sent] == [None, None]
    await world.database.write(
        lambda tx: service.move(tx, world.server.now, case, CaseState.REFUSED, STAFF, "case.refused")
    )
    assert [text for text in await world.remind(days=1) if "overdue;" in text] == []


async def test_many_overdue_cases_are_told_together(world: World) -> None:
    """More than ten have one message a day with the oldest of them."""
    for days in range(1, 13):
        await world.case(due_at=NOW - timedelta(days=days))
    said = [text for text in await world.remind() if "overdue" in text and "Today" not in text]
    assert [text.splitlines()[0] for text in said] == ["12 cases are overdue. The oldest:"]
    assert said[0].count("DPO-2026") == 10
    assert "DPO-2026-0012" in said[0].splitlines()[2]
    assert await world.remind(hours=3) == []
    assert sum("12 cases are overdue" in text for text in await world.remind(days=1)) == 1


async def test_staff_who_are_not_known_now_are_told_later(world: World) -> None:
    """A homeserver that is away, or a room that shut us out, keeps nothing else from being said."""
    await world.case(due_at=NOW - timedelta(days=1))
    errors: list[Exception] = [Unavailable("connection"), Rejected("M_FORBIDDEN", 403)]

    async def staffing() -> frozenset[UserId]:
        if errors:
            raise errors.pop(0)
        return frozenset({STAFF})

    world.reminders = Reminders(world.parts, staffing)
    first, second, third = [await world.remind(minutes=1) for _ in range(3)]
    assert [text.startswith("Today") for text in first] == [True]
    assert second == []
    assert ["is 1 day overdue" in text for text in third] == [True]


async def test_what_has_stopped_is_told_once_in_its_thread(world: World) -> None:
    """A held package with what approving means; a decision closes the alert."""
    case = await world.case(CaseState.HELD, assignee=STAFF)
    await world.database.write(
        lambda tx: alerts.open(tx, key="job:1:held", code="anomaly_ratio", now=NOW, case_id=case.id)
    )
    (text,) = [text for text in await world.remind() if "anomaly_ratio" in text]
    assert "let exactly this pass with: `approve`" in text
    (sent,) = [event for event in world.server.heard(world.staff, BOT) if "anomaly_ratio" in str(event.content)]
    assert sent.content["m.relates_to"]["event_id"] == f"$card{case.id}"
    assert sent.content["m.mentions"] == {"user_ids": [STAFF]}
    assert [text for text in await world.remind(hours=1) if "anomaly" in text] == []


async def test_an_alert_about_no_case_is_told_in_the_main_time_line(world: World) -> None:
    """Once, also after a restart."""
    await world.database.write(lambda tx: alerts.open(tx, key="job_unknown:x", code="job_unknown", now=NOW))
    assert sum("Something waits for the administrator" in text for text in await world.remind()) == 1
    world.reminders = Reminders(world.parts)
    assert await world.remind() == []


async def test_a_safeguard_that_is_to_be_loosened_is_told_in_words(world: World) -> None:
    """How it is, how it is to be, and from when: before that somebody can step in."""
    for hours in (24, 1):
        wanted = Safeguards(cooling_off=timedelta(hours=hours))
        await world.database.write(lambda tx, wanted=wanted: safeguards.want(tx, NOW, wanted))  # type: ignore[misc] # defaults of a lambda
    (text,) = [text for text in await world.remind() if "safeguard" in text]
    assert "how long an erasure waits after the person’s code (now 24 hours, then 1 hour)" in text  # noqa: RUF001
    assert f"It counts from {NOW.day + 1} " in text


async def test_without_a_staff_room_people_are_told_all_the_same(world: World) -> None:
    """And staff hear everything when there is one."""
    await world.case(due_at=NOW + timedelta(days=10))
    await world.database.write(lambda tx: bot_state.drop(tx, bot_state.STAFF_ROOM))
    assert [text[:22] for text in await world.remind(days=7)] == ["You need not ask: here"]
    await world.database.write(lambda tx: bot_state.set(tx, bot_state.STAFF_ROOM, world.staff))
    assert [text[:15] for text in await world.remind()] == ["DPO-2026-0001 i", "Today, 17 March"]


async def test_the_digest_comes_once_a_day_at_its_hour(world: World) -> None:
    """Also after a restart; a bot that was away then writes it when it is back on the same day."""
    world.server.now = NOW.replace(hour=7)
    assert await world.remind() == []
    assert len(await world.remind(hours=1)) == 1
    world.reminders = Reminders(world.parts)
    assert await world.remind(hours=5) == []
    (text,) = await world.remind(days=1)
    assert text.startswith("Today, 11 March 2026")


async def test_the_digest_says_how_things_stand(world: World) -> None:
    """Counts, what is due, overdue and held, the head of the audit chain with the way to check it."""
    await world.case(due_at=NOW + timedelta(days=2), assignee=STAFF)
    await world.case(due_at=NOW - timedelta(days=2))
    held = await world.case(CaseState.HELD)
    await world.database.write(lambda tx: alerts.open(tx, key="a", code="x", now=NOW, case_id=held.id))
    opened = await world.database.write(
        lambda tx: service.move(tx, NOW, held, CaseState.REFUSED, STAFF, "case.refused")
    )
    await world.case(CaseState.HELD)
    head = await world.database.read(lambda tx: bot_state.get(tx, "audit.head"))
    (text,) = [text for text in await world.remind() if text.startswith("Today")]
    assert (opened.state, head is not None) == (CaseState.REFUSED, True)
    assert [line for line in text.splitlines() if line.startswith("- ") and ":" in line and "DPO" not in line] == [
        "- open: 3",
        "- due within 7 days: 1",
        "- overdue: 1",
        "- claimed by nobody: 2",
        "- held: 1",
        "- waiting for the person: 0",
        "- open alerts: 1",
    ]
    assert "DPO-2026-0001 (complaint), due in 2 days, on 12 March 2026, @staff:dpobot.test" in text
    assert "DPO-2026-0002 (complaint), 2 days overdue, claimed by nobody" in text
    assert f"dpobot register --verify --head {str(head).split()[1]}" in text


async def test_the_digest_lists_what_waits_for_staff_to_look(world: World) -> None:
    """What is held, and what was carried out in part: each under its own words, and no longer once it goes on."""
    held, partial = await world.case(CaseState.HELD), await world.case(CaseState.PARTIAL)
    (text,) = [text for text in await world.remind() if text.startswith("Today")]
    assert f"Held until somebody has looked:\n\n- {held.reference} (complaint)" in text
    assert f"Carried out in part until somebody has looked:\n\n- {partial.reference} (complaint)" in text
    await world.database.write(lambda tx: service.move(tx, NOW, partial, CaseState.APPROVED, STAFF, "erasure.retried"))
    (text,) = [text for text in await world.remind(days=1) if text.startswith("Today")]
    assert "Carried out in part" not in text


async def test_the_digest_says_that_deliveries_are_paused(world: World) -> None:
    """And until when the authority must know."""
    await world.pause_deliveries()
    (text,) = await world.remind(days=1)
    assert "Deliveries have been paused since 10 March 2026, 12:00 UTC." in text
    assert "the authority must know by 13 March 2026, 12:00 UTC" in text
    (text,) = await world.remind(days=3)
    assert "the authority should have known by 13 March 2026, 12:00 UTC" in text


async def _meet(world: World, count: int) -> None:
    async def add(tx: Tx) -> None:
        for number in range(count):
            person = UserId(f"@p{number:04d}:dpobot.test")
            await people.ensure(tx, person, NOW)
            await people.mark_greeted(tx, person, NOW)
        await people.ensure(tx, UserId("@never-talked:dpobot.test"), NOW)

    await world.database.write(add)


async def test_a_new_notice_is_announced_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """To everybody who has talked with the bot, each once, also if it is killed in between; staff hear the end."""
    monkeypatch.setattr(announcing, "_PAGE", 10)
    monkeypatch.setattr(announcing, "_PAGES", 2)
    await _quiet(world)
    await _meet(world, 42)
    await world.database.write(lambda tx: bot_state.set(tx, bot_state.ANNOUNCING, "2027-01-01"))
    pages = [await world.reminders.once() for _ in range(2)]
    world.reminders = Reminders(world.parts)
    pages += [await world.reminders.once() for _ in range(2)]
    assert pages == [20, 20, 3, 0]
    await world.outbox.drain()
    told = [event for event in world.server.timeline if "has a new version: 2027-01-01" in str(event.content)]
    assert len({event.room_id for event in told}) == len(told) == 43
    assert await world.database.read(lambda tx: bot_state.get(tx, bot_state.ANNOUNCING)) is None
    assert "everybody who has talked with me: 43 people" in world.said(world.staff)[-1]


async def test_an_empty_announcement_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is exactly full is followed by one that is empty, and that one ends it."""
    monkeypatch.setattr(announcing, "_PAGE", 10)
    monkeypatch.setattr(announcing, "_PAGES", 2)
    await _quiet(world)
    await _meet(world, 19)
    await world.database.write(lambda tx: bot_state.set(tx, bot_state.ANNOUNCING, "2027-01-01 "))
    assert [await world.reminders.once() for _ in range(3)] == [20, 0, 0]
    await world.outbox.drain()
    assert "20 people" in world.said(world.staff)[-1]
    assert world.said(RoomId(world.room))[-1].startswith("The privacy notice of")
