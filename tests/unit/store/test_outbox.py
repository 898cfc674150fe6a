"""The outbox: each message once, in order for each person, its words gone when it is sent."""

import pytest
import sqlalchemy as sa

from dpobot.model.ids import EventId, UserId
from dpobot.store import outbox
from dpobot.store.database import Database, Tx
from dpobot.store.outbox import OutboxItem
from dpobot.store.tables import outbox as table
from tests.unit.store.moments import ANNA, BORIS, NOW, ROOM, after


def _item(key: str, user_id: UserId = ANNA) -> OutboxItem:
    return OutboxItem(key=key, user_id=user_id, content={"body": f"words {key}"}, created_at=NOW, room_id=ROOM)


async def _fill(tx: Tx) -> None:
    for item in (_item("a1"), _item("a2"), _item("b1", BORIS)):
        await outbox.put(tx, item)


async def _due(database: Database, seconds: float = 0) -> list[str]:
    return [row.key for row in await database.read(lambda tx: outbox.due(tx, after(seconds), 10))]


async def test_a_message_comes_out_as_it_went_in(database: Database) -> None:
    """Content, room and kind are kept; nothing of it shows in a repr."""
    await database.write(lambda tx: outbox.put(tx, _item("a1")))
    [row] = await database.read(lambda tx: outbox.due(tx, NOW, 10))
    assert (row.content, row.room_id, row.type, row.cleartext) == ({"body": "words a1"}, ROOM, "m.room.message", False)
    assert ["words" in repr(row), "words" in repr(_item("a1"))] == [False, False]


async def test_a_key_is_stored_once(database: Database) -> None:
    """Deciding the same thing again, also after it was sent, says nothing twice."""
    first = await database.write(lambda tx: outbox.put(tx, _item("a1")))
    await database.write(lambda tx: outbox.sent(tx, 1, EventId("$sent"), NOW))
    second = await database.write(lambda tx: outbox.put(tx, _item("a1")))
    assert (first, second, await _due(database)) == (True, False, [])


async def test_each_person_hears_things_in_order(database: Database) -> None:
    """The second message waits until the first is sent, or given up; other people's don't."""
    await database.write(_fill)
    assert await _due(database) == ["a1", "b1"]
    await database.write(lambda tx: outbox.defer(tx, 1, after(30)))
    assert await _due(database) == ["b1"]
    await database.write(lambda tx: outbox.failed(tx, 1, NOW))
    assert await _due(database) == ["a2", "b1"]


async def test_attempts_are_counted(database: Database) -> None:
    """A message that was put off twice knows it."""
    await database.write(lambda tx: outbox.put(tx, _item("a1")))
    for _ in range(2):
        await database.write(lambda tx: outbox.defer(tx, 1, after(30)))
    [row] = await database.read(lambda tx: outbox.due(tx, after(30), 10))
    assert (row.attempts, await database.read(outbox.next_at)) == (2, after(30))


async def test_words_go_when_it_is_sent(database: Database) -> None:
    """Only the event's ID stays, by which the key is found."""
    await database.write(_fill)
    await database.write(lambda tx: outbox.sent(tx, 1, EventId("$sent"), NOW))
    await database.write(lambda tx: outbox.failed(tx, 3, NOW))

    async def left(tx: Tx) -> list[bool]:
        return [
            value is None for value in (await tx.conn.execute(sa.select(table.c.sealed).order_by(table.c.id))).scalars()
        ]

    found = [await database.read(lambda tx, key=key: outbox.event_of(tx, key)) for key in ("a1", "a2", "none")]  # type: ignore[misc] # mypy can't infer a lambda with a default
    assert (await database.read(left), found) == ([True, False, True], ["$sent", None, None])


async def test_old_messages_are_forgotten(database: Database) -> None:
    """What was sent or given up before a moment goes; what is still to be sent stays."""
    await database.write(_fill)
    await database.write(lambda tx: outbox.sent(tx, 1, EventId("$sent"), NOW))
    gone = await database.write(lambda tx: outbox.forget(tx, after(1)))
    assert (gone, await _due(database)) == (1, ["a2", "b1"])


@pytest.mark.parametrize("people", [3, 40])
async def test_the_first_of_each_line_is_due_however_many_lines_wait(database: Database, people: int) -> None:
    """Oldest first, also if hundreds wait behind one; who has been put off keeps a whole line up."""
    senders = [UserId(f"@{number:02}:x") for number in range(people)]

    async def fill(tx: Tx) -> None:
        for turn in range(3):
            for sender in reversed(senders):
                await outbox.put(tx, _item(f"{sender}{turn}", sender))
        await outbox.defer(tx, 1, after(30))

    await database.write(fill)
    heads = [f"{sender}0" for sender in reversed(senders)]
    assert await _due(database) == heads[1:11]
    assert await _due(database, 30) == heads[:10]
