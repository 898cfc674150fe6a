"""Tidying: no disk is shared, so each machine itself removes what it no longer has a right or a reason to keep.

What another machine's job has ended, or goes on with, lies here in clear until somebody looks (Art. 5(1)(e), (f) GDPR).
"""

import asyncio
import secrets
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dpobot import log
from dpobot.download.shelf import Shelf
from dpobot.engine import machine as machines
from dpobot.errors import Unavailable
from dpobot.jobs.parts import Parts
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store import downloads, jobs

_PAUSE = 300.0  # seconds
_IDLE = timedelta(hours=24)  # so long a job that waits may come back to this machine's spool, where there are others
_SHORT_LIVED = timedelta(hours=1)  # what a job lays here for the moment and not under its own number
_GOING = ".gone-"
_logger = log.get(__name__)


class Tidying:
    """Removes spools and shelves of this machine that are over, at the start and every five minutes.

    ``machine`` is its name (`engine.machine`).
    """

    def __init__(self, parts: Parts, machine: str) -> None:
        self._parts = parts
        self._machine = machine
        self._shelf = Shelf(parts.downloads)

    async def run(self) -> None:
        """Tidy until cancelled; what can't be done now is tried again five minutes later."""
        while True:
            try:
                await self.once()
            except Unavailable as trouble:
                _logger.warning("tidying.unavailable", code=trouble.code)
            await asyncio.sleep(_PAUSE)

    async def once(self) -> int:
        """Remove what is over; return how many spools and shelves that were. Raises `Unavailable`."""
        spools, shelves = await self._spools(), await self._shelves()
        if spools or shelves:
            _logger.info("tidying.done", spool_count=spools, shelf_count=shelves)
        return spools + shelves

    async def _spools(self) -> int:
        found = await asyncio.to_thread(lambda: sorted(self._parts.spool.iterdir()))
        over = [path for path in found if await self._is_over(path)]
        for path in over:
            await asyncio.to_thread(_remove, path)
        return len(over)

    async def _is_over(self, path: Path) -> bool:
        if not path.name.isdecimal():
            return path.name.startswith(_GOING) or await self._untouched(path, _SHORT_LIVED)
        job = await self._parts.database.read(lambda tx: jobs.get(tx, int(path.name)))
        return job is None or await self._is_over_for(job, path)

    async def _is_over_for(self, job: Job, path: Path) -> bool:
        """Say whether a job no longer needs its spool; a held or failed one is made anew under another number."""
        if job.state not in (JobState.WANTED, JobState.RUNNING):
            return True
        if job.state is JobState.RUNNING:
            return machines.runs_elsewhere(job.run_token, self._machine)
        return self._parts.config.cluster.enabled and await self._untouched(path, _IDLE)

    async def _untouched(self, path: Path, lasting: timedelta) -> bool:
        touched = await asyncio.to_thread(_touched, path)
        return touched is not None and self._parts.clock.now() - touched > lasting

    async def _shelves(self) -> int:
        """Remove what no link leads to; a case's link that another machine has made anew leads nowhere here."""
        found, now = await asyncio.to_thread(self._shelf.links), self._parts.clock.now()
        live = await self._parts.database.read(lambda tx: downloads.live(tx, now))
        over = [case_id for case_id, link in found.items() if case_id not in live or link not in (None, live[case_id])]
        for case_id in over:
            await asyncio.to_thread(self._shelf.remove, case_id)
        return len(over)


def _remove(path: Path) -> None:
    """Remove a folder or file; a job that comes back to it meanwhile finds all of it or nothing."""
    going = path if path.name.startswith(_GOING) else path.with_name(_GOING + secrets.token_hex(8))
    try:
        path.rename(going)
        shutil.rmtree(going) if going.is_dir() else going.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unavailable("disk") from error


def _touched(path: Path) -> datetime | None:
    """Return when something in a folder was last written, None if it is gone."""
    try:
        newest = max(each.stat().st_mtime for each in (path, *path.rglob("*")))
    except FileNotFoundError:  # somebody is at work in it, or has removed it
        return None
    return datetime.fromtimestamp(newest, UTC)
