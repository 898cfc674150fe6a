"""People are reminded that their erasure is about to begin, while they can still take it back."""

from datetime import datetime, timedelta

from dpobot.cases import queries, safeguards, service
from dpobot.cases.erasure import SOON
from dpobot.delivery.messages import Address, key, post
from dpobot.jobs.parts import Parts
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState, Channel
from dpobot.store import erasures, reminders
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure

_BEFORE = timedelta(hours=2)  # or a quarter of the cooling-off, where that is less
_DECIDED = frozenset({CaseState.APPROVED})
_WAITS = frozenset({CaseState.REVIEW, CaseState.PAUSED})
_AT_ONCE = 30  # cases at a time: nobody waits long for a transaction; the rest follows a minute later


class Cooling:
    """Says it once for each confirmation, some hours before the cooling-off ends."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def once(self, now: datetime) -> int:
        """Remind those whose time it is; return how many."""
        return await self._parts.database.write(lambda tx: self._all(tx, now))

    async def _all(self, tx: Tx, now: datetime) -> int:
        before = min(_BEFORE, (await safeguards.in_force(tx, now)).cooling_off / 4)
        waiting = await erasures.cooling(tx, now + before, _AT_ONCE, unsaid=SOON)
        return sum([await self._one(tx, now, erasure) for erasure in waiting])

    async def _one(self, tx: Tx, now: datetime, erasure: Erasure) -> bool:
        """Note it in any case: what came too late is not said at all."""
        case, until = await queries.by_id(tx, erasure.case_id), erasure.cooled_off_at
        if case is None or until is None or not await reminders.note(tx, case.id, SOON, now):
            return False
        if until <= now or case.channel is not Channel.MATRIX or case.state not in _DECIDED | _WAITS:
            return False
        await self._say(tx, now, case, until)
        return True

    async def _say(self, tx: Tx, now: datetime, case: Case, until: datetime) -> None:
        scope = (case.options.get(service.EXCEPTIONAL) or {}).get("scope")
        values = {"reference": case.reference, "until": until, "decided": case.state in _DECIDED, "scope": scope}
        reply, once = Reply(SOON, values), key(SOON, case.id, int(until.timestamp()))
        await post(tx, self._parts.renderer, now, Address(case.person), reply, once, case_id=case.id)
