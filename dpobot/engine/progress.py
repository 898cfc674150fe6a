"""How far a job is and how long it will take: pure figures behind the progress message."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self

_EIGHTHS = " ▏▎▍▌▋▊▉"
_ENOUGH = 0.02  # below this share of the work an estimate is a guess and isn't shown


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    ``done`` and ``total`` are in one unit of work of the job's choice (requests, weighted rooms). ``started_at`` is the
    start of this RUN and ``done_before`` what earlier runs had done by then: a night's outage must not count as work.
    """

    done: float
    total: float
    started_at: datetime
    done_before: float = 0.0
    rooms: int = 0
    rooms_total: int = 0
    events: int = 0
    size: int = 0  # bytes collected

    @property
    def fraction(self) -> float:
        """The share that is done, 0 to 1; a total that turns out too small never gives more than 1."""
        return min(1.0, max(0.0, self.done / self.total)) if self.total > 0 else 0.0

    def left(self, now: datetime) -> timedelta | None:
        """Estimate the time left at this run's mean speed; None while too little is known."""
        elapsed = (now - self.started_at).total_seconds()
        worked = self.done - self.done_before
        if elapsed <= 0 or worked <= 0 or self.total <= 0 or worked / self.total < _ENOUGH:
            return None
        return timedelta(seconds=max(0.0, self.total - self.done) * elapsed / worked)

    def bar(self, width: int = 20) -> str:
        """Draw the share that is done with block characters, exactly ``width`` of them, to an eighth of one."""
        full, rest = divmod(int(self.fraction * width * 8), 8)
        part = _EIGHTHS[rest] if rest else ""
        return ("█" * full + part).ljust(width, "░")

    def values(self, now: datetime) -> dict[str, Any]:
        """Return what the progress template says; ``minutes_left`` is rounded up, None while unknown."""
        left = self.left(now)
        return {
            "bar": self.bar(),
            "percent": int(self.fraction * 100),
            "rooms": self.rooms,
            "rooms_total": self.rooms_total,
            "events": self.events,
            "megabytes": round(self.size / 1_000_000, 1),
            "minutes_left": None if left is None else -int(-left.total_seconds() // 60),
        }

    def to_json(self) -> dict[str, Any]:
        """Return it as a job's ``progress`` column holds it."""
        return asdict(self) | {"started_at": self.started_at.isoformat()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self | None:
        """Return what `to_json` stored, or None if the job has not said anything yet."""
        if "started_at" not in stored:
            return None
        return cls(**{**stored, "started_at": datetime.fromisoformat(stored["started_at"])})
