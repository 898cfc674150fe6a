"""The job `erase` (Art. 17 GDPR): last words, then what can't be undone, in the order in which it works.

Every line below can be resumed, and nothing irreversible happens before the person has been told.
"""

from collections.abc import Mapping
from datetime import datetime

from dpobot.cases import erasure, queries, service
from dpobot.cases.erasure import Begin, NotNow
from dpobot.cases.service import Conflict
from dpobot.delivery.messages import Address, key, post
from dpobot.engine.api import Cancelled, Hold, JobRun, Postponed, StepResult
from dpobot.jobs.erasing import Erasing
from dpobot.jobs.exceptional import Exceptional
from dpobot.jobs.last_words import LastWords
from dpobot.jobs.parts import Parts
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState, Channel
from dpobot.receipt import codes
from dpobot.store import alerts, erasures, receipts
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure

_ASK_AGAIN = 3600.0  # seconds until we look whether what was in the way still is
_ACCESS_AGAIN = 300.0  # the same for a copy that somebody waits for: they may have it any minute


class Erase:
    """Carries the erasure of one case out."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, run: JobRun) -> None:
        """Carry the job out. What it raises says how it ends (`engine.outcome`)."""
        case, known, may = await self._parts.database.write(lambda tx: self._look_out(tx, run.job.case_id))
        if may is not Begin.OK:
            await self._wait(case, known, may)
        if known.begun_at is None:
            await self._last_words(run, case, known)
            await run.steps.step("begun", lambda: self._begin(case))
        exception: Mapping[str, str] | None = case.options.get(service.EXCEPTIONAL)
        if exception is None:
            await Erasing(self._parts, run, case, known).all()
        else:
            await Exceptional(self._parts, run, case).all(exception)

    async def _look_out(self, tx: Tx, case_id: int) -> tuple[Case, Erasure, Begin]:
        """Return where it stands; what may begin is being worked on from here on."""
        case, known = await queries.by_id(tx, case_id), await erasures.get(tx, case_id)
        if case is None or known is None or case.state not in (CaseState.APPROVED, CaseState.WORKING):
            raise Cancelled
        now = self._parts.clock.now()
        may = await erasure.may_begin(tx, now, case)
        if may is Begin.OK and case.state is CaseState.APPROVED:
            case = await service.move(tx, now, case, CaseState.WORKING, "bot", "erasure.started")
        return case, known, may

    async def _wait(self, case: Case, known: Erasure, may: Begin) -> None:
        """Raise what says why it can't begin, or go on, and how long that may last."""
        now = self._parts.clock.now()
        if may is Begin.LEGAL_HOLD:
            raise Hold(may.value)
        if may is Begin.COOLING:
            until = known.cooled_off_at
            raise Postponed(may.value, _ASK_AGAIN if until is None else max(1.0, (until - now).total_seconds()))
        if may is Begin.ACCESS_OPEN:
            await self._parts.database.write(lambda tx: self._tell_waits(tx, now, case))
            raise Postponed(may.value, _ACCESS_AGAIN)
        raise Postponed(may.value, await self._parts.database.write(lambda tx: self._cap_lifts(tx, now, case)))

    async def _cap_lifts(self, tx: Tx, now: datetime, case: Case) -> float:
        """Return in how many seconds the next one may begin; staff are told once that this one waits for its turn."""
        cap = Begin.DAILY_CAP.value
        await alerts.open(tx, key=f"{cap}:{case.id}", code=cap, now=now, case_id=case.id)
        first = await erasures.first_begun_since(tx, now - erasure.DAY)
        return _ASK_AGAIN if first is None else max(1.0, (first + erasure.DAY - now).total_seconds())

    async def _tell_waits(self, tx: Tx, now: datetime, case: Case) -> None:
        """Say once that their copy comes first: without the account nobody could give it to them."""
        block = await erasure.blocked(tx, case.person)
        if case.channel is not Channel.MATRIX or block is None:
            return
        values = {"reference": case.reference, "copy": block.reference, "delivered": block.delivered}
        once = key("erase_waits", case.id, block.reference, block.delivered)
        await post(tx, self._parts.renderer, now, Address(case.person), Reply("erase_waits", values), once)

    async def _last_words(self, run: JobRun, case: Case, known: Erasure) -> None:
        code = await self._parts.database.write(lambda tx: self._code(tx, case))
        exception: Mapping[str, str] = case.options.get(service.EXCEPTIONAL) or {}
        values = {
            "reference": case.reference,
            "code": code,
            "scope": exception.get("scope"),
            "redact": known.options.redact,
        }
        to_staff = Reply("staff/erase_code", {"reference": case.reference, "code": code})
        await LastWords(self._parts, run, case).say(Reply("erase_last_words", values), to_staff)

    async def _code(self, tx: Tx, case: Case) -> str:
        """Return the code of the receipt, made once for a case."""
        known = await erasures.code_of(tx, case.id)
        if known is not None:
            return known
        code = codes.new_code()
        await erasures.keep_code(tx, case.id, code)
        await receipts.promise(tx, codes.code_hash(code), case.id, self._parts.clock.now())
        return code

    async def _begin(self, case: Case) -> StepResult:
        """Pass the point from which there is no way back; what has come in between stops it here for the last time."""
        now = self._parts.clock.now()
        try:
            await self._parts.database.write(lambda tx: erasure.begun(tx, now, case))
        except NotNow as trouble:
            if trouble.begin is Begin.LEGAL_HOLD:
                raise Hold(trouble.begin.value) from trouble
            raise Postponed(trouble.begin.value, _ASK_AGAIN) from trouble
        except Conflict as trouble:
            raise Cancelled from trouble
        return {}
