"""The end of a restriction (Art. 18 GDPR): an account that was suspended works again."""

from datetime import datetime

from dpobot.audit import trail
from dpobot.errors import StaffRefusal
from dpobot.model.ids import UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from dpobot.store import cases, jobs, staff_threads
from dpobot.store.database import Tx

LIFT = "lift"  # the work that lifts a restriction
_BEFORE = frozenset({"account_unknown", "last_words_unsent"})  # with what it stops before the account is touched


def may_be_suspended(case: Case, code: str | None) -> bool:
    """Say whether the account of a held case may be suspended; ``code``: what stopped its work.

    The homeserver may have done it, and its answer may have been lost.
    """
    return case.kind is Kind.RESTRICTION and case.state is CaseState.HELD and code not in _BEFORE


async def lift(tx: Tx, now: datetime, case: Case, actor: UserId) -> Case:
    """Want a restriction lifted; while that is on its way it changes nothing again.

    The person is told before (Art. 18(3)). Raises StaffRefusal("wrong_state", reference, state, action).
    """
    newest = await cases.lock(tx, case.id)
    if newest.kind is not Kind.RESTRICTION or newest.state is not CaseState.DELIVERED:
        values = {"reference": newest.reference, "state": newest.state.value, "action": LIFT}
        raise StaffRefusal("wrong_state", **values)
    if await jobs.active(tx, case.id, LIFT):
        return newest
    await jobs.want(tx, case_id=case.id, name=LIFT, person=newest.person, wake_at=now, now=now)
    await trail.record(tx, now, actor, "restriction.lifting", case.id)
    await staff_threads.touch(tx, case.id)
    return newest
