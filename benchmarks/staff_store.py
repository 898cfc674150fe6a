"""A store with many cases, for `benchmarks.staff_load`: three years of them, the same in every run."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from dpobot.audit import chain
from dpobot.cases.rules import Rules
from dpobot.model.ids import UserId, reference
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import bot_state, tables
from dpobot.store.database import Database, Tx

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
YEARS = timedelta(days=3 * 365)
STAFF = tuple(UserId(f"@staff{n}:example.org") for n in range(8))
REGULAR = UserId("@regular:example.org")  # has asked again and again
_AT_A_TIME = 2000
_CASES_A_PERSON = 2
_OF_REGULAR = 0.002  # share of all cases
_FRESH = timedelta(days=30)
_LATE = 0.01  # share of the older cases that are still open
_KINDS = {
    Kind.EXPORT: 40, Kind.ERASURE: 25, Kind.QUESTION: 12, Kind.ACCESS: 8, Kind.COMPLAINT: 5, Kind.RECTIFICATION: 3,
    Kind.OBJECTION: 2, Kind.RESTRICTION: 2, Kind.SECURITY: 1, Kind.CHILD: 1, Kind.AUTOMATED: 1,
}  # fmt: skip
_OPEN = {CaseState.REVIEW: 60, CaseState.PAUSED: 10, CaseState.APPROVED: 5, CaseState.WORKING: 2, CaseState.HELD: 3}
_OVER = {CaseState.CLOSED: 85, CaseState.REFUSED: 5, CaseState.WITHDRAWN: 10}


async def fill(database: Database, count: int) -> None:
    """Insert ``count`` cases, their people, and a trail that holds."""
    dice = random.Random(2018)
    people = [UserId(f"@person{n}:example.org") for n in range(max(1, count // _CASES_A_PERSON))]
    await _insert(database, tables.person, ({"user_id": who, "created_at": NOW - YEARS} for who in [*people, REGULAR]))
    cases = [_case(dice, number, count, people) for number in range(1, count + 1)]
    await _insert(database, tables.case, iter(cases))
    await _insert(database, tables.audit, (head := _Trail()).rows(cases))
    await database.write(lambda tx: bot_state.set(tx, "audit.head", f"{count} {head.prev}"))


class _Trail:
    """The audit rows of all cases; ``prev``: hash of the newest one."""

    def __init__(self) -> None:
        self.prev = chain.GENESIS

    def rows(self, cases: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Yield a row a case."""
        for seq, case in enumerate(cases, 1):
            covered = {
                "seq": seq,
                "at": case["received_at"],
                "action": "case.opened",
                "case_id": seq,
                "detail": {"kind": case["kind"]},
                "actor_digest": chain.actor_digest("00", case["person"]),
                "prev": self.prev,
            }
            self.prev = chain.row_hash(**covered)
            yield covered | {"actor": case["person"], "actor_salt": "00", "hash": self.prev}


def _case(dice: random.Random, number: int, count: int, people: Sequence[UserId]) -> Mapping[str, Any]:
    received = NOW - YEARS * (1 - number / count) - timedelta(seconds=dice.randrange(3600))
    fresh = received > NOW - _FRESH
    open_ = dice.random() < (0.7 if fresh else _LATE)
    state = _one(dice, _OPEN if open_ else _OVER)
    closed = None if open_ else min(NOW, received + timedelta(days=dice.triangular(0, 60, 12)))
    return {
        "id": number,
        "reference": reference(received.year, number),
        "person": REGULAR if dice.random() < _OF_REGULAR else dice.choice(people),
        "kind": _one(dice, _KINDS),
        "state": state,
        "channel": Channel.EMAIL if dice.random() < 0.1 else Channel.MATRIX,
        "trust": Trust.SIGNED,
        "room_id": f"!room{number}:example.org",
        "event_id": f"${number:043d}",
        "options": {"scope": "mine", "sections": []},
        "received_at": received,
        "due_at": _RULES.due(received),
        "updated_at": closed or received,
        "closed_at": closed,
        "assignee": dice.choice(STAFF) if dice.random() < 0.5 else None,
        "paused_at": received if state is CaseState.PAUSED else None,
        "answered_at": closed,
        "days": None if closed is None else (closed - received).days,
    }


def _one(dice: random.Random, shares: Mapping[Any, int]) -> Any:
    return dice.choices(list(shares), list(shares.values()))[0]


async def _insert(database: Database, table: sa.Table, rows: Iterator[Mapping[str, Any]]) -> None:
    while page := list(islice(rows, _AT_A_TIME)):
        await database.write(lambda tx, page=page: _page(tx, table, page))  # type: ignore[misc] # mypy can't infer a lambda with a default


async def _page(tx: Tx, table: sa.Table, page: Sequence[Mapping[str, Any]]) -> None:
    await tx.conn.execute(sa.insert(table), page)
    if table is tables.case and tx.conn.dialect.name == "postgresql":  # the next case gets the next number
        newest = "SELECT setval(pg_get_serial_sequence('\"case\"', 'id'), (SELECT max(id) FROM \"case\"))"
        await tx.conn.execute(sa.text(newest))


_RULES = Rules(country="GB")
