"""Ready or not, and what is missing: pure, from what the process knows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dpobot.pulse import Pulse, Role

_SYNCING = (Role.ACTIVE, Role.STARTING)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The checks by name and whether each holds, and what the process is."""

    role: Role
    checks: dict[str, bool]

    @property
    def ready(self) -> bool:
        """Whether all checks hold."""
        return all(self.checks.values())


def readiness(pulse: Pulse, now: datetime, lag: timedelta, *, database: bool) -> Readiness:
    """Say whether the process can do what it is there for.

    The bot needs the database and a homeserver that has answered within ``lag``; a worker and a standby need the
    database; what starts or stops is not ready.
    """
    checks = {"database": database, "started": pulse.role not in (Role.STARTING, Role.STOPPING)}
    if pulse.role in _SYNCING:
        checks["sync"] = pulse.synced_at is not None and now - pulse.synced_at <= lag
    return Readiness(pulse.role, checks)
