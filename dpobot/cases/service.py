"""What happens to a case: change, audit row and the wish for its job, in the one transaction of the caller."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dpobot.audit import trail
from dpobot.audit.trail import Detail
from dpobot.cases import policy, transitions
from dpobot.cases.rules import Rules
from dpobot.errors import DpobotError, Refusal
from dpobot.model.erasure import ErasureOptions
from dpobot.model.ids import EventId, RoomId, UserId, reference
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind, Scope, Trust
from dpobot.store import case_messages, case_queries, cases, erasures, jobs, people, reminders, staff_threads, wakes
from dpobot.store.case_messages import Direction
from dpobot.store.database import Tx

__all__ = [
    "COPIES",
    "EXCEPTIONAL",
    "EXPIRE",
    "STATEMENT",
    "SURVEY",
    "Conflict",
    "Opened",
    "Opening",
    "Rules",
    "add_message",
    "change",
    "confirm_received",
    "confirmed_by_person",
    "has_begun",
    "heard",
    "job_of",
    "move",
    "open_case",
    "resume",
    "stop_work",
    "want_survey",
    "withdraw",
    "without_exception",
]

# the work that carries an approved case out, where there is one: `job_of` says whether it can
_JOBS: Mapping[Kind, str] = {
    Kind.ACCESS: "export",  # the same work, of which only the statement is handed out
    Kind.EXPORT: "export",
    Kind.ERASURE: "erase",
    Kind.RESTRICTION: "restrict",
    Kind.RECTIFICATION: "rectify",
}
STATEMENT: Mapping[str, Any] = {"sections": ["statement"]}  # in the options of an access case that the machine answers
COPIES = "copies"  # the work that says who holds copies; in a case's options: nothing else is asked for
EXPIRE = "expire"  # the work that takes a delivered archive off the server
SURVEY = "survey"  # the work that makes the plan of an erasure
EXCEPTIONAL = "exceptional"  # in a case's options: scope and room of an exceptional erasure
_REMOTE = "remote"  # in a case's options: not an account of our homeserver, people carry it out
_ACCOUNTS_OWN = frozenset({Kind.ERASURE, Kind.RESTRICTION, Kind.RECTIFICATION})  # what is done to an account of ours
_ONE_AT_A_TIME = frozenset({Kind.ACCESS, Kind.EXPORT, Kind.ERASURE})


class Conflict(DpobotError):
    """Somebody else changed the case since it was read: read it again and decide anew."""


def job_of(case: Case) -> str | None:
    """Return the name of the work that carries a case out, None if people do: free words, an account elsewhere."""
    if case.kind is Kind.RECTIFICATION and not case.options.get("field"):
        return None
    if case.kind is Kind.ACCESS and not case.options.get("sections"):
        return COPIES if case.options.get(COPIES) else None
    remote = bool(case.options.get(_REMOTE)) and EXCEPTIONAL not in case.options
    return None if remote else _JOBS.get(case.kind)


def confirmed_by_person(case: Case) -> bool:
    """Say whether an erasure needs the typed code of its person: what they asked for over Matrix by themselves."""
    return case.channel is Channel.MATRIX and EXCEPTIONAL not in case.options


def without_exception(case: Case) -> dict[str, Any]:
    """Return a case's options without an exceptional erasure."""
    return {name: value for name, value in case.options.items() if name != EXCEPTIONAL}


@dataclass(frozen=True, slots=True)
class Opening:
    """A request as it came in. ``options`` is JSON without anything a person wrote freely."""

    person: UserId
    kind: Kind
    channel: Channel
    trust: Trust
    local: bool
    room_id: RoomId | None
    event_id: EventId | None
    options: Mapping[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """The case of a request; ``created`` is False if its message had opened it before."""

    case: Case
    created: bool


async def open_case(tx: Tx, now: datetime, opening: Opening, rules: Rules, actor: str | None = None) -> Opened:
    """Open a case and, if policy approves it, want its job. ``actor``: who opens it, if not the person.

    The same ``event_id`` opens one case, however often it is called. Raises Refusal("already_open", reference=...) if
    the same has been asked for and not been answered; verified and unverified requests don't see each other there.
    """
    await people.ensure(tx, opening.person, now, lock=True)  # two requests of a person: one after the other
    known = None if opening.event_id is None else await cases.by_event(tx, opening.event_id)
    if known is not None:
        return Opened(known, created=False)
    await _refuse_second(tx, opening)
    case = await cases.add(tx, await _values(tx, now, opening, rules))
    await staff_threads.touch(tx, case.id)
    detail: Detail = {"kind": case.kind, "state": case.state, "trust": case.trust, "channel": case.channel}
    await trail.record(tx, now, actor or case.person, "case.opened", case.id, detail)
    if case.kind is Kind.COMPLAINT and case.channel is Channel.MATRIX:  # the answer to it says its reference
        await trail.record(tx, now, "bot", "case.acknowledged", case.id)
    if case.state is CaseState.APPROVED:
        await trail.record(tx, now, "policy", "case.approved", case.id)
        await _want_work(tx, now, case)
    if job_of(case) == "erase":
        await _prepare_erasure(tx, now, case)
    return Opened(case, created=True)


async def move(
    tx: Tx,
    now: datetime,
    case: Case,
    to: CaseState,
    actor: str,
    action: str,
    detail: Detail | None = None,
    *,
    values: Mapping[str, Any] | None = None,
) -> Case:
    """Move a case, record it, and return it as it is now. An approval wants the case's job; ``values`` change with it.

    Raises `Conflict` if somebody else changed it since it was read, `IllegalMove` for a move that isn't in the table.
    A caller that may run twice reads the case in the same transaction and leaves one alone that is there already.
    """
    transitions.action_of(case.state, to)
    if not await cases.update(tx, case, {**_on_the_way(now, case, to), **(values or {})}):
        raise Conflict("the case has changed")
    await staff_threads.touch(tx, case.id)
    moved: Detail = {"from_state": case.state, "to_state": to}
    await trail.record(tx, now, actor, action, case.id, {**(detail or {}), **moved})
    changed = await cases.get(tx, case.id)
    if to is CaseState.APPROVED:
        await _want_work(tx, now, changed)
    return changed


async def change(tx: Tx, now: datetime, case: Case, values: Mapping[str, Any]) -> Case:
    """Change what a case holds beside its state, and return it as it is now. Raises `Conflict` as `move` does."""
    if not await cases.update(tx, case, {"updated_at": now, **values}):
        raise Conflict("the case has changed")
    return await cases.get(tx, case.id)


async def withdraw(tx: Tx, now: datetime, case: Case, actor: str, trust: Trust) -> Case:
    """Take a request back: its jobs are told to stop, and what is on the server already goes.

    Raises Refusal("untrusted_change") if a verified case is to be changed from a device that is not,
    Refusal("erasure_begun") if its data is being erased, and Refusal("not_withdrawable") when it is too late otherwise.
    """
    _refuse_untrusted(case, trust)
    await cases.lock(tx, case.id)  # an erasure that begins at this moment: it or this, never both
    if await has_begun(tx, case.id):
        raise Refusal("erasure_begun", reference=case.reference)
    # the account may be suspended by now: staff lift it
    suspending = case.kind is Kind.RESTRICTION and case.state is CaseState.WORKING
    if suspending or not transitions.allowed(case.state, CaseState.WITHDRAWN):
        raise Refusal("not_withdrawable", reference=case.reference)
    changed = await move(tx, now, case, CaseState.WITHDRAWN, actor, "case.withdrawn")
    await stop_work(tx, now, case)
    return changed


async def stop_work(tx: Tx, now: datetime, case: Case) -> None:
    """Tell the jobs of a case that has just ended to stop; ``case`` as it was before, with what it may have left."""
    await jobs.request_cancel(tx, case.id, now)
    if job_of(case) == "export" and case.state in (CaseState.WORKING, CaseState.HELD):
        await _want_expiry(tx, now, case)  # starts when the cancelled job has let go of the person


async def has_begun(tx: Tx, case_id: int) -> bool:
    """Say whether the first irreversible step of an erasure has begun: from there on there is no way back."""
    known = await erasures.get(tx, case_id)
    return known is not None and known.begun_at is not None


async def want_survey(tx: Tx, now: datetime, case: Case, not_before: datetime) -> None:
    """Want an erasure's plan made; a survey that was begun before is shut out, what it has counted is too old."""
    await jobs.supersede(tx, case.id, SURVEY, now)
    await jobs.want(tx, case_id=case.id, name=SURVEY, person=case.person, wake_at=max(now, not_before), now=now)


async def confirm_received(tx: Tx, now: datetime, case: Case, actor: str, trust: Trust) -> Case:
    """Close a delivered case, and want its archive deleted from the server now.

    Raises Refusal("untrusted_change") as `withdraw` does, and Refusal("not_delivered") if nothing has been delivered.
    """
    _refuse_untrusted(case, trust)
    if case.state is not CaseState.DELIVERED or case.kind is Kind.RESTRICTION:
        raise Refusal("not_delivered", reference=case.reference)
    changed = await move(tx, now, case, CaseState.CLOSED, actor, "case.received")
    await _want_expiry(tx, now, changed)
    return changed


async def add_message(tx: Tx, now: datetime, case: Case, event_id: EventId, text: str, rules: Rules) -> bool:
    """Add what the person wrote to their case, encrypted at rest; False if that message is in a case already.

    A case that waited for the person goes on.
    """
    new = await case_messages.add(
        tx, case.id, event_id, text, author=None, direction=Direction.PERSON, posted=False, now=now
    )
    if new:
        await trail.record(tx, now, case.person, "case.message", case.id, {"event_id": event_id})
        await heard(tx, now, case, rules)
    return new


async def heard(tx: Tx, now: datetime, case: Case, rules: Rules) -> None:
    """Note that the person has added something to their case: if it waited for them, it goes on."""
    await staff_threads.touch(tx, case.id)
    newest = await cases.lock(tx, case.id)
    if newest.state is CaseState.PAUSED:
        await resume(tx, now, newest, newest.person, rules)


async def resume(tx: Tx, now: datetime, case: Case, actor: str, rules: Rules) -> Case:
    """Go on with a case that waited for the person; its deadline moves by the days that this took.

    Raises as `move` does.
    """
    since = case.paused_at or now
    due_at = rules.after_pause(case.due_at, since, now)
    if due_at != case.due_at:
        await reminders.due_moved(tx, case.id)
    detail: Detail = {"days": rules.days_paused(since, now)}
    return await move(tx, now, case, CaseState.REVIEW, actor, "case.resumed", detail, values={"due_at": due_at})


def _on_the_way(now: datetime, case: Case, to: CaseState) -> dict[str, Any]:
    """Return what a case's move changes beside its state."""
    values: dict[str, Any] = {"state": to, "updated_at": now, "paused_at": now if to is CaseState.PAUSED else None}
    if to in transitions.OVER:
        values |= {"closed_at": now, "days": max(0, (now - case.received_at).days)}
    if to is CaseState.DELIVERED and case.answered_at is None:
        values |= {"answered_at": now}
    return values


async def _refuse_second(tx: Tx, opening: Opening) -> None:
    if opening.kind not in _ONE_AT_A_TIME or opening.channel is Channel.FEDERATION:
        return  # what another server asks for is told apart by its own reference
    verified, copies = opening.trust is Trust.SIGNED, bool(opening.options.get(COPIES))
    for other in await cases.of_person(tx, opening.person, transitions.UNANSWERED, limit=1000):
        same = other.kind is opening.kind and bool(other.options.get(COPIES)) is copies
        if same and other.proven is verified:
            raise Refusal("already_open", reference=other.reference)


def _refuse_untrusted(case: Case, trust: Trust) -> None:
    if case.proven and trust is not Trust.SIGNED:
        raise Refusal("untrusted_change", reference=case.reference)


async def _values(tx: Tx, now: datetime, opening: Opening, rules: Rules) -> dict[str, Any]:
    year = rules.local_date(opening.received_at).year
    return {
        "reference": reference(year, await cases.next_number(tx, year)),
        "person": opening.person,
        "kind": opening.kind,
        "state": await _first_state(tx, opening, rules),
        "channel": opening.channel,
        "trust": opening.trust,
        "room_id": opening.room_id,
        "event_id": opening.event_id,
        "options": _options(opening),
        "received_at": opening.received_at,
        "due_at": rules.due(opening.received_at),
        "acknowledge_by": rules.acknowledge_by(opening.received_at) if opening.kind is Kind.COMPLAINT else None,
        "updated_at": now,
    }


async def _first_state(tx: Tx, opening: Opening, rules: Rules) -> CaseState:
    if opening.kind is not Kind.ERASURE:
        scope = Scope(opening.options.get("scope", Scope.MINE))
        return policy.decide(opening.kind, opening.trust, opening.local, rules.approve, scope)
    if opening.channel is not Channel.MATRIX or await case_queries.on_legal_hold(tx, opening.person):
        return CaseState.REVIEW
    return policy.decide_erasure(opening.trust, opening.local)


def _options(opening: Opening) -> dict[str, Any]:
    remote = {_REMOTE: True} if opening.kind in _ACCOUNTS_OWN and not opening.local else {}
    return {**opening.options, **remote}


async def _prepare_erasure(tx: Tx, now: datetime, case: Case) -> None:
    """Make ready for a plan. What a person asks for over Matrix is planned when their options are known."""
    await erasures.put(tx, case.id, ErasureOptions())
    if not confirmed_by_person(case):
        await want_survey(tx, now, case, now)


async def _want_work(tx: Tx, now: datetime, case: Case) -> None:
    name = job_of(case)
    if name is None:
        return
    wake_at = now
    if name == "erase":  # not before the cooling-off is over
        known = await erasures.get(tx, case.id)
        wake_at = max(now, known.cooled_off_at) if known is not None and known.cooled_off_at is not None else now
    await jobs.want(tx, case_id=case.id, name=name, person=case.person, wake_at=wake_at, now=now)


async def _want_expiry(tx: Tx, now: datetime, case: Case) -> None:
    job_id = await jobs.want(tx, case_id=case.id, name=EXPIRE, person=case.person, wake_at=now, now=now)
    await wakes.no_later_than(tx, job_id, now)  # it may wait for a later day already
