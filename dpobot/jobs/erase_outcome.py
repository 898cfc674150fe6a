"""What the end of the jobs of an erasure means for its case: in the transaction that ends the job."""

from datetime import datetime

from dpobot.cases import erasure, service, transitions
from dpobot.delivery.messages import Address, key, post
from dpobot.jobs.erasing import ERASED
from dpobot.jobs.parts import Parts
from dpobot.model.records import Case, Job, Reply
from dpobot.model.words import CaseState, Channel, JobState
from dpobot.store import alerts, erasures, jobs
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure

VERIFY = "verify_erasure"
PARTIAL = "erasure_partial"  # the alert of an erasure that stopped short
_JOB = "job"  # the step that failed, where the job itself did


class EraseOutcome:
    """Moves the case of an erasure when its job has ended."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def end(self, tx: Tx, now: datetime, case: Case, job: Job, state: JobState) -> None:
        """Go on to the check, stop short, or leave it to staff; one that was cancelled has left nothing behind."""
        known = await erasures.get(tx, case.id)
        if known is None or state is JobState.CANCELLED:
            return
        if state is JobState.DONE:
            await self._done(tx, now, case, job, known)
        elif state is JobState.FAILED and known.begun_at is not None:
            await self._short(tx, now, case, job, {**known.failures, _JOB: job.error or "unknown"})
        else:
            await self._held(tx, now, case, job, known)

    async def end_survey(self, tx: Tx, now: datetime, case: Case, job: Job, state: JobState) -> None:
        """Leave what could not be counted to staff; whoever waits for their plan hears of it."""
        if state not in (JobState.FAILED, JobState.HELD) or case.state is not CaseState.CONFIRMING:
            return
        await service.move(tx, now, case, CaseState.REVIEW, "bot", "erasure.not_counted", {"code": job.error})
        await self._say(tx, now, case, job, "erase_not_counted")

    async def _done(self, tx: Tx, now: datetime, case: Case, job: Job, known: Erasure) -> None:
        if ERASED in await jobs.steps_of(tx, job.id):
            await jobs.want(tx, case_id=case.id, name=VERIFY, person=case.person, wake_at=now, now=now)
        else:
            await self._short(tx, now, case, job, dict(known.failures))

    async def _short(self, tx: Tx, now: datetime, case: Case, job: Job, failures: dict[str, str]) -> None:
        if case.state is not CaseState.WORKING:
            return
        await erasure.stopped_short(tx, now, case, failures)
        if job.error is None:  # a job that failed has an alert of its own
            await alerts.open(tx, key=f"{PARTIAL}:{case.id}:{job.id}", code=PARTIAL, now=now, case_id=case.id)

    async def _held(self, tx: Tx, now: datetime, case: Case, job: Job, known: Erasure) -> None:
        if transitions.allowed(case.state, CaseState.HELD):
            await service.move(tx, now, case, CaseState.HELD, "bot", "erasure.held", {"code": job.error})
        if known.begun_at is None:
            await self._say(tx, now, case, job, "erase_held")

    async def _say(self, tx: Tx, now: datetime, case: Case, job: Job, template: str) -> None:
        """Say it once for each job; who asked from outside is told the way they asked, by staff."""
        if case.channel is Channel.MATRIX:
            reply, once = Reply(template, {"reference": case.reference, "due_at": case.due_at}), key(template, job.id)
            await post(tx, self._parts.renderer, now, Address(case.person), reply, once, case_id=case.id)
