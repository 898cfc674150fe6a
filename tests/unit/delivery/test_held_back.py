"""The outbox's rows, on both databases: what is held back on purpose, and taken back."""

from datetime import datetime

from dpobot.model.ids import UserId
from dpobot.store import outbox
from dpobot.store.database import Database, Tx
from dpobot.store.outbox import OutboxItem, Relation
from tests.unit.store.moments import ANNA, BORIS, NOW, ROOM, after


def _item(key: str, not_before: datetime | None = None, user_id: UserId = ANNA) -> OutboxItem:
    return OutboxItem(key=key, user_id=user_id, content={"body": key}, created_at=NOW, not_before=not_before)


async def _fill(tx: Tx) -> None:
    later = after(10)
    for item in (_item("a1", later), _item("a1.1", later), _item("a2"), _item("a1%", later), _item("b1", None, BORIS)):
        await outbox.put(tx, item)


async def _due(database: Database, seconds: float = 0) -> list[str]:
    return [row.key for row in await database.read(lambda tx: outbox.due(tx, after(seconds), 10))]


async def test_what_is_held_back_lets_others_pass(database: Database) -> None:
    """Once its time has come it has its place in the line again, and what was tried and put off keeps it."""
    await database.write(_fill)
    assert [await _due(database), await _due(database, 10)] == [["a2", "b1"], ["a1", "b1"]]
    await database.write(lambda tx: outbox.defer(tx, 1, after(60)))
    assert await _due(database, 10) == ["b1"]


async def test_what_is_taken_back_takes_its_files_along(database: Database) -> None:
    """And nothing else, whatever signs are in the keys."""
    await database.write(_fill)
    taken = [
        await database.write(lambda tx, key=key: outbox.take_back(tx, key, NOW))  # type: ignore[misc] # mypy can't infer a lambda with a default
        for key in ("a1", "a1", "a2", "none")
    ]
    await database.write(lambda tx: outbox.failed(tx, 3, NOW))
    assert (taken, await _due(database, 10)) == ([True, False, False, False], ["a1%", "b1"])


async def test_whom_a_message_is_for(database: Database) -> None:
    """The staff room's messages are a line of their own, with their place in it and their file."""
    item = OutboxItem(
        key="s1",
        user_id=UserId(ROOM),
        room_id=ROOM,
        content={},
        created_at=NOW,
        attachment={"media_type": "text/csv", "data": "AA=="},
        relation=Relation.THREAD,
        case_id=7,
    )
    await database.write(lambda tx: outbox.put(tx, item))
    await database.write(lambda tx: outbox.put(tx, _item("a1")))
    staff, anna = await database.read(lambda tx: outbox.due(tx, NOW, 10))
    assert (staff.for_staff, staff.relation, staff.case_id, staff.attachment) == (
        True,
        Relation.THREAD,
        7,
        {"media_type": "text/csv", "data": "AA=="},
    )
    assert (anna.for_staff, anna.relation, anna.attachment) == (False, None, None)
