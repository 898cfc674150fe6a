"""What the end of `restrict`, `lift` and `rectify` means for its case: in the transaction that ends the job."""

from datetime import datetime

from dpobot.cases import service, transitions
from dpobot.delivery.messages import Address, key, post
from dpobot.jobs.parts import Parts
from dpobot.model.ids import server_of
from dpobot.model.records import Case, Job, Reply
from dpobot.model.words import CaseState, Channel, JobState
from dpobot.store import rectifications
from dpobot.store.database import Tx

_ENDED = (JobState.FAILED, JobState.HELD)


class ChangeOutcome:
    """Moves the case when its job has ended, and tells the person."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def end_restrict(self, tx: Tx, now: datetime, case: Case, job: Job, state: JobState) -> None:
        """Deliver: the account is suspended until `lift`; its person has been told before."""
        if state is JobState.DONE and case.state is CaseState.WORKING:
            await service.move(tx, now, case, CaseState.DELIVERED, "bot", "restriction.in_force")
        elif state in _ENDED:
            await self._hold(tx, now, case, job, "restriction.held")

    async def end_lift(self, tx: Tx, now: datetime, case: Case, job: Job, state: JobState) -> None:
        """Close the case and say that the account works again. What failed is an alert; staff `lift` once more."""
        if state is JobState.DONE and case.state is CaseState.DELIVERED:
            await service.move(tx, now, case, CaseState.CLOSED, "bot", "restriction.lifted")
            await self._say(tx, now, case, job, Reply("lifted", {"reference": case.reference}))

    async def end_rectify(self, tx: Tx, now: datetime, case: Case, job: Job, state: JobState) -> None:
        """Say what has been put right, and close; or that staff look why it could not be."""
        known = await rectifications.get(tx, case.id)
        if known is None or state is JobState.CANCELLED:
            return
        values = {"reference": case.reference, "field": known.field, "removed": known.values.get("new") is None}
        if state is JobState.DONE and case.state is CaseState.WORKING:
            there = await service.move(tx, now, case, CaseState.DELIVERED, "bot", "rectification.done")
            await service.move(tx, now, there, CaseState.CLOSED, "bot", "rectification.closed")
            await self._say(tx, now, case, job, Reply("rectified", values))
        elif state in _ENDED:
            await self._hold(tx, now, case, job, "rectification.held")
            await self._say(tx, now, case, job, Reply("rectify_failed", {**values, "code": job.error}))

    async def _hold(self, tx: Tx, now: datetime, case: Case, job: Job, action: str) -> None:
        if transitions.allowed(case.state, CaseState.HELD):
            await service.move(tx, now, case, CaseState.HELD, "bot", action, {"code": job.error})

    async def _say(self, tx: Tx, now: datetime, case: Case, job: Job, reply: Reply) -> None:
        """Say it once for each job; whoever has no account here is told the way they asked, by staff."""
        here = server_of(case.person) == server_of(self._parts.matrix.user_id)
        if case.channel is Channel.MATRIX or here:
            once = key(reply.template, job.id)
            await post(tx, self._parts.renderer, now, Address(case.person), reply, once, case_id=case.id)
