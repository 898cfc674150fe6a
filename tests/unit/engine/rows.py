"""Cases for jobs to belong to, and a clock that is set by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dpobot.model.records import Job
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import cases, jobs
from dpobot.store.database import Database
from dpobot.store.tx import Tx

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class SetClock:
    """A clock that stands still until it is moved."""

    moment: datetime = START

    def now(self) -> datetime:
        """Return the moment it is set to."""
        return self.moment

    def move(self, seconds: float) -> None:
        """Go forward."""
        self.moment += timedelta(seconds=seconds)


async def add_case(tx: Tx, number: int, person: str) -> int:
    """Insert an approved export case and return its ID."""
    values = {
        "reference": f"DPO-2026-{number:04d}",
        "person": person,
        "kind": Kind.EXPORT,
        "state": CaseState.APPROVED,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "options": {},
        "received_at": START,
        "due_at": START + timedelta(days=31),
        "updated_at": START,
    }
    return (await cases.add(tx, values)).id


async def want(
    database: Database, number: int, *, name: str = "export", person: str | None = None, wake_at: datetime = START
) -> int:
    """Open a case of its own and want a job for it; return the job's ID."""
    who = person or f"@p{number}:example.org"

    async def change(tx: Tx) -> int:
        case_id = await add_case(tx, number, who)
        return await jobs.want(tx, case_id=case_id, name=name, person=who, wake_at=wake_at, now=START)

    return await database.write(change)


async def row(database: Database, job_id: int) -> Job:
    """Return a job that must exist."""
    found = await database.read(lambda tx: jobs.get(tx, job_id))
    assert found is not None
    return found
