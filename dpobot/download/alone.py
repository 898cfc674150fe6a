"""Of the processes that share a data folder one gives out what lies in it; the others wait until it is their turn."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from dpobot import log

_PAUSE = 2.0  # seconds between two attempts
_logger = log.get(__name__)


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[None]:
    """Wait until no other process of this machine serves a folder; flock(2) ends with the process that has it."""
    handle = os.open(folder.with_name(f"{folder.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _taken(handle):
            _logger.info("download.served_by_another")
            while not _taken(handle):  # noqa: ASYNC110 - another process lets go of it, and sets no event here
                await asyncio.sleep(_PAUSE)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
