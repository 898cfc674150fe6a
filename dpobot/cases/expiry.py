"""A closed case is reduced to its line in the register after its time (Art. 5(1)(e) GDPR; docs/privacy.md)."""

from collections.abc import Sequence
from datetime import datetime

from dpobot.cases import queries, transitions
from dpobot.cases.service import Conflict
from dpobot.model.ids import UserId
from dpobot.model.records import Case
from dpobot.store import expiring, receipts
from dpobot.store.database import Tx

NOBODY = expiring.NOBODY  # the person of a case that has expired


async def due_for_expiry(tx: Tx, before: datetime, limit: int) -> Sequence[Case]:
    """Return cases that ended before a moment, oldest first; none of a person whose data `must_stay`."""
    return await expiring.due(tx, before, limit)


async def must_stay(tx: Tx, person: UserId) -> bool:
    """Say whether nothing of a person may go now: a legal hold, or they have asked for their data (Art. 15, 20 GDPR).

    What was asked for counts once it is known who asks.
    """
    return await queries.on_legal_hold(tx, person) or await queries.open_access(tx, person) is not None


async def forget_receipts(tx: Tx, before: datetime) -> int:
    """Delete the receipts of erasures that were signed before a moment; return how many.

    They outlive their cases, which nobody can be told from: whoever has the code finds them until then.
    """
    return await receipts.forget(tx, before)


async def expire(tx: Tx, now: datetime, case: Case) -> None:
    """Reduce a case to its line in the register, and forget its person if there is nothing else of them.

    Its trail stays without its actors, and the chain still holds. A case that is not over, has expired already or
    whose person's data `must_stay` stays as it is. Raises `Conflict` if it has changed since it was read.
    """
    if case.state not in transitions.OVER or case.expired_at is not None:
        return
    if await must_stay(tx, case.person):
        return
    if not await expiring.reduce(tx, case, now):
        raise Conflict("the case has changed")
    await expiring.forget_people(tx, now, case.person)
