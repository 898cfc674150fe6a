"""What the service manager is told, read from a real socket."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dpobot.clock import SystemClock
from dpobot.config import MonitoringConfig
from dpobot.monitoring.service import watched
from dpobot.monitoring.systemd import Notifier, watchdog_seconds
from dpobot.pulse import Pulse, Role
from dpobot.store.database import Database

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class Ticking:
    """Seconds that are counted by hand."""

    seconds: float = 0.0

    def __call__(self) -> float:
        """Return how many have passed."""
        return self.seconds


@dataclass
class Manager:
    """The service manager's end of the socket."""

    socket: socket.socket
    address: str
    ticking: Ticking = field(default_factory=Ticking)

    def heard(self) -> list[str]:
        """Return the lines that came since the last call."""
        lines: list[str] = []
        while True:
            try:
                lines += self.socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return lines

    def environment(self, seconds: float | None = None) -> dict[str, str]:
        """Return what a service is started with."""
        watchdog = {} if seconds is None else {"WATCHDOG_USEC": str(int(seconds * 1_000_000))}
        return {"NOTIFY_SOCKET": self.address, **watchdog}


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    """A manager that listens at a path, and one at a name that no file has."""
    path, name = str(tmp_path / "notify"), f"dpobot-{secrets.token_hex(8)}"
    bound, address = (path, path) if request.param == "file" else ("\0" + name, "@" + name)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listening:
        listening.bind(bound)
        listening.setblocking(False)
        yield Manager(listening, address)


def test_a_bot_is_ready_when_the_homeserver_has_answered(manager: Manager) -> None:
    """Not before; each thing is said once."""
    pulse = Pulse()
    notifier = Notifier(pulse, manager.environment())
    notifier.look()
    pulse.is_now(Role.ACTIVE)
    notifier.look()
    assert manager.heard() == ["STATUS=Starting", "STATUS=Listening"]
    pulse.synced(NOW)
    notifier.look()
    notifier.look()
    assert manager.heard() == ["READY=1"]
    notifier.stopping()
    notifier.stopping()
    assert manager.heard() == ["STATUS=Finishing what is in hand", "STOPPING=1"]


@pytest.mark.parametrize(("role", "status"), [(Role.STANDBY, "Standing by"), (Role.WORKER, "Running jobs")])
def test_others_are_ready_when_they_have_begun(manager: Manager, role: Role, status: str) -> None:
    """They don't listen; a standby that takes over is not ready twice."""
    pulse = Pulse()
    notifier = Notifier(pulse, manager.environment())
    pulse.is_now(role)
    notifier.look()
    assert manager.heard() == [f"STATUS={status}", "READY=1"]
    pulse.is_now(Role.ACTIVE)
    pulse.synced(NOW)
    notifier.look()
    assert manager.heard() == ["STATUS=Listening"]


def test_the_watchdog_is_fed_at_half_of_its_patience(manager: Manager) -> None:
    """As long as the listener is heard of in time; one that hangs starves it."""
    pulse, ticking = Pulse(monotonic=manager.ticking), manager.ticking
    notifier = Notifier(pulse, manager.environment(60), ticking)
    pulse.is_now(Role.STANDBY)
    notifier.look()
    assert manager.heard()[-1] == "WATCHDOG=1"
    fed = []
    for ticking.seconds in (29.0, 30.0, 59.0, 60.0):
        notifier.look()
        fed.append(manager.heard())
    assert fed == [[], ["WATCHDOG=1"], [], ["WATCHDOG=1"]]
    pulse.round_within(100)
    ticking.seconds = 160.0
    notifier.look()
    assert manager.heard() == ["WATCHDOG=1"]
    ticking.seconds = 200.0
    notifier.look()
    assert manager.heard() == []


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_how_often_the_watchdog_wants_to_be_fed(environment: dict[str, str], seconds: float | None) -> None:
    """Half of its patience; not at all if it waits for another process."""
    assert watchdog_seconds(environment) == seconds


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1", "/nowhere/notify"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    """Nobody asked, or nobody is there: the bot goes on."""
    notifier = Notifier(Pulse(), {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    notifier.look()
    notifier.stopping()
    assert address in ("", "relative", "vsock:2:1") or not Path(address).exists()


async def test_a_service_says_how_it_is_from_beginning_to_end(
    manager: Manager, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is that runs inside."""
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    async with watched(MonitoringConfig(), sqlite_database, SystemClock(), Pulse()):
        pass
    assert manager.heard()[-2:] == ["STATUS=Finishing what is in hand", "STOPPING=1"]
