"""What the end of a job means for its case and for the person: in the transaction that ends the job."""

import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from dpobot.cases import queries, service
from dpobot.delivery.messages import Address, key, post
from dpobot.jobs.change_outcome import ChangeOutcome
from dpobot.jobs.copies_outcome import CopiesOutcome
from dpobot.jobs.erase_outcome import EraseOutcome
from dpobot.jobs.parts import Parts
from dpobot.model.records import Case, Job, Reply
from dpobot.model.words import CaseState, JobState, Kind
from dpobot.store import downloads, files, jobs, volumes
from dpobot.store.database import Tx

End = Callable[[Tx, datetime, Case, Job, JobState], Awaitable[None]]


class Outcome:
    """Moves cases when their jobs end."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        erasing, changing = EraseOutcome(parts), ChangeOutcome(parts)
        self._ends: Mapping[str, End] = {
            "export": self._exported,
            "copies": CopiesOutcome(parts).end,
            "survey": erasing.end_survey,
            "erase": erasing.end,
            "restrict": changing.end_restrict,
            "lift": changing.end_lift,
            "rectify": changing.end_rectify,
        }

    async def end(self, tx: Tx, job: Job, state: JobState) -> None:
        """Called by the engine inside the transaction that ends ``job`` with ``state``."""
        case, end = await queries.by_id(tx, job.case_id), self._ends.get(job.name)
        if case is not None and end is not None:
            await end(tx, self._parts.clock.now(), case, job, state)

    async def _exported(self, tx: Tx, now: datetime, case: Case, job: Job, state: JobState) -> None:
        if state is JobState.DONE:
            await self._delivered(tx, case, job, now)
        elif state is JobState.CANCELLED:
            await self._cancelled(tx, case, job, now)
        else:
            await self._stopped(tx, case, job, state, now)

    async def _delivered(self, tx: Tx, case: Case, job: Job, now: datetime) -> None:
        sent = await volumes.of_case(tx, case.id)
        if case.state is not CaseState.WORKING:
            return
        await service.move(tx, now, case, CaseState.DELIVERED, "bot", "export.delivered", {"volumes": len(sent)})
        for file in await files.of_case(tx, case.id, files.Purpose.ARCHIVE):
            await files.sent(tx, file.id, now)
        link = await downloads.of_case(tx, case.id)
        until = link.expires_at if link else now + self._parts.config.deliveries_kept
        await jobs.want(tx, case_id=case.id, name="expire", person=case.person, wake_at=until, now=now)
        if link is not None:  # its message says it all
            return
        reply = Reply(
            "access_delivered" if case.kind is Kind.ACCESS else "export_delivered",
            {
                "reference": case.reference,
                "volumes": [{"number": row.number, "size": row.size, "sha256": row.sha256} for row in sent],
                "delete_on": until,
            },
        )
        await self._say(tx, case, job, reply, now)

    async def _cancelled(self, tx: Tx, case: Case, job: Job, now: datetime) -> None:
        """A cancelled archive leaves nothing behind: neither its spool nor what was uploaded already."""
        shutil.rmtree(self._parts.spool_of(job.id), ignore_errors=True)
        if await volumes.of_case(tx, case.id) or await downloads.of_case(tx, case.id):
            await jobs.want(tx, case_id=case.id, name="expire", person=case.person, wake_at=now, now=now)

    async def _stopped(self, tx: Tx, case: Case, job: Job, state: JobState, now: datetime) -> None:
        held = state is JobState.HELD
        if case.state is CaseState.WORKING:
            detail = {"code": job.error}
            await service.move(tx, now, case, CaseState.HELD, "bot", "export.held" if held else "export.failed", detail)
        template = "export_held" if held else ("access_failed" if case.kind is Kind.ACCESS else "export_failed")
        await self._say(tx, case, job, Reply(template, {"reference": case.reference}), now)

    async def _say(self, tx: Tx, case: Case, job: Job, reply: Reply, now: datetime) -> None:
        """Say it where the person is now: without a room the outbox finds or makes a safe one.

        Once for each job: a case that is approved again has another one, and its end is news.
        """
        await post(tx, self._parts.renderer, now, Address(case.person), reply, key(reply.template, case.id, job.id))
