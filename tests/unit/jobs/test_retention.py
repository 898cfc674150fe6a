"""What the bot no longer needs to know goes: old rows at once, closed cases to their line in the register."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dpobot.config import RetentionConfig
from dpobot.delivery.messages import StaffPlace, forward, post_staff
from dpobot.errors import DpobotError, Rejected, Unavailable
from dpobot.jobs.retention import KEPT, Retention
from dpobot.jobs.thread_removal import ThreadRemoval
from dpobot.model.ids import EventId
from dpobot.model.records import Case, FileRef, Reply
from dpobot.model.words import CaseState
from dpobot.store import people, staff_threads, staff_uploads, volumes
from dpobot.store.database import Tx
from dpobot.store.outbox import Relation
from tests.unit.jobs.conftest import ANNA, BOT, NOW, STAFF, World

OLD = NOW - timedelta(days=400)
FULL = ["card", "line", "copy", "edit"]


def _retention(world: World, pauses: list[float] | None = None) -> Retention:
    """Return it with cases kept for 30 days; how long it waits for the homeserver is written into ``pauses``."""

    async def pause(seconds: float) -> None:
        (pauses if pauses is not None else []).append(seconds)

    config = world.parts.config.model_copy(update={"retention": RetentionConfig(closed_days=30)})
    parts = replace(world.parts, config=config)
    return Retention(parts, ThreadRemoval(parts, pause))


async def _closed(world: World) -> Case:
    return await world.case(CaseState.CLOSED, closed_at=OLD)


async def _told(world: World, case: Case) -> EventId:
    """Post a card, a line, a copy of a file and an edit of the card; staff write a note. Return the card."""
    place = StaffPlace(world.staff, "en", case.id)
    file = FileRef("orders.pdf", "application/pdf", world.server.store(b"the person's upload"))

    async def write(tx: Tx) -> None:
        await staff_threads.forget(tx, case.id)
        await staff_threads.touch(tx, case.id)
        for number, relation in enumerate((Relation.CARD, Relation.THREAD, Relation.EDIT)):
            at, reply = replace(place, relation=relation), Reply("staff/thread_not_delivered")
            await post_staff(tx, world.parts.renderer, NOW, at, reply, f"told{case.id}.{number}")
        await forward(tx, NOW, replace(place, relation=Relation.THREAD), file, f"copy{case.id}")

    await world.database.write(write)
    await world.outbox.drain()
    thread = await world.database.read(lambda tx: staff_threads.get(tx, case.id))
    assert thread is not None
    assert thread.event_id is not None
    world.server.in_thread(world.staff, STAFF, thread.event_id, "a note of staff")
    return thread.event_id


def _left(world: World) -> int:
    """Return how many messages of the bot stand in the staff room."""
    return len([event for event in world.server.heard(world.staff, BOT) if event.type == "m.room.message"])


async def test_closed_cases_are_reduced_after_their_time(world: World) -> None:
    """Not before it, not if they are open, and not twice."""
    old = await world.case(CaseState.CLOSED, closed_at=NOW - timedelta(days=31), days=3)
    young = await world.case(CaseState.CLOSED, closed_at=NOW - timedelta(days=29), days=3)
    running = await world.case(received_at=OLD)
    tidy = _retention(world)
    assert await tidy.once() == 1
    assert (await world.read(old)).expired_at == NOW
    assert ((await world.read(young)).expired_at, (await world.read(running)).expired_at) == (None, None)
    assert await tidy.once() == 0


async def test_a_legal_hold_keeps_them(world: World) -> None:
    """All of the person's, as long as it lasts, and what stands in the staff room."""
    case = await _closed(world)
    await _told(world, case)
    await world.case(legal_hold=True)
    assert (await _retention(world).once(), _left(world)) == (0, len(FULL))


async def test_what_the_bot_said_in_the_staff_room_goes_with_the_case(world: World) -> None:
    """Card, edits, lines and the bot's copy of a file; what staff wrote and what stands in other threads stays."""
    case, other = await _closed(world), await world.case()
    card, _ = await _told(world, case), await _told(world, other)
    copies = [await world.database.read(lambda tx, of=of: staff_uploads.of_case(tx, of.id)) for of in (case, other)]  # type: ignore[misc] # mypy can't infer a lambda with a default
    assert await _retention(world).once() == 1
    assert [event.sender for event in world.server.thread(card)] == [STAFF]
    assert (card in world.server.redacted, _left(world)) == (True, len(FULL))
    assert [copy in world.server.media for copy in copies[0] + copies[1]] == [False, True]
    assert len(world.server.media) == 3
    assert (await world.read(case)).expired_at == NOW


@pytest.mark.parametrize("request_", ["own_relations", "redact"])
async def test_what_can_not_be_taken_back_now_is_tried_again(world: World, request_: str) -> None:
    """The case waits for it; what has gone already is not asked for again, and the card goes last."""
    case = await _closed(world)
    card = await _told(world, case)
    world.server.faults[request_] = [Unavailable("connection")]
    tidy = _retention(world)
    assert await tidy.once() == 0
    assert ((await world.read(case)).expired_at, card in world.server.redacted) == (None, False)
    assert (await tidy.once(), _left(world)) == (1, 0)


async def test_a_homeserver_that_asks_for_patience_gets_it(world: World) -> None:
    """Twice as long as it asks for: the bot's answers want their share of what may be sent."""
    await _told(world, await _closed(world))
    world.server.faults["redact"] = [Unavailable("M_LIMIT_EXCEEDED", 5.0)] * 2
    pauses: list[float] = []
    assert (await _retention(world, pauses).once(), _left(world), pauses) == (1, 0, [10.0, 10.0])


@pytest.mark.parametrize("refusals", [{"own_relations": [Rejected("M_FORBIDDEN", 403)]}, {"redact": [Rejected("x")]}])
async def test_a_room_that_shuts_the_bot_out_keeps_no_case(
    world: World, refusals: dict[str, list[DpobotError]]
) -> None:
    """What can't be redacted stays where it is; all the rest is forgotten."""
    case = await _closed(world)
    await _told(world, case)
    world.server.faults |= refusals  # type: ignore[arg-type] # a list of some errors is one of errors
    assert await _retention(world).once() == 1
    assert ((await world.read(case)).expired_at, len(world.server.media)) == (NOW, 1)


async def test_a_token_that_is_no_longer_known_says_nothing_of_the_room(world: World) -> None:
    """Then nothing has been taken back, and the case waits."""
    await _told(world, await _closed(world))
    world.server.faults["redact"] = [Rejected("M_UNKNOWN_TOKEN", 401)]
    tidy = _retention(world)
    assert [await tidy.once(), await tidy.once()] == [0, 1]


async def test_what_is_still_to_be_said_is_waited_for(world: World) -> None:
    """A message that reaches the room after it was looked through would stay there for good."""
    case = await _closed(world)
    await _told(world, case)
    at = StaffPlace(world.staff, "en", case.id, Relation.THREAD)
    reply = Reply("staff/thread_not_delivered")
    await world.database.write(lambda tx: post_staff(tx, world.parts.renderer, NOW, at, reply, "late"))
    tidy = _retention(world)
    assert await tidy.once() == 0
    await world.outbox.drain()
    assert (await tidy.once(), _left(world)) == (1, 0)


async def test_one_that_can_never_be_taken_back_keeps_up_no_other(world: World) -> None:
    """It comes last the next time; three in a row, and the homeserver is taken to be away."""
    cases = [await _closed(world) for _ in range(5)]
    for case in cases:
        await _told(world, case)
    world.server.faults["own_relations"] = [Unavailable("http_500")] * 3
    tidy = _retention(world)
    assert await tidy.once() == 0
    world.server.faults["own_relations"] = [Unavailable("http_500")] * 2
    assert [await tidy.once(), await tidy.once()] == [3, 2]
    assert _left(world) == 0


async def test_a_volume_that_nobody_has_deleted_goes_at_last(world: World) -> None:
    """Else its bytes would stay on the server, and nobody would know of them."""
    case = await _closed(world)
    file = world.server.store(b"archive")
    event_id = world.server.text(world.room, BOT, "archive")

    async def write(tx: Tx) -> None:
        await volumes.put(tx, case.id, 1, 7, "a" * 64)
        await volumes.uploaded(tx, case.id, 1, file)
        await volumes.sent(tx, case.id, 1, world.room, event_id, OLD)

    await world.database.write(write)
    assert await _retention(world).once() == 1
    assert (file.url in world.server.media, event_id in world.server.redacted) == (False, True)


async def test_whoever_only_said_hello_is_forgotten(world: World) -> None:
    """After the time for which it is known that a message came; not while there are cases."""
    hello = [f"@hello{number}:dpobot.test" for number in range(2)]
    met = (NOW - KEPT - timedelta(days=1), NOW - KEPT + timedelta(days=1))

    async def meet(tx: Tx) -> None:
        for person, at in zip(hello, met, strict=True):
            await people.ensure(tx, type(ANNA)(person), at)

    await world.case()
    await world.database.write(meet)
    assert await _retention(world).once() == 1
    known = [await world.database.read(lambda tx, who=who: people.get(tx, who)) for who in (*hello, ANNA)]  # type: ignore[misc] # mypy can't infer a lambda with a default
    assert [person is not None for person in known] == [False, True, True]
