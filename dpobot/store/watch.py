"""Notices that the tables were moved on by a newer dpobot while this one runs."""

import asyncio
from collections.abc import Awaitable, Callable

from dpobot import log
from dpobot.errors import Outdated, Unavailable
from dpobot.store import schema
from dpobot.store.database import Database

_SECONDS = 15.0
_logger = log.get(__name__)


class SchemaWatch:
    """Looks at the database's revision again and again. ``pause`` waits a number of seconds."""

    def __init__(self, database: Database, pause: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._database = database
        self._pause = pause

    async def run(self) -> None:
        """Look until cancelled. Raises `Outdated` as soon as the tables are no longer those that this code knows."""
        while True:
            await self._pause(_SECONDS)
            try:
                await self.once()
            except Unavailable as trouble:
                _logger.warning("schema.unavailable", code=trouble.code)

    async def once(self) -> None:
        """Look once. Raises `Outdated`, `Unavailable`."""
        found = await self._database.read(schema.revision)
        if found != schema.HEAD:
            raise Outdated(found, schema.HEAD)
