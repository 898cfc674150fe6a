"""Whether this database is the one that was in use, or a copy: put back from a backup, or moved to another place.

A copy that `dpobot backup` has made carries a mark. On PostgreSQL the numbers under which the server keeps this
database and its tables are noted: what is put back from a dump has others. Of a copy only a human knows whether
something happened after it was made: see `dpobot restored`.
"""

import sqlalchemy as sa

from dpobot.errors import ConfigurationError
from dpobot.store import bot_state
from dpobot.store.tx import Tx

COPIED = "copy.made_at"  # in a copy: when it was made, ISO 8601
_PLACE = "database.place"
_NUMBERS = sa.text(
    "SELECT concat_ws('.', (SELECT oid FROM pg_database WHERE datname = current_database()),"
    " to_regclass('bot_state')::oid, to_regclass('inbox')::oid)"
)


async def refuse_copy(tx: Tx) -> None:
    """Note the place of a database that is used for the first time. Raises `ConfigurationError` for a copy."""
    made_at, place, known = await bot_state.get(tx, COPIED), await _place(tx), await bot_state.get(tx, _PLACE)
    if made_at is not None or (known is not None and known != place):
        when = f" of {made_at}" if made_at else ""
        problem = (
            f"this database is a copy{when}; was it put back from a backup, then run: dpobot restored;"
            " was it only moved while the bot was stopped, then run: dpobot restored --nothing-lost"
        )
        raise ConfigurationError([f"data.database_url: {problem}"])
    if place is not None and known is None:
        await bot_state.set(tx, _PLACE, place)


async def accept(tx: Tx) -> None:
    """Let the copy be the database that is in use from now on."""
    await bot_state.drop(tx, COPIED)
    place = await _place(tx)
    if place is None:
        await bot_state.drop(tx, _PLACE)
    else:
        await bot_state.set(tx, _PLACE, place)


async def _place(tx: Tx) -> str | None:
    if tx.conn.dialect.name == "sqlite":
        return None  # a file may be moved as it is
    return str((await tx.conn.execute(_NUMBERS)).scalar_one())
