"""What the board asks of the tables, on both databases."""

from datetime import timedelta

from dpobot.cases import service, transitions
from dpobot.model.ids import EventId, RoomId
from dpobot.model.records import EncryptedFile, FileRef
from dpobot.model.words import Channel, Kind, Trust
from dpobot.store import cases, files, outbox, staff_board, staff_threads
from dpobot.store.database import Database, Tx
from dpobot.store.files import Purpose
from dpobot.store.outbox import OutboxItem, Relation
from tests.fakes.matrix import FakeServer
from tests.unit.staff.office import ADA, RULES

NOW = FakeServer().now
HERE, THERE = RoomId("!here"), RoomId("!there")
FILE = FileRef("a.pdf", "application/pdf", EncryptedFile("mxc://x/y", {}, "", {}, 1))  # type: ignore[arg-type] # a plain str


async def _case(tx: Tx, kind: Kind = Kind.QUESTION) -> int:
    opening = service.Opening(ADA, kind, Channel.MATRIX, Trust.SIGNED, True, None, None, {}, NOW)
    return (await service.open_case(tx, NOW, opening, RULES)).case.id


async def test_open_cases_that_have_no_card_in_a_room_are_marked(database: Database) -> None:
    """Those of before there was a staff room, and those whose card is elsewhere; not those that are over."""

    async def story(tx: Tx) -> None:
        new, here, there, over = [await _case(tx) for _ in range(4)]
        await staff_threads.forget(tx, new)
        for case_id, room_id in ((here, HERE), (there, THERE), (over, THERE)):
            await staff_threads.noted(tx, case_id, room_id, EventId(f"$card{case_id}"))
        await service.withdraw(tx, NOW, await cases.get(tx, over), ADA, Trust.SIGNED)
        for case_id in (here, there, over):
            await staff_threads.shown(tx, case_id, 0, NOW)
        await staff_board.touch_elsewhere(tx, HERE, transitions.OPEN)
        assert [row.case_id for row in await staff_threads.changed(tx, 10)] == [new, there]

    await database.write(story)


async def test_cards_grow_old(database: Database) -> None:
    """The oldest come first, and no more than are asked for."""

    async def story(tx: Tx) -> None:
        first, second, third = [await _case(tx) for _ in range(3)]
        for days, case_id in enumerate((third, second, first)):
            await staff_threads.shown(tx, case_id, 0, NOW + timedelta(days=days))
        limit = NOW + timedelta(days=2)
        assert await staff_board.stale(tx, limit, transitions.OPEN, 10) == [third, second]
        assert await staff_board.stale(tx, limit, transitions.OPEN, 1) == [third]
        await staff_board.touch_all(tx, [third, second])
        assert await staff_board.stale(tx, limit, transitions.OPEN, 10) == []
        assert [row.case_id for row in await staff_threads.changed(tx, 10)] == [second, third]

    await database.write(story)


async def test_a_card_waits_until_it_is_sent(database: Database) -> None:
    """Messages of the thread and other cases' cards don't count."""

    async def story(tx: Tx) -> None:
        case_id, other = await _case(tx), await _case(tx)
        for key, relation in (("card", Relation.CARD), ("thread", Relation.THREAD)):
            await outbox.put(tx, OutboxItem(key, ADA, {}, NOW, HERE, relation=relation, case_id=case_id))
        assert [await staff_board.card_waits(tx, case_id), await staff_board.card_waits(tx, other)] == [True, False]
        card = (await outbox.due(tx, NOW, 1))[0]
        await outbox.sent(tx, card.id, EventId("$card"), NOW)
        assert await staff_board.card_waits(tx, case_id) is False

    await database.write(story)


async def test_what_is_in_a_case_is_counted_and_found(database: Database) -> None:
    """Words of the person, files of anybody; by the event that brought them."""

    async def story(tx: Tx) -> None:
        case_id, other = await _case(tx), await _case(tx)
        await service.add_message(tx, NOW, await cases.get(tx, case_id), EventId("$words"), "hello", RULES)
        for event_id in ("$one", "$two"):
            await files.add(
                tx, case_id, EventId(event_id), FILE, author=None, purpose=Purpose.EVIDENCE, posted=False, now=NOW
            )
        assert await staff_board.count_written(tx, case_id) == (1, 2)
        assert await staff_board.count_written(tx, other) == (0, 0)
        found = [await staff_board.case_that_holds(tx, EventId(event)) for event in ("$words", "$two", "$none")]
        assert found == [case_id, case_id, None]

    await database.write(story)


async def test_what_happened_is_told_from_where_it_was_left(database: Database) -> None:
    """Of one case, in order."""

    async def story(tx: Tx) -> None:
        case_id = await _case(tx, Kind.EXPORT)
        await _case(tx)
        await staff_board.lock_thread(tx, case_id)
        rows = await staff_board.happened_since(tx, case_id, 0, 10)
        assert [row.action for row in rows] == ["case.opened", "case.approved"]
        assert [row.action for row in await staff_board.happened_since(tx, case_id, rows[0].seq, 10)] == [
            "case.approved"
        ]

    await database.write(story)
