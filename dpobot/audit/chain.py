"""The hash chain: each row covers the one before, so that no row can be changed, removed or put in between unnoticed.

A row's hash is SHA-256 (hex) over the canonical JSON (keys sorted, no white space, ASCII) of ``seq``, ``at``,
``action``, ``case_id``, ``detail``, ``actor_digest`` and ``prev``. ``at`` is UTC with microseconds. The first row's
``prev`` is `GENESIS`.

The actor is covered through ``actor_digest``, SHA-256 over a random salt and the actor: when a case expires, actor and
salt are dropped, nobody can tell any more who it was, and the chain still holds.

The head (number and hash of the newest row) is kept apart from the rows: rows missing at the end are noticed as well.
What a chain in one database can't show is that all of it was computed anew; whoever needs that keeps copies of the head
elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dpobot.store import audit_rows
from dpobot.store.audit_rows import AuditRow
from dpobot.store.tx import Tx

GENESIS = hashlib.sha256(b"dpobot audit trail, version 1").hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the chain holds: ``rows`` that were right, the number of the first bad one, and a stable code why.

    Codes: ``missing`` (a number is left out), ``prev``, ``hash``, ``actor``, ``head`` (rows at the end are missing, or
    the head was changed).
    """

    rows: int
    broken_at: int | None = None
    problem: str | None = None

    @property
    def holds(self) -> bool:
        """Say whether nothing is wrong."""
        return self.problem is None


def actor_digest(salt: str, actor: str) -> str:
    """Return what the chain covers of an actor; ``salt`` is hex of fixed length."""
    return hashlib.sha256(f"{salt}{actor}".encode()).hexdigest()


def row_hash(
    *,
    seq: int,
    at: datetime,
    action: str,
    case_id: int | None,
    detail: Mapping[str, Any],
    actor_digest: str,
    prev: str,
) -> str:
    """Return the hash of a row, hex."""
    covered = {
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "action": action,
        "case_id": case_id,
        "detail": dict(detail),
        "actor_digest": actor_digest,
        "prev": prev,
    }
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


async def verify(tx: Tx) -> Verdict:
    """Walk the whole trail and say whether it holds; memory stays constant."""
    seq, prev = 0, GENESIS
    async for row in audit_rows.rows(tx):
        problem = _problem(row, seq, prev)
        if problem:
            return Verdict(seq, row.seq, problem)
        seq, prev = row.seq, row.hash
    if await audit_rows.head(tx, GENESIS) != audit_rows.Head(seq, prev):
        return Verdict(seq, seq + 1, "head")
    return Verdict(seq)


async def contains(tx: Tx, hash_: str) -> bool:
    """Say whether a head that was noted elsewhere is still in the trail; whether the trail holds, `verify` says.

    Together they show that nothing up to that head was computed anew. `GENESIS` is the head of an empty trail.
    """
    return hash_ == GENESIS or await audit_rows.has(tx, hash_)


def _problem(row: AuditRow, seq: int, prev: str) -> str | None:
    if row.seq != seq + 1:
        return "missing"
    if row.prev != prev:
        return "prev"
    if row.hash != hash_of(row):
        return "hash"
    if row.actor is not None and row.actor_digest != actor_digest(row.actor_salt or "", row.actor):
        return "actor"
    return None


def hash_of(row: AuditRow) -> str:
    """Return the hash that a stored row must have."""
    return row_hash(
        seq=row.seq,
        at=row.at,
        action=row.action,
        case_id=row.case_id,
        detail=row.detail,
        actor_digest=row.actor_digest,
        prev=row.prev,
    )
