"""What this process knows of itself: plain counters and moments that `monitoring` shows, and everything may report to.

One for the process, as the log is, because memory and processor time beside it are of the process, too. It holds names
that are written in the code, and numbers: never an ID, a reference or a word of anybody.
"""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

BOUNDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)  # seconds, of how long jobs took


class Role(StrEnum):
    """What the process is at this moment."""

    STARTING = "starting"
    ACTIVE = "active"  # the bot: it alone listens and speaks
    STANDBY = "standby"  # waits to take over from the active one
    WORKER = "worker"  # runs jobs only
    STOPPING = "stopping"


@dataclass
class Durations:
    """How long something took: one count for each of `BOUNDS`, not cumulative, and one beyond; the sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Pulse:
    """Counters since the process began. Everything happens in one event loop: no locks.

    ``monotonic`` tells seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._round_ends: float | None = None
        self.role = Role.STARTING
        self.synced_at: datetime | None = None  # when the homeserver last answered a /sync that was taken in
        self.syncs: Counter[str] = Counter()  # by outcome: ok, unavailable, rejected
        self.commands: Counter[tuple[str, str]] = Counter()  # by who says them (person, staff) and name
        self.requests: Counter[tuple[str, str]] = Counter()  # by API (client, admin) and class of outcome
        self.job_runs: Counter[tuple[str, str]] = Counter()  # by name of the job and how the run ended
        self.job_seconds: dict[str, Durations] = {}  # by name of the job
        self.log_lines: Counter[str] = Counter()  # by level

    def begin(self) -> None:
        """Note that a service starts in this process; what was counted stays."""
        self.role, self.synced_at, self._round_ends = Role.STARTING, None, None

    def is_now(self, role: Role) -> None:
        """Note what the process has become; once it stops, it does nothing else any more."""
        if self.role is not Role.STOPPING:
            self.role = role

    def synced(self, now: datetime) -> None:
        """Note that a /sync was answered and taken in."""
        self.synced_at = now
        self.syncs["ok"] += 1

    def round_within(self, seconds: float) -> None:
        """Note that the listener will be heard of again within so many seconds, whatever the homeserver does."""
        self._round_ends = self._monotonic() + seconds

    def listens(self) -> bool:
        """Say whether the listener was heard of in time; true as long as it has not begun."""
        return self._round_ends is None or self._monotonic() <= self._round_ends

    def handled(self, who: str, command: str) -> None:
        """Count a command that was understood; ``who``: person or staff."""
        self.commands[who, command] += 1

    def asked(self, api: str, status: int | None) -> None:
        """Count a request to the homeserver's ``client`` or ``admin`` API; no status: it was not answered."""
        self.requests[api, outcome_class(status)] += 1

    def ran(self, job: str, outcome: str, seconds: float) -> None:
        """Count a run of a job: how it ended, and how long it took."""
        self.job_runs[job, outcome] += 1
        self.job_seconds.setdefault(job, Durations()).add(seconds)


def outcome_class(status: int | None) -> str:
    """Return what an HTTP status means for whoever watches: ok, refused, limited, failed, unreachable."""
    if status is None:
        return "unreachable"
    if status == 429:
        return "limited"
    if status >= 500:
        return "failed"
    return "refused" if status >= 400 else "ok"


PROCESS = Pulse()
