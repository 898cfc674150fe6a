"""Brings a database's tables to the state that this version of the code expects."""

from importlib.resources import as_file, files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from dpobot.errors import ConfigurationError
from dpobot.store import connect

_LOCK = 0x64706F626F74  # "dpobot": one migration at a time on PostgreSQL; SQLite's write lock does it there


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


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    with as_file(files("dpobot.store").joinpath("migrations")) as folder:
        config = configuration(folder)
        _refuse_newer(connection, config)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def configuration(folder: Path) -> Config:
    """Return alembic's configuration for a folder of migrations."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_newer(connection: Connection, config: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    for revision in MigrationContext.configure(connection).get_current_heads():
        if revision not in known:
            problem = f"this database belongs to a newer dpobot (revision {revision}); install that version"
            raise ConfigurationError([f"data.database_url: {problem}"])
