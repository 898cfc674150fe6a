"""The job `expire`: an archive leaves the homeserver and this machine, after `received`, `cancel` or its time."""

import asyncio
import shutil

from dpobot import log
from dpobot.cases import queries, service
from dpobot.delivery.messages import key
from dpobot.download.shelf import Shelf
from dpobot.engine.api import JobRun, StepResult
from dpobot.errors import Rejected
from dpobot.jobs.parts import Parts
from dpobot.model.ids import EventId, RoomId
from dpobot.model.words import CaseState
from dpobot.store import downloads, jobs, volumes
from dpobot.store.database import Tx
from dpobot.store.volumes import VolumeRow

_logger = log.get(__name__)


class Expire:
    """Deletes the media of a case's volumes and redacts their messages; closes the case if nobody has yet."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, run: JobRun) -> None:
        """Carry the job out."""
        await run.steps.step("link closed", lambda: take_back_link(self._parts, run.job.case_id))
        sent = await self._parts.database.read(lambda tx: volumes.of_case(tx, run.job.case_id))
        for volume in sent:
            await run.steps.step(f"expire:{volume.number}", lambda volume=volume: take_back(self._parts, volume))  # type: ignore[misc] # bound per turn
        await run.steps.step("spool removed", lambda: self._remove(run.job.case_id))
        await run.steps.step("close", lambda: self._close(run.job.case_id))

    async def _remove(self, case_id: int) -> StepResult:
        """A package that was held and then withdrawn still lies in its spool, in clear."""
        for job in await self._parts.database.read(lambda tx: jobs.of_case(tx, case_id)):
            await asyncio.to_thread(shutil.rmtree, self._parts.spool_of(job.id), ignore_errors=True)
        return {}

    async def _close(self, case_id: int) -> StepResult:
        await self._parts.database.write(lambda tx: self._close_case(tx, case_id))
        return {}

    async def _close_case(self, tx: Tx, case_id: int) -> None:
        case = await queries.by_id(tx, case_id)
        if case is not None and case.state is CaseState.DELIVERED:
            await service.move(tx, self._parts.clock.now(), case, CaseState.CLOSED, "bot", "delivery.expired")


async def take_back(parts: Parts, volume: VolumeRow) -> StepResult:
    """Delete a volume from the server and redact its message; harmless to repeat.

    The bytes first: a message without bytes is harmless, bytes without a message are still there.
    """
    existed = await parts.homeserver.delete_media(volume.mxc) if volume.mxc else False
    if volume.room_id and volume.event_id:
        txn_id = key("expire", volume.case_id, volume.number, volume.event_id)
        await _redact(parts, volume.case_id, volume.room_id, volume.event_id, txn_id)
    now = parts.clock.now()
    await parts.database.write(lambda tx: volumes.deleted(tx, volume.case_id, volume.number, now))
    return {"existed": existed}


async def take_back_link(parts: Parts, case_id: int) -> StepResult:
    """Delete what lies behind a case's link and redact its message; harmless to repeat, and without a link.

    From the first note on nobody gets anything; the last one stands when nothing is left.
    """
    known, now = await parts.database.read(lambda tx: downloads.of_case(tx, case_id)), parts.clock.now()
    if known is None:  # another machine has forgotten it, and what it led to may lie here
        return {"existed": await asyncio.to_thread(Shelf(parts.downloads).remove, case_id)}
    await parts.database.write(lambda tx: downloads.end(tx, case_id, now))
    existed = await asyncio.to_thread(Shelf(parts.downloads).remove, case_id)
    if known.room_id and known.event_id:
        txn_id = key("expire link", case_id, known.event_id)
        await _redact(parts, case_id, known.room_id, known.event_id, txn_id)
    await parts.database.write(lambda tx: downloads.closed(tx, case_id, now))
    return {"existed": existed}


async def _redact(parts: Parts, case_id: int, room_id: RoomId, event_id: EventId, txn_id: str) -> None:
    try:
        await parts.matrix.redact(room_id, event_id, txn_id=txn_id)
    except Rejected as refusal:  # we are no longer in that room: the bytes are gone all the same
        _logger.info("expire.not_redacted", case_id=case_id, code=refusal.code)
