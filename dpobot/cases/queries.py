"""What can be asked about cases. A person sees their own only."""

from collections.abc import Sequence

from dpobot.cases import transitions
from dpobot.model.ids import Reference, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState
from dpobot.store import case_messages, cases
from dpobot.store.case_messages import CaseMessage, Direction
from dpobot.store.database import Tx

_MANY = 1000  # far beyond what the limits of one person allow


async def open_of_person(tx: Tx, person: UserId) -> Sequence[Case]:
    """Return a person's cases that are not over (delivered ones included), newest first."""
    return await cases.of_person(tx, person, transitions.OPEN, _MANY)


async def of_person(tx: Tx, person: UserId, limit: int = 50) -> Sequence[Case]:
    """Return a person's cases, newest first."""
    return await cases.of_person(tx, person, tuple(CaseState), limit)


async def by_reference(tx: Tx, person: UserId, reference: Reference) -> Case | None:
    """Return a person's own case; somebody else's reference is as unknown as one that was never given out."""
    return await cases.by_reference(tx, person, reference)


async def by_id(tx: Tx, case_id: int) -> Case | None:
    """Return a case for the work on it, None if there is none."""
    return await cases.by_id(tx, case_id)


async def messages_of(tx: Tx, case_id: int) -> Sequence[CaseMessage]:
    """Return what a person wrote into a case, oldest first."""
    return await case_messages.of_case(tx, case_id, Direction.PERSON)
