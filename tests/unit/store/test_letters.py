"""Letters of other machines: each once for its room, in order, and their words gone when nobody waits any more."""

import pytest
import sqlalchemy as sa

from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.store import letters
from dpobot.store.database import Database, Tx
from dpobot.store.letters import Answer, Letter, LetterState, Waiting
from dpobot.store.tables import letter as table
from tests.unit.store.moments import ANNA, BORIS, NOW, ROOM, after, event

OTHER = RoomId("!other:example.org")


def _letter(key: str, room_id: RoomId = ROOM, words: str = "words") -> Letter:
    return Letter(key, room_id, "m.room.message", {"body": f"{words} {key}"}, frozenset({BORIS, ANNA}))


async def _put(database: Database, *letters_: Letter) -> list[EventId | None]:
    return [await database.write(lambda tx, one=one: letters.put(tx, one, NOW)) for one in letters_]  # type: ignore[misc] # mypy can't infer a lambda with a default


async def _due(database: Database, *without: str) -> list[Waiting]:
    return await database.read(lambda tx: letters.due(tx, 10, without))


async def _keys(database: Database, *without: str) -> list[str]:
    found = [await database.read(lambda tx, row=row: letters.read(tx, row)) for row in await _due(database, *without)]  # type: ignore[misc] # see above
    return [each.key for each in found if each is not None]


async def _sealed(database: Database) -> list[bool]:
    async def read(tx: Tx) -> list[bool]:
        return [row.sealed is not None for row in await tx.conn.execute(sa.select(table).order_by(table.c.id))]

    return await database.read(read)


async def test_a_letter_comes_out_as_it_went_in(database: Database) -> None:
    """Where to, who may read it and what it says; nothing of the words shows in a repr."""
    everybody = Letter("b", OTHER, "m.other", {"body": "words"})
    await _put(database, _letter("a"), everybody)
    found = [await database.read(lambda tx, row=row: letters.read(tx, row)) for row in await _due(database)]  # type: ignore[misc] # see above
    assert found == [_letter("a"), everybody]
    assert "words" not in repr(found)


async def test_a_room_hears_things_in_order(database: Database) -> None:
    """The second waits for the first, sent or refused; other rooms don't, and rooms that are busy are left out."""
    await _put(database, _letter("a1"), _letter("a2"), _letter("b1", OTHER), _letter("a3"))
    assert [await _keys(database), await _keys(database, ROOM)] == [["a1", "b1"], ["b1"]]
    first, _ = await _due(database)
    await database.write(lambda tx: letters.sent(tx, first, event(1), NOW))
    second, _ = await _due(database)
    await database.write(lambda tx: letters.refused(tx, second, "M_FORBIDDEN", 403, NOW))
    assert (await _keys(database), await _sealed(database)) == (["b1", "a3"], [False, False, True, True])


async def test_many_rooms_wait(database: Database) -> None:
    """The oldest of each, as many as are asked for, also where there are more rooms than are hopped over."""
    rooms = [RoomId(f"!room{number:02}:example.org") for number in range(40)]
    await _put(database, *(_letter(f"{room}{number}", room) for number in (1, 2) for room in reversed(rooms)))
    found = await database.read(lambda tx: letters.due(tx, 10, rooms[-2:]))
    assert [row.room_id for row in found] == list(reversed(rooms[-12:-2]))


async def test_what_was_sent_is_answered_at_once(database: Database) -> None:
    """In its room; wanted elsewhere, as at the homeserver, it is another message."""
    await _put(database, _letter("a"))
    [row] = await _due(database)
    await database.write(lambda tx: letters.sent(tx, row, event(1), NOW))
    assert await _put(database, _letter("a", words="other words")) == [event(1)]
    assert await _due(database) == []
    assert await _put(database, _letter("a", OTHER)) == [None]
    assert [waiting.room_id for waiting in await _due(database)] == [OTHER]
    assert await database.read(lambda tx: letters.find(tx, "a")) == Answer(LetterState.NEW, None, None, None)


async def test_a_refusal_is_answered_and_may_be_tried_again(database: Database) -> None:
    """With its code and status, and the next try begins anew."""
    await _put(database, _letter("a"))
    [row] = await _due(database)
    await database.write(lambda tx: letters.refused(tx, row, "other_members", None, NOW))
    refused = await database.read(lambda tx: letters.find(tx, "a"))
    assert refused == Answer(LetterState.REFUSED, None, "other_members", None)
    assert await _put(database, _letter("a")) == [None]
    assert await database.read(lambda tx: letters.find(tx, "a")) == Answer(LetterState.NEW, None, None, None)


async def test_who_no_longer_waits_gets_nothing_sent(database: Database) -> None:
    """The words are gone; what was on its way at that moment counts as sent all the same."""
    await _put(database, _letter("a"))
    [row] = await _due(database)
    held = [await database.write(lambda tx: letters.hold(tx, "a", NOW)) for _ in range(2)]
    nothing = await database.read(lambda tx: letters.read(tx, row))
    assert (held, await _due(database), nothing, await _sealed(database)) == ([True, False], [], None, [False])
    await database.write(lambda tx: letters.sent(tx, row, event(1), NOW))
    assert await _put(database, _letter("a")) == [event(1)]


async def test_a_letter_that_went_elsewhere_is_not_noted_here(database: Database) -> None:
    """It was on its way into one room while its sender chose another: that one still gets it."""
    await _put(database, _letter("a"))
    [row] = await _due(database)
    await _put(database, _letter("a", OTHER))
    await database.write(lambda tx: letters.sent(tx, row, event(1), NOW))
    await database.write(lambda tx: letters.refused(tx, row, "M_FORBIDDEN", 403, NOW))
    assert (await _keys(database), await database.read(lambda tx: letters.read(tx, row))) == (["a"], None)


@pytest.mark.parametrize("answered", [True, False])
async def test_letters_are_forgotten(database: Database, answered: bool) -> None:
    """After their time, whether or not anybody has answered them."""
    await _put(database, _letter("a"))
    [row] = await _due(database)
    if answered:
        await database.write(lambda tx: letters.sent(tx, row, event(1), NOW))
    gone = [await database.write(lambda tx, at=at: letters.forget(tx, after(at))) for at in (0, 1)]  # type: ignore[misc] # see above
    assert (gone, await database.read(lambda tx: letters.find(tx, "a"))) == ([0, 1], None)


async def test_what_is_written_is_sealed(database: Database) -> None:
    """Nobody reads the words in the database."""
    await _put(database, _letter("a"))

    async def read(tx: Tx) -> list[object]:
        return [*(await tx.conn.execute(sa.select(table))).one()]

    row = await database.read(read)
    assert [
        value for value in row if "words" in str(value) or b"words" in (value if isinstance(value, bytes) else b"")
    ] == []
    assert UserId(ANNA) in str(row)
