"""The job `lift`: the end of a restriction, after the person has been told of it (Art. 18(3) GDPR)."""

from datetime import datetime

from dpobot.cases import queries
from dpobot.engine.api import Cancelled, Hold, JobRun, Postponed, StepResult
from dpobot.jobs.last_words import PATIENCE
from dpobot.jobs.parts import Parts
from dpobot.model.records import Case
from dpobot.model.words import CaseState
from dpobot.store import outbox

UNTOLD = "lift_untold"  # why it waits: what staff have written has not reached the person
_ASK_AGAIN = 2.0  # seconds


class Lift:
    """Lets the account of a case's person work again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, run: JobRun) -> None:
        """Carry the job out."""
        case = await self._parts.database.read(lambda tx: queries.by_id(tx, run.job.case_id))
        if case is None or case.state is not CaseState.DELIVERED:
            raise Cancelled
        begun = await run.steps.step("begun", self._now)
        await run.steps.step("told", lambda: self._until_told(case, datetime.fromisoformat(begun["at"])))
        await run.steps.step("lifted", lambda: self._lift(case))

    async def _now(self) -> StepResult:
        return {"at": self._parts.clock.now().isoformat()}

    async def _until_told(self, case: Case, since: datetime) -> StepResult:
        """Wait until nothing waits to be said to the person: what staff wrote when they lifted it is among it."""
        if await self._parts.database.read(lambda tx: outbox.line_waits(tx, case.person)):
            if self._parts.clock.now() - since >= PATIENCE:
                raise Hold(UNTOLD)
            raise Postponed(UNTOLD, _ASK_AGAIN)
        return {}

    async def _lift(self, case: Case) -> StepResult:
        await self._parts.changes.suspend(case.person, False)
        return {}
