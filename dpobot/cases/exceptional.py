"""Exceptional erasure: a room, or a person's state in it, after the balancing worksheet and with two approvers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dpobot.audit import trail
from dpobot.cases import service
from dpobot.errors import StaffRefusal
from dpobot.model.erasure import ErasureOptions
from dpobot.model.ids import RoomId, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from dpobot.store import approvals, assessments, cases, erasures, staff_threads
from dpobot.store.database import Tx

SCOPES = frozenset({"room", "state"})


def exceptional_plan(
    person: UserId, scope: str, room_id: RoomId, people: Mapping[str, int], events: Mapping[str, int]
) -> dict[str, Any]:
    """Return the plan as JSON. ``people``: membership -> how many; ``events``: type -> how many of the person."""
    what = {"scope": scope, "room_id": room_id}
    return {"version": 1, "person": person, "exceptional": what, "people": dict(people), "events": dict(events)}


async def exceptional(tx: Tx, now: datetime, case: Case, actor: UserId, scope: str, room_id: RoomId) -> Case:
    """Turn a request for erasure into that of one room; ``scope``: ``room``, or the person's ``state`` in it.

    A survey is wanted, whose plan two members of staff must approve. Raises StaffRefusal ``wrong_state`` (reference,
    state, action) and ``not_assessed`` (reference): the worksheet must conclude to grant it, and somebody else agree.
    """
    if scope not in SCOPES:
        raise ValueError("an exceptional erasure is of a room or of state")
    newest = await cases.lock(tx, case.id)
    if newest.kind is not Kind.ERASURE or newest.state is not CaseState.REVIEW:
        values = {"reference": newest.reference, "state": newest.state.value, "action": "exceptional"}
        raise StaffRefusal("wrong_state", **values)
    if not await _agreed(tx, case.id):
        raise StaffRefusal("not_assessed", reference=newest.reference)
    options = {**newest.options, service.EXCEPTIONAL: {"scope": scope, "room_id": room_id}}
    changed = await service.change(tx, now, newest, {"options": options})
    await erasures.put(tx, case.id, ErasureOptions())
    await approvals.forget(tx, case.id)
    await trail.record(tx, now, actor, "erasure.exceptional", case.id, {"scope": scope})
    await service.want_survey(tx, now, changed, now)
    await staff_threads.touch(tx, case.id)
    return changed


async def _agreed(tx: Tx, case_id: int) -> bool:
    """Say whether the worksheet grants it, and a second person has agreed."""
    lines = {line.factor: line for line in await assessments.of_case(tx, case_id)}
    conclusion, agreement = lines.get("conclusion"), lines.get("agreement")
    if conclusion is None or agreement is None:
        return False
    return conclusion.level == "grant" and agreement.author != conclusion.author
