"""A closed case is reduced to its line in the register after its time (Art. 5(1)(e) GDPR; docs/privacy.md)."""

from collections.abc import Sequence
from datetime import datetime

from dpobot.cases import queries, transitions
from dpobot.cases.service import Conflict
from dpobot.model.records import Case
from dpobot.store import expiring
from dpobot.store.database import Tx

NOBODY = expiring.NOBODY  # the person of a case that has expired


async def due_for_expiry(tx: Tx, before: datetime, limit: int) -> Sequence[Case]:
    """Return cases that ended before a moment, oldest first; none of a person who has a case on legal hold."""
    return await expiring.due(tx, before, limit)


async def expire(tx: Tx, now: datetime, case: Case) -> None:
    """Reduce a case to its line in the register, and forget its person if there is nothing else of them.

    Its trail stays without its actors, and the chain still holds. A case that is not over, has expired already or
    whose person has a legal hold stays as it is. Raises `Conflict` if it has changed since it was read.
    """
    if case.state not in transitions.OVER or case.expired_at is not None:
        return
    if await queries.on_legal_hold(tx, case.person):
        return
    if not await expiring.reduce(tx, case, now):
        raise Conflict("the case has changed")
    await expiring.forget_people(tx, now, case.person)
