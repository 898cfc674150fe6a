"""A database in which something waits everywhere, and names that must never come out of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dpobot.config import MonitoringConfig
from dpobot.model.notices import NoticeState
from dpobot.model.words import CaseState, JobState, Kind
from dpobot.monitoring.server import Monitoring
from dpobot.pulse import Pulse, Role
from dpobot.store.database import Database, Tx
from dpobot.store.tables import alert, case, erasure_notice, inbox, job, letter, outbox

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PRIVATE = (
    "anna-secret", "DPO-2026", "!private-room", "$private-event", "private-server", "private-file",
    "private_code", "vera-secret", "%40anna",
)  # fmt: skip
_CASES = (  # kind, state, days until it is due, whether it was answered, days since it was received
    (Kind.EXPORT, CaseState.WORKING, 0.5, False, 29),
    (Kind.EXPORT, CaseState.REVIEW, 2, False, 28),
    (Kind.ERASURE, CaseState.REVIEW, 6, False, 25),
    (Kind.ERASURE, CaseState.REVIEW, 20, True, 40),
    (Kind.ERASURE, CaseState.PAUSED, -3, False, 60),  # its time stands still
    (Kind.COMPLAINT, CaseState.REVIEW, -1, False, 31),
    (Kind.COMPLAINT, CaseState.CLOSED, -9, True, 90),
)
_JOBS = (
    ("export", JobState.RUNNING),
    ("export", JobState.WANTED),
    ("erase", JobState.FAILED),
    ("erase", JobState.HELD),
    ("erase", JobState.DONE),
    ("copies", JobState.CANCELLED),
)


def days(number: float) -> datetime:
    """Return the moment so many days from now."""
    return NOW + timedelta(days=number)


@dataclass
class SetClock:
    """A clock that is set by hand."""

    moment: datetime = NOW

    def now(self) -> datetime:
        """Return what was set."""
        return self.moment


async def fill(tx: Tx) -> None:
    """Write rows into all tables that are watched."""
    for number, each in enumerate(_CASES, 1):
        await _add(tx, case, _case(number, *each))
    for number, (name, state) in enumerate(_JOBS, 1):
        await _add(tx, job, _job(number, name, state))
    for number, closed_at in enumerate((None, None, NOW)):
        row = {"key": f"job:{number}:anna-secret", "code": "private_code", "case_id": 1}
        await _add(tx, alert, row | {"at": days(-2 - number), "closed_at": closed_at})
    for number, step in enumerate(("new", "new", "waiting", "done")):
        await _add(tx, inbox, _event(number, step))
    for number, step in enumerate(("new", "failed", "sent")):
        await _add(tx, outbox, _message(number, step))
    row = {
        "key": "letter-anna-secret",
        "room_id": "!private-room:x",
        "type": "m.room.message",
        "sealed": b"private-file",
    }
    await _add(tx, letter, row | {"state": "new", "created_at": days(-0.25)})
    for number, sent in enumerate((NoticeState.FOUND, NoticeState.FOUND, NoticeState.APPROVED)):
        row = {"case_id": 3, "server": f"private-server-{number}", "state": sent, "not_before": NOW, "created_at": NOW}
        await _add(tx, erasure_notice, row)


def _case(
    number: int,
    kind: Kind,
    state: CaseState,
    due: float,
    answered: bool,
    received: float,
) -> dict[str, Any]:
    return {
        "reference": f"DPO-2026-{number:04d}", "person": f"@anna-secret-{number}:x", "kind": kind, "state": state,
        "channel": "matrix", "trust": "signed", "room_id": "!private-room:x", "event_id": f"$private-event-{number}",
        "options": {}, "received_at": days(-received), "due_at": days(due), "updated_at": NOW,
        "answered_at": NOW if answered else None, "assignee": "@vera-secret:x",
    }  # fmt: skip


def _job(number: int, name: str, state: JobState) -> dict[str, Any]:
    return {
        "case_id": number, "name": name, "person": f"@anna-secret-{number}:x", "state": state, "wake_at": NOW,
        "progress": {}, "error": "private_code", "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip


def _event(number: int, state: str) -> dict[str, Any]:
    return {
        "event_id": f"$private-event-{number}", "room_id": "!private-room:x", "sender": "@anna-secret:x",
        "kind": "text", "encrypted": True, "state": state, "not_before": NOW, "sent_at": NOW,
        "received_at": NOW - timedelta(minutes=number + 1),
    }  # fmt: skip


def _message(number: int, state: str) -> dict[str, Any]:
    return {
        "key": f"key-{number}", "user_id": "@anna-secret:x", "room_id": "!private-room:x", "cleartext": False,
        "state": state, "not_before": NOW, "created_at": NOW - timedelta(minutes=10 * (number + 1)),
    }  # fmt: skip


async def _add(tx: Tx, table: sa.Table, row: dict[str, Any]) -> None:
    await tx.conn.execute(sa.insert(table).values(row))


@pytest.fixture
def clock() -> SetClock:
    """The clock of the service."""
    return SetClock()


@pytest.fixture
def pulse() -> Pulse:
    """What a bot knows of itself that has heard from the homeserver just now."""
    made = Pulse()
    made.is_now(Role.ACTIVE)
    made.synced(NOW)
    return made


@pytest.fixture
async def watched(sqlite_database: Database, clock: SetClock, pulse: Pulse) -> AsyncIterator[Monitoring]:
    """The port of a service with rows everywhere, answering at ``watched.address``."""
    await sqlite_database.write(fill)
    config = MonitoringConfig(lag_seconds=120)
    async with Monitoring(config, 0, sqlite_database, clock, pulse) as made:
        yield made
