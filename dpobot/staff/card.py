"""The card of a case: what its values are, and which step comes next. Pure; the words are in ``staff/card.html``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from dpobot.cases import restriction
from dpobot.cases.approval import NEEDS_PROOF
from dpobot.cases.progress import Progress
from dpobot.cases.service import job_of
from dpobot.cases.transitions import OVER
from dpobot.model.ids import UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.receipt import reasons
from dpobot.store.foreign_requests import ForeignRequest


@dataclass(frozen=True, slots=True)
class Counts:
    """What is in a case: messages of the person, files of anybody, and how many have approved it so far."""

    messages: int = 0
    files: int = 0
    approvals: int = 0


@dataclass(frozen=True, slots=True)
class Federated:
    """What has to do with other homeservers: how many of those told stand where, and which one asked for this case."""

    told: Mapping[str, int] = field(default_factory=dict)
    asked: ForeignRequest | None = None


def values(
    case: Case,
    counts: Counts,
    held: str | None,
    now: datetime,
    zone: tzinfo,
    progress: Progress | None = None,
    federated: Federated | None = None,
) -> Mapping[str, Any]:
    """Return what the card shows. ``held``: the code of what stopped the case; ``zone``: the operator's."""
    federated = federated or Federated()
    return {
        "reference": case.reference,
        "kind": case.kind.value,
        "person": shown(case.person),
        "evidence": evidence(case),
        "channel": case.channel.value,
        "verified_at": case.verified_at,
        "state": case.state.value,
        "held": held if case.state is CaseState.HELD else None,
        "may_be_suspended": restriction.may_be_suspended(case, held),
        "outcome": case.outcome,
        "assignee": shown(case.assignee) if case.assignee else None,
        "received_at": case.received_at,
        "due_at": case.due_at,
        "days": days_left(case, now, zone),
        "paused_at": case.paused_at if case.state is CaseState.PAUSED else None,
        "over": case.state in OVER,
        "closed_at": case.closed_at,
        "acknowledge_by": case.acknowledge_by if case.unacknowledged else None,
        "extended": case.extended_months,
        "legal_hold": case.legal_hold,
        "messages": counts.messages,
        "files": counts.files,
        "approvals": counts.approvals if case.state in (CaseState.REVIEW, CaseState.HELD) else 0,
        "erasure": None if progress is None else _erasure(progress),
        "field": case.options.get("field") if case.kind is Kind.RECTIFICATION else None,
        "scope": case.options.get("scope") if case.kind is Kind.EXPORT else None,
        "notices": [{"state": state, "count": count} for state, count in federated.told.items()],
        "foreign": None if federated.asked is None else _foreign(federated.asked),
        "next": next_step(case, None if progress is None else progress.stage),
    }


def _foreign(request: ForeignRequest) -> Mapping[str, Any]:
    return {
        "server": request.server,
        "sender": request.sender,
        "reference": request.reference,
        "verified": request.verified,
        "requested": list(request.requested),
        "erased_on": request.erased_on,
    }


def _erasure(progress: Progress) -> Mapping[str, Any]:
    """Return how far an erasure is; ``left``: what should have gone, ``kept``: how many sorts of data stay as meant."""
    found = progress.erasure.residuals if progress.erasure.checked_at is not None else ()
    left = reasons.unexpected(found)
    return {**progress.values(), "left": [each.to_json() for each in left], "kept": len(found) - len(left)}


def shown(user_id: UserId) -> str:
    """Return a user ID with every character beyond printable ASCII escaped, so that a look-alike is seen as one.

    New user IDs hold none (spec, Appendices, "User Identifiers"), historical ones and other servers' may.
    """
    return "".join(char if "!" <= char <= "~" else _escaped(char) for char in user_id)


def _escaped(char: str) -> str:
    return "\\x20" if char == " " else char.encode("unicode_escape").decode()


def evidence(case: Case) -> str:
    """Return by what we know who asks, as the template names it."""
    if case.verified_at is not None:
        return "verified"
    if case.channel is Channel.FEDERATION:
        return "their_server" if case.trust is Trust.SIGNED else "not_their_server"
    if case.channel is not Channel.MATRIX:
        return "outside"
    return case.trust.value if case.trust in (Trust.SIGNED, Trust.UNSIGNED, Trust.IDENTITY_CHANGED) else "unknown"


def days_left(case: Case, now: datetime, zone: tzinfo) -> int:
    """Return the calendar days until the case is due, negative when overdue; a paused case's time stands still."""
    at = case.paused_at if case.state is CaseState.PAUSED and case.paused_at else now
    return (case.due_at.astimezone(zone).date() - at.astimezone(zone).date()).days


def next_step(case: Case, stage: str | None = None) -> str:
    """Return what staff do next, as the template names it: the word for one command, or for nobody to do anything.

    ``stage``: how far an erasure is (see `cases.progress`).
    """
    match case.state:
        case CaseState.CONFIRMING:
            return "device" if stage == "device" else "person" if stage == "asked" else "counting"
        case CaseState.REVIEW:
            return _in_review(case, stage)
        case CaseState.PAUSED:
            return "resume"
        case CaseState.HELD:
            return "held"
        case CaseState.PARTIAL:
            return "retry"
        case CaseState.APPROVED | CaseState.WORKING:
            return "works"
        case CaseState.DELIVERED:
            return _delivered(case)
        case _:
            return "nothing"


def _in_review(case: Case, stage: str | None) -> str:
    if case.assignee is None:
        return "claim"
    if case.kind in NEEDS_PROOF and not case.proven:
        return "verify"
    job = job_of(case)
    if job == "erase" and stage in (None, "unconfirmed", "counting"):
        return stage or "unconfirmed"
    if job is not None:
        return "approve"
    return "reply" if case.answered_at is None else "close"


def _delivered(case: Case) -> str:
    if case.kind is Kind.RESTRICTION:
        return "lift"
    return "close" if case.kind is Kind.RECTIFICATION else "received"
