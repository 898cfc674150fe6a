"""An older database becomes a newer one and keeps what is in it."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dpobot.errors import Outdated
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import (
    assessments,
    case_messages,
    cases,
    downloads,
    erasure_rooms,
    erasures,
    files,
    inbox,
    jobs,
    outbox,
    people,
    prompts,
    rectifications,
    schema,
    volumes,
)
from dpobot.store.columns import JSON, Moment
from dpobot.store.database import Database, Tx
from dpobot.store.seal import Seal
from dpobot.store.watch import SchemaWatch
from tests.unit.store.moments import ANNA, NOW, after
from tests.unit.store.older import at_revision, everything, snapshot

_MOMENTS = ("received_at", "due_at", "updated_at", "closed_at", "at", "created_at", "not_before", "sent_at")
_TYPES: dict[str, Any] = {"options": JSON, **dict.fromkeys(_MOMENTS, Moment())}


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004"])
async def test_every_revision_becomes_the_newest_with_all_that_is_in_it(
    database_url: str, seal: Seal, revision: str
) -> None:
    """A row in every table: each column keeps its value, and what reads it now reads it."""
    before: dict[str, dict[str, Any]] = {}

    def fill(connection: sa.Connection) -> None:
        everything(seal)(connection)
        before.update(snapshot(connection))

    await at_revision(database_url, revision, fill)
    database = Database(database_url, seal)
    await database.open()

    async def after_it(tx: Tx) -> dict[str, dict[str, Any]]:
        return await tx.conn.run_sync(lambda connection: snapshot(connection, before.keys()))

    now = await database.read(after_it)
    read = await database.read(_readers)
    at = await database.read(schema.revision)
    await database.close()
    kept = {name: {column: now[name][column] for column in row} for name, row in before.items()}
    assert (at, kept) == (schema.HEAD, before)
    assert {name: value for name, value in read.items() if name in before} == {
        name: value for name, value in _READ.items() if name in before
    }


_READ = {
    "person": ANNA,
    "case": "DPO-2026-0001",
    "case_message": "my words",
    "case_file": "file.pdf",
    "inbox": {"body": "words of inbox"},
    "outbox": {"body": "words of outbox"},
    "prompt": {"body": "words of prompt"},
    "assessment": "my reasons",
    "job": "export",
    "job_step": {"job_step-name": {"count": 1}},
    "volume": "volume-sha256",
    "download": "s" * 43,
    "erasure": {"count": 1},
    "erasure_room": "redact",
    "rectification": "rectification-fi",
}


async def _readers(tx: Tx) -> dict[str, Any]:
    """Read one value of each table as the bot reads it; None where there is no row."""
    heard, said = await inbox.due(tx, NOW, 10), await outbox.due(tx, NOW, 10)
    person, prompt = await people.get(tx, ANNA), await prompts.newest(tx, ANNA)
    erasure, rectification = await erasures.get(tx, 1), await rectifications.get(tx, 1)
    return {
        "person": person and person.user_id,
        "case": (await cases.get(tx, 1)).reference,
        "case_message": _first(await case_messages.of_case(tx, 1), "text"),
        "case_file": next((each.file.name for each in await files.of_case(tx, 1)), None),
        "inbox": _first(heard, "payload"),
        "outbox": _first(said, "content"),
        "prompt": prompt and prompt.content,
        "assessment": _first(await assessments.of_case(tx, 1), "reasons"),
        "job": _first(await jobs.due(tx, NOW, 10, {"export"}), "name"),
        "job_step": await jobs.steps_of(tx, 1),
        "volume": _first(await volumes.of_case(tx, 1), "sha256"),
        "download": await downloads.token_of(tx, 1),
        "erasure": erasure and erasure.counts,
        "erasure_room": _first(await erasure_rooms.of_case(tx, 1), "fate"),
        "rectification": rectification and rectification.field,
    }


def _first(found: Any, name: str) -> Any:
    return getattr(found[0], name) if found else None


async def test_who_runs_while_a_newer_one_migrates_stops(database: Database) -> None:
    """The watch sees the revision of another code and ends the run with a sentence; its own revision it passes over."""
    watch = SchemaWatch(database)
    await watch.once()

    async def move_on(tx: Tx) -> None:
        await tx.conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    await database.write(move_on)
    with pytest.raises(Outdated, match="brought to revision 9999 by another dpobot, and this one knows"):
        await watch.once()


def _insert(connection: sa.Connection, name: str, **values: Any) -> None:
    """Insert a row with the columns of that time, whatever the tables are now."""
    columns = [sa.column(key, _TYPES.get(key)) for key in values]
    connection.execute(sa.insert(sa.table(name, *columns)).values(**values))


def _case(connection: sa.Connection, number: int, **other: Any) -> None:
    values = {
        "id": number,
        "reference": f"DPO-2026-{number:04d}",
        "person": ANNA,
        "kind": Kind.EXPORT.value,
        "state": CaseState.REVIEW.value,
        "channel": Channel.MATRIX.value,
        "trust": Trust.SIGNED.value,
        "options": {},
        "received_at": NOW,
        "due_at": after(30 * 86400),
        "updated_at": NOW,
    }
    _insert(connection, "case", **(values | other))


async def test_the_first_revision_becomes_the_second(database_url: str, seal: Seal) -> None:
    """Cases, people and words stay; what is new has the values that mean "as before"; ended cases know their days."""

    def fill(connection: sa.Connection) -> None:
        _insert(connection, "person", user_id=ANNA, created_at=NOW)
        _case(connection, 1)
        _case(connection, 2, state=CaseState.CLOSED.value, closed_at=NOW + timedelta(days=12, hours=5))
        sealed = seal.close(b"my words", "case_message.sealed")
        _insert(connection, "case_message", case_id=1, event_id="$1", sealed=sealed, at=NOW)
        content = seal.close_json({"body": "hello"}, "outbox.sealed")
        waiting = {"key": "k", "user_id": ANNA, "sealed": content, "cleartext": False, "state": "new"}
        _insert(connection, "outbox", **waiting, not_before=NOW, created_at=NOW)

    await at_revision(database_url, "0001", fill)
    database = Database(database_url, seal)
    await database.open()

    async def look(tx: Tx) -> list[Any]:
        [message] = await case_messages.of_case(tx, 1)
        [item] = await outbox.due(tx, NOW, 10)
        person = await people.get(tx, ANNA)
        return [await cases.get(tx, 1), await cases.get(tx, 2), message, item, person]

    open_, closed, message, item, person = await database.read(look)
    await database.close()
    assert (open_.reference, open_.state, open_.received_at, open_.options) == ("DPO-2026-0001", "review", NOW, {})
    assert (open_.legal_hold, open_.extended_months, open_.assignee, open_.days) == (False, 0, None, None)
    assert (closed.state, closed.days) == ("closed", 12)
    assert (message.text, message.author, message.direction, message.posted) == ("my words", None, "person", True)
    assert (item.content, item.relation, item.attachment, person.language) == ({"body": "hello"}, None, None, "en")


async def test_archives_that_were_delivered_before_there_were_links(database_url: str, seal: Seal) -> None:
    """Their volumes stay as they are, without a name; a link can be made for their case."""

    def fill(connection: sa.Connection) -> None:
        _case(connection, 1, state=CaseState.DELIVERED.value)
        sent = {"mxc": "mxc://x/1", "room_id": "!r:x", "event_id": "$v", "sent_at": NOW}
        _insert(connection, "volume", case_id=1, number=1, size=7, sha256="f" * 64, **sent)
        _insert(connection, "volume", case_id=1, number=2, size=9, sha256="e" * 64)

    await at_revision(database_url, "0003", fill)
    database = Database(database_url, seal)
    await database.open()

    async def promise(tx: Tx) -> bool:
        return await downloads.promise(tx, 1, "s" * 43, "a" * 64, now=NOW, expires_at=after(60))

    first, second = await database.read(lambda tx: volumes.of_case(tx, 1))
    made = await database.write(promise)
    await database.close()
    assert (first.size, first.mxc, first.event_id, first.sent_at, first.name) == (7, "mxc://x/1", "$v", NOW, None)
    assert (second.sha256, second.mxc, second.deleted_at, second.name, made) == ("e" * 64, None, None, None, True)
