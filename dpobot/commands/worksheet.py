"""The balancing worksheet of the notice's "exceptional erasure": three factors, a conclusion, a second person.

Who changes a factor voids the conclusion and the agreement; a new conclusion voids the agreement.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from dpobot.audit import trail
from dpobot.commands.staff_facts import lines_of
from dpobot.errors import StaffRefusal
from dpobot.model.ids import UserId
from dpobot.model.records import Case
from dpobot.store import assessments, staff_threads
from dpobot.store.assessments import Assessment
from dpobot.store.database import Tx

FACTORS = ("nature", "others", "degree")
CONCLUSION = "conclusion"
AGREEMENT = "agreement"
GRANT = "grant"
_AGREED = "agreed"


async def lines(tx: Tx, case: Case) -> Mapping[str, Assessment]:
    """Return what is written, by its factor."""
    return {line.factor: line for line in await assessments.of_case(tx, case.id)}


async def weigh(tx: Tx, now: datetime, case: Case, author: UserId, factor: str, level: str, reasons: str) -> bool:
    """Write a factor; say whether a conclusion was voided by it."""
    await assessments.put(tx, case.id, factor, author, level, reasons, now)
    await assessments.drop(tx, case.id, AGREEMENT)
    voided = await assessments.drop(tx, case.id, CONCLUSION)
    await _record(tx, now, case, author, "case.assessed", factor, level)
    return voided


async def conclude(tx: Tx, now: datetime, case: Case, author: UserId, level: str, reasons: str) -> None:
    """Write the conclusion. Raises `StaffRefusal` ``factors_missing`` before all three factors are weighed."""
    known = await lines(tx, case)
    missing = [factor for factor in FACTORS if factor not in known]
    if missing:
        raise StaffRefusal("factors_missing", reference=case.reference, missing=missing)
    await assessments.put(tx, case.id, CONCLUSION, author, level, reasons, now)
    await assessments.drop(tx, case.id, AGREEMENT)
    await _record(tx, now, case, author, "case.concluded", CONCLUSION, level)


async def agreeable(tx: Tx, case: Case, author: UserId) -> Mapping[str, Assessment]:
    """Return the worksheet to which somebody may agree.

    Raises `StaffRefusal`: ``no_conclusion``, ``agreed_already``, ``own_conclusion``.
    """
    known = await lines(tx, case)
    if CONCLUSION not in known:
        raise StaffRefusal("no_conclusion", reference=case.reference)
    if AGREEMENT in known:
        agreed = known[AGREEMENT]
        raise StaffRefusal("agreed_already", reference=case.reference, by=agreed.author, at=agreed.at)
    if known[CONCLUSION].author == author:
        raise StaffRefusal("own_conclusion", reference=case.reference)
    return known


async def agree(tx: Tx, now: datetime, case: Case, author: UserId) -> None:
    """Write the second person's agreement."""
    await assessments.put(tx, case.id, AGREEMENT, author, _AGREED, "", now)
    await _record(tx, now, case, author, "case.agreed", AGREEMENT, _AGREED)


def missing(known: Mapping[str, Assessment]) -> Sequence[str]:
    """Return what an exceptional erasure still needs: factors, the conclusion, ``grant`` as what it says, agreement."""
    unwritten = [factor for factor in (*FACTORS, CONCLUSION) if factor not in known]
    if unwritten:
        return unwritten
    if known[CONCLUSION].level != GRANT:
        return [GRANT]
    return [] if AGREEMENT in known else [AGREEMENT]


def shown(known: Mapping[str, Assessment]) -> Sequence[Mapping[str, object]]:
    """Return the whole worksheet for a template; what is not written yet has no level."""
    return [_line(factor, known.get(factor)) for factor in (*FACTORS, CONCLUSION, AGREEMENT)]


def _line(factor: str, line: Assessment | None) -> Mapping[str, object]:
    if line is None:
        return {"factor": factor, "level": None, "author": None, "at": None, "lines": []}
    return {
        "factor": factor,
        "level": line.level,
        "author": line.author,
        "at": line.at.isoformat(),  # plans are JSON
        "lines": lines_of(line.reasons),
    }


async def _record(tx: Tx, now: datetime, case: Case, author: UserId, action: str, factor: str, level: str) -> None:
    await trail.record(tx, now, author, action, case.id, {"factor": factor, "level": level})
    await staff_threads.touch(tx, case.id)
