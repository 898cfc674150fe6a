"""The smaller families: people, prompts, alerts, volumes, the bot's own facts."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import StatementError

from dpobot.model.ids import EventId, Mxc, RoomId
from dpobot.model.records import EncryptedFile
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import alerts, bot_state, cases, people, prompts, volumes
from dpobot.store.database import Database, Tx
from dpobot.store.tables import volume as volume_table
from tests.unit.store.moments import ANNA, BORIS, NOW, ROOM, after

FILE = EncryptedFile(Mxc("mxc://x/1"), {"k": "secret-key"}, "iv", {"sha256": "h"}, 7)


async def _case(tx: Tx) -> int:
    values = {
        "reference": "DPO-2026-0001",
        "person": ANNA,
        "kind": Kind.EXPORT,
        "state": CaseState.APPROVED,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "options": {"scope": "mine"},
        "received_at": NOW,
        "due_at": NOW,
        "updated_at": NOW,
    }
    return (await cases.add(tx, values)).id


async def test_a_person_is_met_once(database: Database) -> None:
    """The second meeting changes nothing; strangers are unknown."""
    first = await database.write(lambda tx: people.ensure(tx, ANNA, NOW))
    second = await database.write(lambda tx: people.ensure(tx, ANNA, after(60), lock=True))
    assert (first, second.created_at, first.language) == (second, NOW, "en")
    assert await database.read(lambda tx: people.get(tx, BORIS)) is None


async def test_what_we_learn_of_a_person_stays(database: Database) -> None:
    """Language and room are the newest ones."""

    async def learn(tx: Tx) -> None:
        await people.ensure(tx, ANNA, NOW)
        await people.set_language(tx, ANNA, "de")
        await people.set_room(tx, ANNA, RoomId("!old:x"))
        await people.set_room(tx, ANNA, ROOM)

    await database.write(learn)
    anna = await database.read(lambda tx: people.get(tx, ANNA))
    assert anna is not None
    assert (anna.language, anna.room_id, anna.master_key, anna.greeted_at) == ("de", ROOM, None, None)


async def test_the_first_identity_counts(database: Database) -> None:
    """A second master key does not replace the pinned one; the caller sees which one counts."""

    async def pin(tx: Tx) -> list[str]:
        await people.ensure(tx, ANNA, NOW)
        return [await people.pin_master_key(tx, ANNA, key) for key in ("first", "second", "first")]

    assert await database.write(pin) == ["first", "first", "first"]


async def test_a_person_is_greeted_once(database: Database) -> None:
    """Whoever is the first to say so greets."""

    async def greet(tx: Tx) -> list[bool]:
        await people.ensure(tx, ANNA, NOW)
        return [await people.mark_greeted(tx, ANNA, NOW), await people.mark_greeted(tx, ANNA, NOW)]

    assert await database.write(greet) == [True, False]


async def _ask(tx: Tx, event_id: str, seconds: float = 3600) -> bool:
    return await prompts.ask(
        tx,
        person=ANNA,
        room_id=ROOM,
        kind="relay",
        event_id=EventId(event_id),
        content={"body": f"words of {event_id}"},
        now=NOW,
        expires_at=after(seconds),
    )


async def test_a_question_is_asked_once_a_message(database: Database) -> None:
    """Asking again about the same message asks nothing."""
    assert [await database.write(lambda tx: _ask(tx, "$1")), await database.write(lambda tx: _ask(tx, "$1"))] == [
        True,
        False,
    ]


async def test_the_newest_open_question_is_the_one_answered(database: Database) -> None:
    """Expired and answered ones are none; each can be answered once; other people have their own."""
    for event_id, seconds in (("$1", 3600), ("$2", 3600), ("$3", 60)):
        await database.write(lambda tx, event_id=event_id, seconds=seconds: _ask(tx, event_id, seconds))  # type: ignore[misc] # mypy can't infer a lambda with defaults
    newest = await database.read(lambda tx: prompts.newest_open(tx, ANNA, after(61)))
    assert newest is not None
    assert (newest.content, "words" in repr(newest)) == ({"body": "words of $2"}, False)
    answers = [await database.write(lambda tx: prompts.answer(tx, newest.id, after(62))) for _ in range(2)]
    following = await database.read(lambda tx: prompts.newest_open(tx, ANNA, after(63)))
    assert (answers, following and following.event_id) == ([True, False], "$1")
    assert await database.read(lambda tx: prompts.newest_open(tx, BORIS, NOW)) is None


async def test_expired_questions_are_forgotten(database: Database) -> None:
    """With the words that they were about."""
    await database.write(lambda tx: _ask(tx, "$1", 60))
    assert await database.write(lambda tx: prompts.forget(tx, after(61))) == 1


async def test_a_matter_is_one_alert(database: Database) -> None:
    """Noticed twice it is one row; closed, it is gone from the list and can't be closed again."""

    async def notice(tx: Tx) -> bool:
        return await alerts.open(tx, key="job:1", code="export.held", now=NOW)

    noticed = [await database.write(notice), await database.write(notice)]
    listed = [(one.key, one.code, one.case_id) for one in await database.read(alerts.list_open)]
    closed = [await database.write(lambda tx: alerts.close(tx, "job:1", NOW)) for _ in range(2)]
    assert (noticed, listed, closed) == ([True, False], [("job:1", "export.held", None)], [True, False])
    assert await database.read(alerts.list_open) == []


async def test_a_volume_goes_its_way(database: Database) -> None:
    """Built, uploaded, sent, deleted; its key is there only from the upload until it is sent."""
    case_id = await database.write(_case)

    async def seen() -> tuple[object, ...]:
        [row] = await database.read(lambda tx: volumes.of_case(tx, case_id))
        return row.size, row.mxc, row.file, row.event_id, row.deleted_at

    await database.write(lambda tx: volumes.put(tx, case_id, 1, 10, "a"))
    await database.write(lambda tx: volumes.put(tx, case_id, 1, 20, "b"))
    assert await seen() == (20, None, None, None, None)
    assert await database.write(lambda tx: volumes.uploaded(tx, case_id, 1, FILE)) is True
    assert await seen() == (20, FILE.url, FILE, None, None)
    await database.write(lambda tx: volumes.sent(tx, case_id, 1, ROOM, EventId("$v"), NOW))
    assert await seen() == (20, FILE.url, None, "$v", None)
    left = await database.read(lambda tx: volumes.undeleted_before(tx, after(1)))
    assert [(row.case_id, row.number) for row in left] == [(case_id, 1)]
    await database.write(lambda tx: volumes.deleted(tx, case_id, 1, after(2)))
    assert await database.read(lambda tx: volumes.undeleted_before(tx, after(3))) == []


async def test_an_upload_counts_once(database: Database) -> None:
    """Neither a second upload nor a second build replaces one that is known."""
    case_id = await database.write(_case)
    other = EncryptedFile(Mxc("mxc://x/2"), {}, "iv", {}, 7)
    await database.write(lambda tx: volumes.put(tx, case_id, 1, 10, "a"))
    await database.write(lambda tx: volumes.uploaded(tx, case_id, 1, FILE))
    again = await database.write(lambda tx: volumes.uploaded(tx, case_id, 1, other))
    await database.write(lambda tx: volumes.put(tx, case_id, 1, 99, "z"))
    [row] = await database.read(lambda tx: volumes.of_case(tx, case_id))
    assert (again, row.mxc, row.size, "secret-key" in repr(row)) == (False, FILE.url, 10, False)


async def test_a_volumes_key_is_not_readable_in_the_database(database: Database) -> None:
    """What opens an archive is an envelope there."""
    case_id = await database.write(_case)
    await database.write(lambda tx: volumes.put(tx, case_id, 1, 10, "a"))
    await database.write(lambda tx: volumes.uploaded(tx, case_id, 1, FILE))

    async def stored(tx: Tx) -> bytes:
        return bytes((await tx.conn.execute(sa.select(volume_table.c.sealed))).scalar_one())

    assert b"secret-key" not in await database.read(stored)


async def test_facts_of_the_bot_are_replaced(database: Database) -> None:
    """The newest value counts; its birth is noted once."""
    for value in ("1", "2"):
        await database.write(lambda tx, value=value: bot_state.set(tx, "x", value))  # type: ignore[misc] # mypy can't infer a lambda with a default
    for moment in (NOW, after(60)):
        await database.write(lambda tx, moment=moment: bot_state.be_born(tx, moment))  # type: ignore[misc] # mypy can't infer a lambda with a default
    assert [await database.read(lambda tx: bot_state.get(tx, "x")), await database.read(bot_state.born_at)] == [
        "2",
        NOW,
    ]


async def test_a_naive_moment_is_refused(database: Database) -> None:
    """A time without a zone never reaches a column; the error does not show the values."""
    with pytest.raises(StatementError) as caught:
        await database.write(lambda tx: people.ensure(tx, ANNA, datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the point
    assert ["naive" in str(caught.value), ANNA in str(caught.value)] == [True, False]


async def test_moments_keep_their_microseconds(database: Database) -> None:
    """Both databases give back what they were given, in UTC."""
    moment = NOW.replace(microsecond=123456)
    anna = await database.write(lambda tx: people.ensure(tx, ANNA, moment))
    assert anna.created_at == moment
