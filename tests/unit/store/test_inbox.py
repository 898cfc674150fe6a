"""The inbox: each event once, each person's events in their order, nothing kept longer than needed."""

from dataclasses import replace

import sqlalchemy as sa

from dpobot.model.ids import UserId
from dpobot.model.records import IncomingKind
from dpobot.store import bot_state, inbox
from dpobot.store.database import Database, Tx
from dpobot.store.inbox import NewEvent
from dpobot.store.tables import inbox as table
from tests.unit.store.moments import ANNA, BORIS, NOW, ROOM, after, event


def _event(number: int, sender: UserId = ANNA) -> NewEvent:
    return NewEvent(
        event_id=event(number),
        room_id=ROOM,
        sender=sender,
        kind=IncomingKind.TEXT,
        encrypted=True,
        sent_at=NOW,
        received_at=NOW,
        payload={"body": f"words {number}"},
    )


def _locked(number: int, sender: UserId = ANNA) -> NewEvent:
    kind = IncomingKind.UNDECRYPTABLE
    return replace(_event(number, sender), kind=kind, session_id="session", not_before=after(20))


async def _due(database: Database, seconds: float = 0, busy: tuple[UserId, ...] = ()) -> list[str]:
    rows = await database.read(lambda tx: inbox.due(tx, after(seconds), 10, busy))
    return [row.event_id for row in rows]


async def _id(database: Database, number: int) -> int:
    async def look(tx: Tx) -> int:
        return int((await tx.conn.execute(sa.select(table.c.id).where(table.c.event_id == event(number)))).scalar_one())

    return await database.read(look)


async def _sealed(database: Database) -> list[bytes | None]:
    async def look(tx: Tx) -> list[bytes | None]:
        return list((await tx.conn.execute(sa.select(table.c.sealed).order_by(table.c.id))).scalars())

    return await database.read(look)


async def test_an_event_and_its_token_come_together(database: Database) -> None:
    """A batch is stored with its token; what it says comes back as it was."""
    new = await database.write(lambda tx: inbox.take_in(tx, [_event(1)], "s1"))
    [row] = await database.read(lambda tx: inbox.due(tx, NOW, 10))
    token = await database.read(bot_state.sync_token)
    assert (new, token, row.payload, row.sender, row.kind) == (1, "s1", {"body": "words 1"}, ANNA, IncomingKind.TEXT)


async def test_the_same_event_twice_is_stored_once(database: Database) -> None:
    """A batch that comes again, or holds an event twice, adds nothing; a done event is not done again."""
    await database.write(lambda tx: inbox.take_in(tx, [_event(1), _event(1)], "s1"))
    await database.write(lambda tx: inbox.done(tx, 1, NOW))
    new = await database.write(lambda tx: inbox.take_in(tx, [_event(1), _event(2)], "s1"))
    assert (new, await _due(database)) == (1, [event(2)])


async def test_an_empty_batch_moves_the_token(database: Database) -> None:
    """Nothing happened, but up to a later point."""
    await database.write(lambda tx: inbox.take_in(tx, [], "s1"))
    new = await database.write(lambda tx: inbox.take_in(tx, [], "s2"))
    assert (new, await database.read(bot_state.sync_token)) == (0, "s2")


async def test_a_large_backlog_is_taken_in_whole(database: Database) -> None:
    """More events than one statement can hold keep their order."""
    await database.write(lambda tx: inbox.take_in(tx, [_event(n, UserId(f"@p{n}:x")) for n in range(1001)], "s1"))
    rows = await database.read(lambda tx: inbox.due(tx, NOW, 2000))
    assert [row.event_id for row in rows] == [event(n) for n in range(1001)]


async def test_people_are_served_side_by_side_each_in_order(database: Database) -> None:
    """One event of each person at a time, the oldest; the next one when it is over."""
    events = [_event(1), _event(2), _event(3, BORIS), _event(4, BORIS)]
    await database.write(lambda tx: inbox.take_in(tx, events, "s1"))
    assert await _due(database) == [event(1), event(3)]
    assert await _due(database, busy=(ANNA,)) == [event(3)]
    await database.write(lambda tx: inbox.done(tx, 1, NOW))
    assert await _due(database) == [event(2), event(3)]


async def test_an_event_that_waits_keeps_its_place(database: Database) -> None:
    """Put off, it is not due; its sender's later events wait for it, other people's don't."""
    await database.write(lambda tx: inbox.take_in(tx, [_event(1), _event(2), _event(3, BORIS)], "s1"))
    await database.write(lambda tx: inbox.defer(tx, 1, after(60)))
    assert await _due(database) == [event(3)]
    [first, _] = await database.read(lambda tx: inbox.due(tx, after(60), 10))
    assert (first.event_id, first.attempts) == (event(1), 1)


async def test_a_failed_event_is_in_nobodys_way(database: Database) -> None:
    """Given up, it lets the next one through."""
    await database.write(lambda tx: inbox.take_in(tx, [_event(1), _event(2)], "s1"))
    await database.write(lambda tx: inbox.failed(tx, 1, NOW))
    assert await _due(database) == [event(2)]


async def test_words_are_dropped_when_it_is_over(database: Database) -> None:
    """Neither a done nor a failed event keeps what was said."""
    await database.write(lambda tx: inbox.take_in(tx, [_event(1), _event(2)], "s1"))
    await database.write(lambda tx: inbox.done(tx, 1, NOW))
    await database.write(lambda tx: inbox.failed(tx, 2, NOW))
    assert await _sealed(database) == [None, None]


async def test_words_are_not_readable_in_the_database(database: Database) -> None:
    """What is stored is an envelope; the row's repr does not show it either."""
    await database.write(lambda tx: inbox.take_in(tx, [_event(1)], "s1"))
    [stored] = await _sealed(database)
    [row] = await database.read(lambda tx: inbox.due(tx, NOW, 10))
    assert [b"words" in (stored or b""), "words" in repr(row), "words" in repr(_event(1))] == [False, False, False]


async def test_a_late_key_brings_an_event_back(database: Database) -> None:
    """While it waits for its key it is found by session; decrypted, it is due at once, and only once."""
    await database.write(lambda tx: inbox.take_in(tx, [_locked(1), _event(2)], "s1"))
    assert await _due(database) == []
    [waiting] = await database.read(lambda tx: inbox.waiting_for(tx, {"session", "other"}))
    readable = {"body": "export"}
    first = await database.write(lambda tx: inbox.resolved(tx, waiting.id, IncomingKind.TEXT, readable, after(5)))
    second = await database.write(lambda tx: inbox.resolved(tx, waiting.id, IncomingKind.TEXT, readable, after(5)))
    [row] = await database.read(lambda tx: inbox.due(tx, after(5), 10))
    assert (first, second, row.event_id, row.payload) == (True, False, event(1), readable)


async def test_an_event_without_key_can_wait_out_of_the_way(database: Database) -> None:
    """Once we have said that we can't read it, later messages go on; the key may still come."""
    await database.write(lambda tx: inbox.take_in(tx, [_locked(1), _event(2)], "s1"))
    await database.write(lambda tx: inbox.await_key(tx, 1))
    assert await _due(database, 60) == [event(2)]
    [waiting] = await database.read(lambda tx: inbox.waiting_for(tx, {"session"}))
    await database.write(lambda tx: inbox.resolved(tx, waiting.id, IncomingKind.TEXT, {"body": "x"}, after(61)))
    assert await _due(database, 61) == [event(1)]


async def test_what_is_over_waits_for_no_key(database: Database) -> None:
    """A done event is not found by its session; no sessions find nothing."""
    await database.write(lambda tx: inbox.take_in(tx, [_locked(1), _locked(2)], "s1"))
    await database.write(lambda tx: inbox.done(tx, 1, NOW))
    found = await database.read(lambda tx: inbox.waiting_for(tx, {"session"}))
    nothing = await database.read(lambda tx: inbox.waiting_for(tx, ()))
    assert ([row.event_id for row in found], nothing) == ([event(2)], [])


async def test_messages_of_a_sender_are_counted(database: Database) -> None:
    """By the time we received them, done or not."""
    old = replace(_event(1), received_at=after(-120))
    await database.write(lambda tx: inbox.take_in(tx, [old, _event(2), _event(3), _event(4, BORIS)], "s1"))
    await database.write(lambda tx: inbox.done(tx, 2, NOW))
    assert await database.read(lambda tx: inbox.received_since(tx, ANNA, after(-60))) == 2


async def test_it_says_when_to_look_again(database: Database) -> None:
    """The earliest moment of an event that is not over; nothing without one."""
    before = await database.read(inbox.next_at)
    await database.write(lambda tx: inbox.take_in(tx, [_locked(1)], "s1"))
    assert (before, await database.read(inbox.next_at)) == (None, after(20))


async def test_old_events_are_forgotten(database: Database) -> None:
    """What was over before a moment goes, and what has waited in vain since; what is open stays."""
    await database.write(lambda tx: inbox.take_in(tx, [_event(1), _event(2), _locked(3, BORIS), _event(4)], "s1"))
    await database.write(lambda tx: inbox.done(tx, 1, NOW))
    await database.write(lambda tx: inbox.done(tx, 2, after(100)))
    await database.write(lambda tx: inbox.await_key(tx, 3))
    gone = await database.write(lambda tx: inbox.forget(tx, after(50)))
    assert (gone, await _id(database, 2), await _id(database, 4)) == (2, 2, 4)
