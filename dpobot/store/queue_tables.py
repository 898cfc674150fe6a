"""The tables that procrastinate keeps beside ours: made once, whoever starts first, and never by our migrations."""

import sqlalchemy as sa

from dpobot.errors import ConfigurationError
from dpobot.store import bot_state
from dpobot.store.tx import Tx

_SCHEMA = "queue.schema"  # of which version they were made: a row of bot_state
_LOCK = 0x64706F717565  # "dpoque": one process at a time looks, and makes them
_CURE = (
    "stop every process of dpobot and drop procrastinate's tables and types (docs/scale.md); the next start makes them"
    " again and nothing is lost: the queue is filled from dpobot's own table of jobs"
)


async def prepare(tx: Tx, script: str, version: str) -> None:
    """Run ``script`` if there are no such tables yet; ``version`` names it, and sorts behind older ones.

    Raises `ConfigurationError` if the tables are of another version, or not of dpobot's making.
    """
    await tx.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    there = (await tx.conn.execute(sa.select(sa.func.to_regclass("procrastinate_jobs")))).scalar() is not None
    if not there:
        await tx.conn.exec_driver_sql(script.replace("%", "%%"))
        await bot_state.set(tx, _SCHEMA, version)
        return
    known = await bot_state.get(tx, _SCHEMA)
    if known != version:
        raise ConfigurationError([f"data.database_url: {_what(known, version)}; {_CURE}"])


def _what(known: str | None, version: str) -> str:
    if known is None:
        return "it has tables of procrastinate that dpobot did not make"
    age = "a newer" if known > version else "an older"
    return f"its queue belongs to {age} procrastinate (schema {known}, this one brings {version})"
