"""What can be asked about cases. A person sees their own only; staff see all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from dpobot.cases import service, transitions
from dpobot.model.ids import Reference, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from dpobot.store import case_messages, case_queries, cases
from dpobot.store.case_messages import CaseMessage, Direction
from dpobot.store.case_queries import Ended
from dpobot.store.case_queries import KindTotals as KindCount
from dpobot.store.case_queries import Totals as Counts
from dpobot.store.database import Tx

__all__ = [
    "Counts",
    "KindCount",
    "Median",
    "Queue",
    "any_by_reference",
    "by_id",
    "by_reference",
    "counts",
    "counts_by_kind",
    "held_case",
    "median_of",
    "medians",
    "messages_of",
    "next_for",
    "of_person",
    "on_legal_hold",
    "open_access",
    "open_of_person",
    "queue",
]

SOON = timedelta(days=7)
URGENT = frozenset({Kind.SECURITY, Kind.CHILD})  # read first of all
_MANY = 1000  # far beyond what the limits of one person allow
_NEEDS_STAFF = (CaseState.REVIEW, CaseState.HELD, CaseState.PARTIAL, CaseState.APPROVED)
_RUNNING = transitions.UNANSWERED - {CaseState.PAUSED}


class Queue(StrEnum):
    """Which cases staff want to see."""

    OPEN = "open"  # all that wait for an answer
    DUE = "due"  # due within 7 days, or overdue; the time of a paused case stands still
    MINE = "mine"  # claimed by who asks
    ALL = "all"  # whatever became of them


@dataclass(frozen=True, slots=True)
class Median:
    """How long cases of a kind took: the median of whole days over ``count`` cases that are over."""

    kind: Kind
    count: int
    days: float


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


async def queue(tx: Tx, which: Queue, now: datetime, actor: UserId, limit: int) -> Sequence[Case]:
    """Return at most ``limit`` cases, soonest due first; of all the newest first."""
    if which is Queue.ALL:
        return await case_queries.newest(tx, limit)
    if which is Queue.DUE:
        return await case_queries.by_due(tx, _RUNNING, limit, before=now + SOON)
    assignee = actor if which is Queue.MINE else None
    return await case_queries.by_due(tx, transitions.UNANSWERED, limit, assignee=assignee)


async def any_by_reference(tx: Tx, reference: Reference) -> Case | None:
    """Return anybody's case, for staff."""
    return await case_queries.by_reference(tx, reference)


async def next_for(tx: Tx, now: datetime, actor: UserId, after: Case | None = None) -> Case | None:
    """Return the case that needs somebody most: one that nobody else has; urgent kinds first, then the soonest due.

    ``after``: the one that comes next behind this case. None: nothing waits for a decision or for hands.
    """
    for urgent in (True, False):
        if after is not None and urgent and after.kind not in URGENT:
            continue
        same = after is not None and (after.kind in URGENT) is urgent
        beyond = (after.due_at, after.id) if after is not None and same else None
        kinds = URGENT if urgent else frozenset(Kind) - URGENT
        found = [
            case for state in _NEEDS_STAFF if (case := await _soonest(tx, state, kinds, actor, beyond)) is not None
        ]
        if found:
            return min(found, key=attrgetter("due_at", "id"))
    return None


async def counts(tx: Tx, now: datetime) -> Counts:
    """Count what waits for an answer."""
    return await case_queries.totals(tx, transitions.UNANSWERED, now, now + SOON)


async def counts_by_kind(tx: Tx, now: datetime) -> Sequence[KindCount]:
    """Count cases by kind, those kinds of which there is one."""
    return await case_queries.totals_by_kind(tx, transitions.UNANSWERED, now)


async def medians(tx: Tx) -> Sequence[Median]:
    """Return the median duration by kind, of kinds of which a case is over."""
    histogram = await case_queries.ended(tx)
    return [median_of(kind, list(bars)) for kind, bars in groupby(histogram, key=attrgetter("kind"))]


async def on_legal_hold(tx: Tx, person: UserId) -> bool:
    """Say whether a person's data must be kept: any of their cases has a legal hold (Art. 17(3)(e), 18(2) GDPR)."""
    return await case_queries.on_legal_hold(tx, person)


async def held_case(tx: Tx, person: UserId) -> Case | None:
    """Return the case whose legal hold keeps a person's data, the newest of them."""
    found = [case for case in await of_person(tx, person, _MANY) if case.legal_hold]
    return found[0] if found else None


async def open_access(tx: Tx, person: UserId) -> Case | None:
    """Return the newest case in which a proven person still waits for, or has not said to have saved, their data.

    While there is one, nothing of theirs is erased. A question for the servers that hold copies waits for no data.
    """
    mine = await open_of_person(tx, person)
    asked = [case for case in mine if case.kind in (Kind.ACCESS, Kind.EXPORT) and not case.options.get(service.COPIES)]
    found = [case for case in asked if case.proven]
    return found[0] if found else None


def median_of(kind: Kind, bars: Sequence[Ended]) -> Median:
    """Return the median of a histogram in the order of its days; of an even number the mean of the middle two."""
    count = sum(bar.count for bar in bars)
    low, high = (_nth(bars, (count - 1) // 2), _nth(bars, count // 2))
    return Median(kind, count, (low + high) / 2)


async def _soonest(
    tx: Tx, state: CaseState, kinds: frozenset[Kind], actor: UserId, beyond: tuple[datetime, int] | None
) -> Case | None:
    """Return the case that comes next; what is approved and has a job waits for the job, not for staff."""
    while (case := await case_queries.soonest(tx, state, kinds, actor, beyond)) is not None:
        if state is not CaseState.APPROVED or service.job_of(case) is None:
            return case
        beyond = (case.due_at, case.id)
    return None


def _nth(bars: Sequence[Ended], n: int) -> int:
    for bar in bars:
        if n < bar.count:
            return bar.days
        n -= bar.count
    raise IndexError("beyond the last case")
