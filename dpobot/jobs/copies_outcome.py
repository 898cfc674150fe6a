"""What the end of `copies` means for its case: in the transaction that ends the job."""

import shutil
from datetime import datetime

from dpobot.cases import service
from dpobot.delivery.messages import Address, key, post
from dpobot.jobs.parts import Parts
from dpobot.model.records import Case, Job, Reply
from dpobot.model.words import CaseState, JobState
from dpobot.store.database import Tx


class CopiesOutcome:
    """Closes the case when the answer is on its way, or leaves it to staff."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def end(self, tx: Tx, now: datetime, case: Case, job: Job, state: JobState) -> None:
        """The answer says all, so nothing has to be fetched or confirmed: delivered is closed."""
        shutil.rmtree(self._parts.spool_of(job.id), ignore_errors=True)
        if case.state is not CaseState.WORKING or state is JobState.CANCELLED:
            return
        if state is JobState.DONE:
            there = await service.move(tx, now, case, CaseState.DELIVERED, "bot", "copies.delivered")
            await service.move(tx, now, there, CaseState.CLOSED, "bot", "copies.closed")
            return
        await service.move(tx, now, case, CaseState.HELD, "bot", "copies.failed", {"code": job.error})
        reply = Reply("copies_failed", {"reference": case.reference})
        await post(tx, self._parts.renderer, now, Address(case.person), reply, key("copies_failed", case.id, job.id))
