"""The job `verify_erasure`: asks the homeserver what is left of a person, and signs the receipt of their erasure.

It deletes nothing of theirs. What it finds decides: nothing but what was to stay closes the case; anything else is
staff's, who let the erasure try again or go on without.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from dpobot import log
from dpobot.cases import erasure as erasing
from dpobot.cases import notices, queries, service
from dpobot.engine.api import Cancelled, JobRun, StepResult
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs.parts import Parts
from dpobot.jobs.staff_line import StaffLine
from dpobot.model.erasure import ErasureRoom, Fate, Residual
from dpobot.model.ids import Mxc, RoomId
from dpobot.model.records import Case, Job, Reply
from dpobot.model.words import CaseState
from dpobot.receipt import codes, document, reasons, tally
from dpobot.store import alerts, erasure_rooms, erasures, jobs, receipts
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure

ALERT = "erasure_residuals"
SAMPLE = "sample"  # the step of the job `erase` that notes files to be asked for at their addresses
_ROOMS_AT_ONCE = 20
_ON_ITS_WAY = frozenset({CaseState.WORKING, CaseState.PARTIAL, CaseState.CLOSED})

_logger = log.get(__name__)

Question = Callable[[], Awaitable[Sequence[Residual]]]


class VerifyErasure:
    """Looks afterwards, in one case."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._line = StaffLine(parts)

    async def __call__(self, run: JobRun) -> None:
        """Carry the job out."""
        case, known = await self._parts.database.read(lambda tx: _to_verify(tx, run.job))
        if case.state is not CaseState.WORKING:  # a run before this one got to the end, but not to say so
            return
        found = await self._whole_account(run, case, known) if exceptional(case) is None else ()
        found, rooms = await self._rooms(run, case, known, found)
        await run.steps.step("end", lambda: self._end(run.job, reasons.together(found), rooms))

    async def _whole_account(self, run: JobRun, case: Case, known: Erasure) -> tuple[Residual, ...]:
        ask = self._parts.leftovers
        everything = known.options.media
        account = await _noted(run, "account", lambda: ask.of_account(case.person))
        media = await _noted(run, "media", lambda: ask.of_media(case.person, everything=everything))
        sample = await _noted(run, "media of the sample", lambda: self._sample(run.job.case_id))
        return (*account, *tally.shared_media(media, known.counts), *sample, *tally.other_servers(known.plan))

    async def _sample(self, case_id: int) -> Sequence[Residual]:
        """Ask for the files that the erasure has noted; those that were to stay are among those that are listed."""
        urls = await self._parts.database.read(lambda tx: _sample_of(tx, case_id))
        found: list[Residual] = []
        for url in urls:
            found += await self._parts.leftovers.of_file(url)
        return found

    async def _rooms(
        self, run: JobRun, case: Case, known: Erasure, found: Sequence[Residual]
    ) -> tuple[tuple[Residual, ...], tuple[RoomId, ...]]:
        """Return what was found with what is left in the rooms, and in which of those something is that should not."""
        everything, wrong = list(found), list[RoomId]()
        after: RoomId | None = None
        while True:
            batch = await self._parts.database.read(
                lambda tx, after=after: erasure_rooms.of_case(tx, case.id, after=after, limit=_ROOMS_AT_ONCE)  # type: ignore[misc] # bound per turn
            )
            if not batch:
                return tuple(everything), tuple(wrong)
            after = batch[-1].room_id
            name = f"rooms up to {after}"[:255]
            result = await run.steps.step(name, lambda batch=batch: self._batch(case, known, batch))  # type: ignore[misc] # bound per turn
            everything += _read(result)
            wrong += [RoomId(room_id) for room_id in result["wrong"]]

    async def _batch(self, case: Case, known: Erasure, batch: Sequence[ErasureRoom]) -> StepResult:
        found: list[Residual] = []
        wrong: list[RoomId] = []
        for room in batch:
            left = await self._room(case, known, room)
            found += left
            if reasons.unexpected(left):
                wrong.append(room.room_id)
        return {**_written(reasons.together(found)), "wrong": wrong}

    async def _room(self, case: Case, known: Erasure, room: ErasureRoom) -> Sequence[Residual]:
        ask = self._parts.leftovers
        if room.fate in (Fate.PURGE, Fate.OURS):
            left = await _certain("rooms", lambda: ask.of_deleted_room(room.room_id))
        else:
            redacted = known.options.redact
            left = await _certain("messages", lambda: ask.of_room(room.room_id, case.person, everything=redacted))
            if exceptional(case) is not None:  # only state was to go: what was said is not what this is about
                left = [each for each in left if each.category.startswith("state")]
        parted = room.membership != "join" and exceptional(case) is None  # else nobody has asked where they are
        return [tally.explained(each, room, parted=parted, skip=known.skip) for each in left]

    async def _end(self, job: Job, found: Sequence[Residual], wrong: Sequence[RoomId]) -> StepResult:
        return await self._parts.database.write(lambda tx: self._decide(tx, job, found, wrong))

    async def _decide(self, tx: Tx, job: Job, found: Sequence[Residual], wrong: Sequence[RoomId]) -> StepResult:
        case, known = await _to_verify(tx, job)
        if case.state is not CaseState.WORKING:
            return {}
        now = self._parts.clock.now()
        unexpected = reasons.unexpected(found)
        if unexpected and not known.skip:
            await self._stop(tx, now, case, job, unexpected, wrong)
        else:
            await self._finish(tx, now, case, known, found)
        return {"residuals": len(found), "unexpected": len(unexpected)}

    async def _stop(
        self, tx: Tx, now: datetime, case: Case, job: Job, unexpected: Sequence[Residual], wrong: Sequence[RoomId]
    ) -> None:
        for room_id in wrong:
            await erasure_rooms.failed(tx, case.id, room_id, reasons.STILL_THERE)
        failures = {f"verify.{each.category}": each.reason for each in unexpected}
        await erasing.stopped_short(tx, now, case, failures)
        await erasures.change(tx, case.id, residuals=unexpected, checked_at=now)
        await alerts.open(tx, key=f"{ALERT}:{case.id}:{job.id}", code=ALERT, now=now, case_id=case.id)
        values = {"groups": reasons.grouped(unexpected)}
        await self._tell(tx, now, case, Reply("receipt/something_left", values), case.id, job.id)

    async def _finish(self, tx: Tx, now: datetime, case: Case, known: Erasure, found: Sequence[Residual]) -> None:
        signed = await self._sign(tx, now, case, known, found)
        finished = await erasing.finished(tx, now, case, found)
        if self._parts.config.notices.send == "staff" and exceptional(case) is None:
            await notices.found(tx, now, finished, known)
        for alert in await alerts.list_open(tx):
            if alert.case_id == case.id and alert.code == ALERT:
                await alerts.close(tx, alert.key, now)
        unexpected = bool(reasons.unexpected(found))
        values = {"groups": reasons.grouped(found), "unexpected": unexpected, "signed": signed}
        await self._tell(tx, now, case, Reply("receipt/checked", values), case.id)

    async def _sign(self, tx: Tx, now: datetime, case: Case, known: Erasure, found: Sequence[Residual]) -> bool:
        """Sign the receipt that was promised with a code, and forget the code: who was to have it has it."""
        code = await erasures.code_of(tx, case.id)
        if code is None or known.plan_hash is None:
            return False
        signed = document.build(
            self._parts.receipt_key,
            case=case.reference,
            plan=known.plan_hash,
            counts=tally.gone(known.counts, found),
            residuals=found,
            times=_times(case, known, now),
            notice=self._parts.notice_version,
            subject=codes.subject_of(code, case.person),
        )
        await erasures.drop_code(tx, case.id)
        return await receipts.sign(tx, case.id, signed, now)

    async def _tell(self, tx: Tx, now: datetime, case: Case, reply: Reply, *once: object) -> None:
        room_id = await self._line.room(tx)
        if room_id is not None:
            told = replace(reply, values={**reply.values, "reference": case.reference})
            await self._line.say(tx, now, room_id, told, *once, case_id=case.id)


def exceptional(case: Case) -> Mapping[str, str] | None:
    """Return what an exceptional erasure is of (``scope``, ``room_id``), None for that of an account."""
    chosen: Mapping[str, str] | None = case.options.get(service.EXCEPTIONAL)
    return chosen


async def _to_verify(tx: Tx, job: Job) -> tuple[Case, Erasure]:
    case, known = await queries.by_id(tx, job.case_id), await erasures.get(tx, job.case_id)
    if case is None or known is None or case.state not in _ON_ITS_WAY:
        raise Cancelled
    return case, known


async def _sample_of(tx: Tx, case_id: int) -> tuple[Mxc, ...]:
    noted: set[str] = set()
    for job in await jobs.of_case(tx, case_id):
        if job.name == "erase":
            noted.update((await jobs.steps_of(tx, job.id)).get(SAMPLE, {}).get("media", ()))
    return tuple(Mxc(url) for url in sorted(noted))


async def _noted(run: JobRun, name: str, ask: Question) -> Sequence[Residual]:
    async def step() -> StepResult:
        return _written(await _certain(name.partition(" ")[0], ask))

    return _read(await run.steps.step(name, step))


async def _certain(category: str, ask: Question) -> Sequence[Residual]:
    """Return what was found; a server that refuses the question leaves it open, which is not nothing."""
    try:
        return list(await ask())
    except Rejected as refusal:
        if refusal.status == 401:  # says something of our token, nothing of this
            raise Unavailable(refusal.code) from refusal
        _logger.warning("erasure.check_failed", category=category, code=refusal.code)
        return [Residual(category, 0, reasons.CHECK_FAILED)]


def _written(found: Sequence[Residual]) -> dict[str, list[dict[str, object]]]:
    return {"residuals": [each.to_json() for each in found]}


def _read(result: StepResult) -> list[Residual]:
    return [Residual.from_json(each) for each in result["residuals"]]


def _times(case: Case, known: Erasure, now: datetime) -> dict[str, datetime]:
    times = {
        "requested": case.received_at,
        "confirmed": known.confirmed_at,
        "begun": known.begun_at,
        "erased": known.erased_at,
        "checked": now,
    }
    return {name: moment for name, moment in times.items() if moment is not None}
