"""Brings a database's tables to the state that this version of the code expects."""

from sqlalchemy import Connection, inspect, text

from dpobot.store import connect
from dpobot.store.tx import Tx

HEAD = "0005"  # the newest revision in migrations/versions; a test compares
_LOCK = 0x64706F626F74  # "dpobot": one migration at a time on PostgreSQL; SQLite's write lock does it there
_REVISION = text("SELECT version_num FROM alembic_version")


async def upgrade(url: str) -> None:
    """Apply every migration that is missing, all or none.

    Raises `ConfigurationError` if the database has been migrated by a newer dpobot.
    """
    engine = connect.engine(url, migrating=True)
    try:
        async with engine.begin() as conn:
            await conn.run_sync(_upgrade)
    finally:
        await engine.dispose()


async def revision(tx: Tx) -> str:
    """Return the revision that the database's tables are at, ``HEAD`` unless another dpobot has moved them on."""
    return str((await tx.conn.execute(_REVISION)).scalar_one())


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if revisions(connection) == {HEAD}:
        return
    # alembic costs memory for as long as the process runs: only who has something to migrate loads it
    from dpobot.store import migrating

    migrating.upgrade(connection)


def revisions(connection: Connection) -> set[str]:
    """Return the revisions of a database, none for one without tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(_REVISION).scalars())
