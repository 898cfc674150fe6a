"""What people are told unasked: where their request stands, some days after it came in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dpobot.cases import holidays, transitions
from dpobot.cases.erasure import has_begun
from dpobot.cases.service import EXCEPTIONAL
from dpobot.delivery.messages import Address, key, post
from dpobot.jobs import due
from dpobot.jobs.parts import Parts
from dpobot.model.ids import UserId, server_of
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState, Channel
from dpobot.store import cases, reminders
from dpobot.store.database import Tx

_STATES = tuple(state for state in CaseState if state in transitions.UNANSWERED)
_BEGUN = (CaseState.WORKING, CaseState.HELD, CaseState.PARTIAL, CaseState.APPROVED, CaseState.CLOSED)
_MANY = 1000  # cases of one person: far beyond what the limits of one person allow
_AT_ONCE = 30  # cases of one day at a time: nobody waits long for a transaction; the rest follows a minute later


class Updates:
    """Tells people on day 7 and day 21 where their case stands, each once."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._zone = holidays.zone_of(parts.config.operator.country)

    async def once(self, now: datetime) -> int:
        """Tell those whose day it is; return how many."""
        return await self._parts.database.write(lambda tx: self._all(tx, now))

    async def _all(self, tx: Tx, now: datetime) -> int:
        return sum([await self._those(tx, now, window) for window in due.updates(now, self._zone)])

    async def _those(self, tx: Tx, now: datetime, window: due.Window) -> int:
        waiting = await reminders.received(tx, _STATES, window.start, window.end, window.what, _AT_ONCE)
        return sum([await self._one(tx, now, case, window.what) for case in waiting])

    async def _one(self, tx: Tx, now: datetime, case: Case, what: str) -> bool:
        new = await reminders.note(tx, case.id, what, now)
        if not new or not self._reachable(case) or await _erased(tx, case.person):
            return False
        reply = Reply("update_waiting", {"case": _shown(case, now)})
        await post(tx, self._parts.renderer, now, Address(case.person), reply, key(what, case.id), case_id=case.id)
        return True

    def _reachable(self, case: Case) -> bool:
        """Whoever asked from outside and has no account here is answered the way they came."""
        return case.channel is Channel.MATRIX or server_of(case.person) == server_of(self._parts.matrix.user_id)


async def _erased(tx: Tx, person: UserId) -> bool:
    """Say whether a person's account is being erased, or is gone: nothing is said there any more."""
    known = await cases.of_person(tx, person, _BEGUN, _MANY)
    return any([await has_begun(tx, case.id) for case in known if EXCEPTIONAL not in case.options])


def _shown(case: Case, now: datetime) -> Mapping[str, Any]:
    """Return what `templates/user/parts/words.html` says about a case."""
    return {
        "reference": case.reference,
        "kind": case.kind.value,
        "state": case.state.value,
        "received_at": case.received_at,
        "due_at": case.due_at,
        "closed_at": case.closed_at,
        "overdue": case.due_at < now and case.paused_at is None,
        "percent": None,
        "extended": case.extended_months > 0,
        "ground": case.outcome,
    }
