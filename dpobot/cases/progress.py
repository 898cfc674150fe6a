"""How far an erasure is, for those who look at it; the words for it are in ``staff/parts/erasure.html``."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dpobot.cases.service import EXCEPTIONAL, confirmed_by_person
from dpobot.model.erasure import ErasureRoom
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from dpobot.store import erasure_rooms, erasures
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure

_ROOMS_MATTER = frozenset({"begun", "partial", "checking"})
_MOST_FAILED = 1000  # rooms whose codes are counted


@dataclass(frozen=True, slots=True)
class Progress:
    """An erasure on its way. ``rooms``: how many are ``new``, ``done``, ``failed``; ``failed``: the last ones."""

    case: Case
    erasure: Erasure
    rooms: Mapping[str, int] = field(default_factory=dict)
    failed: tuple[ErasureRoom, ...] = ()

    @property
    def exceptional(self) -> Mapping[str, str] | None:
        """Return ``scope`` and ``room_id`` of an exceptional erasure (notice 2.1.3.1)."""
        found: Mapping[str, str] | None = self.case.options.get(EXCEPTIONAL)
        return found

    @property
    def stage(self) -> str | None:
        """Return how far it is, None where the state of the case says all."""
        match self.case.state:
            case CaseState.CONFIRMING:
                return _confirming(self.erasure)
            case CaseState.REVIEW | CaseState.PAUSED:
                return self._decided_next()
            case CaseState.APPROVED | CaseState.WORKING:
                return self._carried_out()
            case CaseState.PARTIAL:
                return "partial"
            case CaseState.CLOSED if self.erasure.checked_at is not None:
                return "finished"
            case _:
                return None

    def values(self) -> Mapping[str, Any]:
        """Return what the card shows of it."""
        options, stage = self.erasure.options, self.stage
        return {
            "stage": stage,
            "until": self.erasure.survey_after if stage == "device" else self.erasure.cooled_off_at,
            "begun_at": self.erasure.begun_at,
            "checked_at": self.erasure.checked_at,
            "options": {name: getattr(options, name) for name in ("redact", "media", "direct", "tell")},
            "copied": options.copy.value,
            "exceptional": self.exceptional,
            "rooms": self._rooms() if stage in _ROOMS_MATTER else None,
            "failures": failures(self.erasure, self.failed) if stage == "partial" else [],
        }

    @property
    def decided_by_staff(self) -> bool:
        """Return whether nobody confirms the plan but staff: the request came from outside, or it is exceptional."""
        return not confirmed_by_person(self.case)

    def _decided_next(self) -> str:
        if self.decided_by_staff:
            return "counting" if self.erasure.plan is None else "planned"
        settled = self.erasure.confirmed_at is not None and self.erasure.cooled_off_at is not None
        return "cooling" if settled else "unconfirmed"

    def _carried_out(self) -> str:
        if self.erasure.erased_at is not None:
            return "checking"
        if self.erasure.begun_at is not None:
            return "begun"
        waits = self.case.state is CaseState.APPROVED and self.erasure.cooled_off_at is not None
        return "waits" if waits else "speaking"

    def _rooms(self) -> Mapping[str, int] | None:
        all_ = sum(self.rooms.values())
        return {"done": self.rooms.get("done", 0), "all": all_} if all_ else None


async def of_case(tx: Tx, case: Case) -> Progress | None:
    """Return how far the erasure of a case is; None if it has none, or is no erasure."""
    erasure = await erasures.get(tx, case.id) if case.kind is Kind.ERASURE else None
    if erasure is None:
        return None
    if erasure.begun_at is None:
        return Progress(case, erasure)
    failed = await erasure_rooms.of_case(tx, case.id, state="failed", limit=_MOST_FAILED)
    return Progress(case, erasure, await erasure_rooms.counts(tx, case.id), tuple(failed))


def failures(erasure: Erasure, rooms: Iterable[ErasureRoom]) -> list[dict[str, Any]]:
    """Return the codes of what failed and how often each did, the most frequent first."""
    codes = Counter([*erasure.failures.values(), *(room.error or "unknown" for room in rooms)])
    return [{"code": code, "count": count} for code, count in codes.most_common()]


def _confirming(erasure: Erasure) -> str:
    if erasure.confirmed_at is not None:
        return "rechecking"
    if erasure.plan is not None:
        return "asked"
    return "counting" if erasure.survey_after is None else "device"
