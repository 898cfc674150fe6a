"""The job `restrict` (Art. 18 GDPR): the person hears what works from now on, then the account is suspended."""

from dpobot.cases import queries, service
from dpobot.engine.api import Cancelled, Hold, JobRun, StepResult
from dpobot.jobs.last_words import LastWords
from dpobot.jobs.parts import Parts
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState
from dpobot.store.database import Tx

NO_ACCOUNT = "account_unknown"  # why a case is held


class Restrict:
    """Suspends the account of a case's person."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, run: JobRun) -> None:
        """Carry the job out."""
        case = await self._parts.database.write(lambda tx: working(tx, self._parts, run, "restriction.started"))
        if await self._parts.homeserver.account(case.person) is None:
            raise Hold(NO_ACCOUNT)
        reply = Reply("restrict_last_words", {"reference": case.reference})
        await LastWords(self._parts, run, case).say(reply)
        await run.steps.step("suspended", lambda: self._suspend(case))

    async def _suspend(self, case: Case) -> StepResult:
        await self._parts.changes.suspend(case.person, True)
        return {}


async def working(tx: Tx, parts: Parts, run: JobRun, action: str) -> Case:
    """Return the case of a job, which is being worked on from here on. Raises `Cancelled` if it is not to be."""
    case = await queries.by_id(tx, run.job.case_id)
    if case is None or case.state not in (CaseState.APPROVED, CaseState.WORKING):
        raise Cancelled
    if case.state is CaseState.APPROVED:
        return await service.move(tx, parts.clock.now(), case, CaseState.WORKING, "bot", action)
    return case
