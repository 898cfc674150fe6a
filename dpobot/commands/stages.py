"""Where a case stands, more exactly than its state says: for what its person reads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dpobot.cases import progress
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from dpobot.store.database import Tx

Stage = Mapping[str, Any]  # {"name": a word of templates/user/parts/words.html, "until": moment or None}
_DONE = {Kind.RESTRICTION: "in_force", Kind.RECTIFICATION: "put_right"}
# of `cases.progress`: those that say more to the person than the state does
_TOLD = frozenset({"counting", "device", "asked", "rechecking", "cooling", "waits", "begun", "checking"})
_AFTERWARDS = {"device": "counting", "waits": None}  # once its moment has come


async def stage_of(tx: Tx, now: datetime, case: Case) -> Stage | None:
    """Return the stage of an erasure on its way, or of what is in force or put right; None: the state says all."""
    if case.state is CaseState.DELIVERED:
        return _stage(_DONE.get(case.kind))
    found = await progress.of_case(tx, case)
    if found is None or found.stage not in _TOLD:
        return None
    until = found.values()["until"]
    if found.stage in _AFTERWARDS and (until is None or until <= now):
        return _stage(_AFTERWARDS[found.stage])
    return _stage(found.stage, until)


def _stage(name: str | None, until: datetime | None = None) -> Stage | None:
    return None if name is None else {"name": name, "until": until}
