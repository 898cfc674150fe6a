"""Applies migrations with alembic; loaded only where there is something to migrate."""

from importlib.resources import as_file, files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from dpobot.errors import ConfigurationError


def upgrade(connection: Connection) -> None:
    """Apply what is missing. Raises `ConfigurationError` if a newer dpobot has migrated this database."""
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
            problem = (
                f"this database belongs to a newer dpobot (revision {revision}); install that version,"
                " or restore the backup from before its upgrade"
            )
            raise ConfigurationError([f"data.database_url: {problem}"])
