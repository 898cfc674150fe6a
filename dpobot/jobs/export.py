"""The job `export` (Art. 15(3) and 20 GDPR): collect, pack, read back, deliver. Every line below can be resumed."""

import asyncio
import shutil
from datetime import datetime
from typing import Any

from dpobot.archive.spool import Spool
from dpobot.cases import queries, service
from dpobot.engine.api import Cancelled, Hold, JobRun, StepResult
from dpobot.errors import Unavailable
from dpobot.jobs.attaching import Attaching
from dpobot.jobs.collecting import Collecting
from dpobot.jobs.generation import claimed
from dpobot.jobs.parts import Parts
from dpobot.jobs.progress import ProgressMessage, Tally
from dpobot.jobs.receivers import Receivers
from dpobot.jobs.releasing import ADDED_LATE, Releasing
from dpobot.model.records import Case, ExportOptions
from dpobot.model.words import CaseState, Scope, Section
from dpobot.store import jobs, people
from dpobot.store.database import Tx

_RELEASED = "released"


class Export:
    """Makes and delivers the archive of one case."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, run: JobRun) -> None:
        """Carry the job out. What it raises says how it ends (`engine.outcome`)."""
        case = await self._begin(run)
        await run.steps.step("earlier spools removed", lambda: self._forget_earlier(run))
        if run.steps.done(_RELEASED) is None:
            await self._release(run, case)
        await run.steps.step("spool removed", lambda: self._remove(run))

    async def _begin(self, run: JobRun) -> Case:
        return await self._parts.database.write(lambda tx: self._working(tx, run.job.case_id))

    async def _working(self, tx: Tx, case_id: int) -> Case:
        case = await queries.by_id(tx, case_id)
        if case is None or case.state not in (CaseState.APPROVED, CaseState.WORKING):
            raise Cancelled
        if case.state is CaseState.APPROVED:
            return await service.move(tx, self._parts.clock.now(), case, CaseState.WORKING, "bot", "export.started")
        return case

    async def _forget_earlier(self, run: JobRun) -> StepResult:
        """A held package that staff let pass is made anew: what an earlier job of the case had collected goes."""
        earlier = await self._parts.database.read(lambda tx: jobs.of_case(tx, run.job.case_id))
        for job in earlier:
            if job.id != run.job.id:
                await asyncio.to_thread(shutil.rmtree, self._parts.spool_of(job.id), ignore_errors=True)
        return {}

    async def _release(self, run: JobRun, case: Case) -> None:
        spool = await claimed(self._parts.spool_of(run.job.id), run.steps)
        try:
            await self._make(run, case, spool)
        except (Unavailable, ExceptionGroup) as trouble:
            if _anew(trouble):  # a new spool, with another name, begins again
                spool.remove()
            raise

    async def _make(self, run: JobRun, case: Case, spool: Spool) -> None:
        options = options_of(case.options)
        if options.scope is Scope.VISIBLE and self._parts.config.export.visible == "never":
            raise Hold("visible_not_offered")  # the configuration has changed since staff approved it
        language = await self._parts.database.read(lambda tx: self._language(tx, case))
        tally = Tally(self._parts.clock.now())
        releasing = Releasing(self._parts, case, options, spool, run.steps)
        await releasing.look_out()
        async with ProgressMessage(self._parts, case, language, tally, run.job.run_token or ""):
            config = self._parts.config.export
            collecting = Collecting(
                self._parts.homeserver,
                spool,
                run.steps,
                case.person,
                options,
                config.page_events,
                config.visible_names,
            )
            await collecting.all(tally)
            if options.wants(Section.STATEMENT):
                await Receivers(self._parts.homeserver, spool, run.steps, case.person).all(tally)
            await Attaching(self._parts, case, spool, run.steps).all(tally)
            await releasing.all(language, tally.events)
        await run.steps.step(_RELEASED, _nothing, tally.progress().to_json())

    async def _language(self, tx: Tx, case: Case) -> str:
        person = await people.get(tx, case.person)
        return person.language if person else "en"

    async def _remove(self, run: JobRun) -> StepResult:
        """Remove what the archive was made of: from here on it exists only encrypted, for the person."""
        Spool(self._parts.spool_of(run.job.id)).remove()
        return {}


def options_of(stored: Any) -> ExportOptions:
    """Return a case's options as the export understands them (see `commands.user.export` for what stores them)."""

    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(stored[name]) if stored.get(name) else None

    return ExportOptions(
        scope=Scope(stored.get("scope", Scope.MINE)),
        sections=frozenset(Section(name) for name in stored.get("sections", ())),
        since=moment("since"),
        until=moment("until"),
    )


def _anew(trouble: Exception) -> bool:
    """Whether what was collected no longer serves: it is shorter than the journal says, or a file came to it late."""
    if isinstance(trouble, ExceptionGroup):
        return any(_anew(part) for part in trouble.exceptions)
    return isinstance(trouble, Unavailable) and trouble.code in ("spool_lost", ADDED_LATE)


async def _nothing() -> StepResult:
    return {}
