"""Databases as older versions of dpobot left them, with a row in every table that there was."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from importlib.resources import as_file, files
from typing import Any

import sqlalchemy as sa
from alembic import command

from dpobot.model.erasure import ErasureOptions
from dpobot.model.ids import Mxc
from dpobot.model.records import EncryptedFile, FileRef, IncomingKind
from dpobot.model.words import CaseState, Channel, JobState, Kind, Trust
from dpobot.store import connect, migrating
from dpobot.store.seal import Seal
from dpobot.store.tables import metadata
from tests.unit.store.moments import ANNA, NOW, ROOM

Fill = Callable[[sa.Connection], None]
_FILE = FileRef("file.pdf", "application/pdf", EncryptedFile(Mxc("mxc://x/1"), {"k": "A"}, "B", {"sha256": "C"}, 7))


async def at_revision(url: str, revision: str, fill: Fill) -> None:
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


def everything(seal: Seal) -> Fill:
    """Return what puts one row into every table of that time, with values that its readers know."""

    def fill(connection: sa.Connection) -> None:
        inspector = sa.inspect(connection)
        there = set(inspector.get_table_names())
        for table in metadata.sorted_tables:
            if table.name in there:
                columns = {found["name"] for found in inspector.get_columns(table.name)}
                connection.execute(sa.insert(table).values(_row(seal, table, columns)))

    return fill


def snapshot(connection: sa.Connection, names: Collection[str] = metadata.tables) -> dict[str, dict[str, Any]]:
    """Return the first row of each table that there is, by the columns that it has now."""
    inspector = sa.inspect(connection)
    found = {}
    for name in set(inspector.get_table_names()) & set(names):
        columns = [metadata.tables[name].c[each["name"]] for each in inspector.get_columns(name)]
        found[name] = dict(connection.execute(sa.select(*columns).order_by(columns[0])).mappings().all()[0])
    return found


def _row(seal: Seal, table: sa.Table, columns: set[str]) -> dict[str, Any]:
    special = _values(seal).get(table.name, {})
    return {
        column.name: special[column.name] if column.name in special else _value(seal, table, column)
        for column in table.c
        if column.name in columns
    }


def _value(seal: Seal, table: sa.Table, column: sa.Column[Any]) -> Any:
    """Return something that fits a column, by its name and type."""
    known: dict[str, Any] = {"person": ANNA, "user_id": ANNA, "sender": ANNA, "room_id": ROOM, "event_id": "$event"}
    if column.name in known:
        return known[column.name]
    if column.name == "sealed":
        return seal.close_json({"body": f"words of {table.name}"}, f"{table.name}.sealed")
    if isinstance(column.type, sa.Boolean):
        return True
    if isinstance(column.type, sa.Integer):
        return 1
    if isinstance(column.type, sa.LargeBinary):
        return b"bytes"
    if isinstance(column.type, sa.JSON):
        return {"count": 1}
    return NOW if "Moment" in repr(column.type) else f"{table.name}-{column.name}"[: getattr(column.type, "length", 99)]


def _values(seal: Seal) -> Mapping[str, Mapping[str, Any]]:
    """Return what readers want to find: words of the fixed lists, and sealed values of another shape."""
    case = {"reference": "DPO-2026-0001", "kind": Kind.ERASURE, "state": CaseState.REVIEW, "channel": Channel.MATRIX}
    ended = {"closed_at": NOW + timedelta(days=12, hours=5), "days": 12, "expired_at": None}
    return {
        "case": case | ended | {"trust": Trust.SIGNED, "options": {}},
        "case_message": {"sealed": seal.close(b"my words", "case_message.sealed"), "direction": "person"},
        "case_file": {"purpose": "evidence", "sealed": seal.close_json(_FILE.to_json(), "case_file.sealed")},
        "inbox": {"kind": IncomingKind.TEXT, "state": "new"},
        "outbox": {"state": "new", "attachment": None, "relation": None},
        "assessment": {"sealed": seal.close(b"my reasons", "assessment.sealed")},
        "job": {"name": "export", "state": JobState.WANTED, "cancel": False, "run_token": None},
        "erasure": {"options": ErasureOptions().to_json(), "residuals": [], "failures": {}, "sealed": None},
        "erasure_room": {"fate": "redact", "state": "new", "membership": "join"},
        "prompt": {"answered_at": None, "expires_at": NOW + timedelta(days=1)},
        "download": {"sealed": seal.close(b"s" * 43, "download.sealed")},
        "volume": {"sealed": None},
    }
