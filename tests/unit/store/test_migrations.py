"""An older database becomes a newer one and keeps what is in it."""

from datetime import timedelta
from importlib.resources import as_file, files
from typing import Any

import sqlalchemy as sa
from alembic import command

from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import case_messages, cases, connect, downloads, migrating, outbox, people, volumes
from dpobot.store.columns import JSON, Moment
from dpobot.store.database import Database, Tx
from dpobot.store.seal import Seal
from tests.unit.store.moments import ANNA, NOW, after

_MOMENTS = ("received_at", "due_at", "updated_at", "closed_at", "at", "created_at", "not_before", "sent_at")
_TYPES: dict[str, Any] = {"options": JSON, **dict.fromkeys(_MOMENTS, Moment())}


async def _at_revision(url: str, revision: str, fill: Any) -> None:
    """Make a database as an older dpobot left it."""
    connect.prepare(url)
    engine = connect.engine(url, migrating=True)

    def make(connection: sa.Connection) -> None:
        with as_file(files("dpobot.store").joinpath("migrations")) as folder:
            config = migrating.configuration(folder)
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        fill(connection)

    async with engine.begin() as connection:
        await connection.run_sync(make)
    await engine.dispose()


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

    await _at_revision(database_url, "0001", fill)
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

    await _at_revision(database_url, "0003", fill)
    database = Database(database_url, seal)
    await database.open()

    async def promise(tx: Tx) -> bool:
        return await downloads.promise(tx, 1, "s" * 43, "a" * 64, now=NOW, expires_at=after(60))

    first, second = await database.read(lambda tx: volumes.of_case(tx, 1))
    made = await database.write(promise)
    await database.close()
    assert (first.size, first.mxc, first.event_id, first.sent_at, first.name) == (7, "mxc://x/1", "$v", NOW, None)
    assert (second.sha256, second.mxc, second.deleted_at, second.name, made) == ("e" * 64, None, None, None, True)
