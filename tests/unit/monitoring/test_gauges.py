"""The counts behind the metrics, on both databases."""

from datetime import timedelta

from dpobot.cases import transitions
from dpobot.model.words import CaseState
from dpobot.store import gauges
from dpobot.store.database import Database
from dpobot.store.gauges import Gauges, Waiting
from tests.unit.monitoring.conftest import NOW, days, fill

RUNNING = tuple(transitions.UNANSWERED - {CaseState.PAUSED})


async def test_everything_that_waits_is_counted(database: Database) -> None:
    """Each once; a paused case is neither due nor overdue, a job that is done is no job any more."""
    await database.write(fill)
    assert await database.read(lambda tx: gauges.read(tx, NOW, RUNNING, (1, 3, 7))) == Gauges(
        at=NOW,
        cases={
            ("export", "working"): 1,
            ("export", "review"): 1,
            ("erasure", "review"): 2,
            ("erasure", "paused"): 1,
            ("complaint", "review"): 1,
            ("complaint", "closed"): 1,
        },
        due_within={1: 1, 3: 2, 7: 3},
        overdue=1,
        unanswered_since=days(-31),
        jobs={("export", "running"): 1, ("export", "wanted"): 1, ("erase", "failed"): 1, ("erase", "held"): 1},
        alerts=Waiting(2, days(-3)),
        inbox=Waiting(2, NOW - timedelta(minutes=2)),
        undecryptable=1,
        outbox=Waiting(1, NOW - timedelta(minutes=10)),
        unsent=1,
        letters=Waiting(1, days(-0.25)),
        notices={"found": 2, "approved": 1},
    )


async def test_where_there_is_nothing_nothing_is_counted(database: Database) -> None:
    """An empty database is no error."""
    nothing = Waiting(0, None)
    assert await database.read(lambda tx: gauges.read(tx, NOW, RUNNING, (1,))) == Gauges(
        NOW, {}, {1: 0}, 0, None, {}, nothing, nothing, 0, nothing, 0, nothing, {}
    )
