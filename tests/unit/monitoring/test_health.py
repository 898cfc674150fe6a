"""Alive, ready or not, and what is missing."""

import asyncio
import socket
from contextlib import closing
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from dpobot.clock import SystemClock
from dpobot.config import MonitoringConfig
from dpobot.errors import ConfigurationError, Unavailable
from dpobot.monitoring.health import readiness
from dpobot.monitoring.probe import well
from dpobot.monitoring.server import Monitoring
from dpobot.monitoring.service import watched as service
from dpobot.pulse import Pulse, Role
from dpobot.store.database import Database
from tests.unit.monitoring.conftest import NOW, SetClock

LAG = timedelta(seconds=120)


async def _get(monitoring: Monitoring, path: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(monitoring.address + path) as answer:
        return answer.status, await answer.json()


async def test_a_bot_that_has_heard_from_the_homeserver_is_ready(watched: Monitoring) -> None:
    """Each check by its name."""
    assert await _get(watched, "/healthz") == (200, {"alive": True})
    checks = {"database": True, "started": True, "sync": True}
    assert await _get(watched, "/readyz") == (200, {"ready": True, "role": "active", "checks": checks, "failed": []})


async def test_a_silent_homeserver_makes_it_not_ready(watched: Monitoring, clock: SetClock, pulse: Pulse) -> None:
    """Beyond the lag, and until it answers again; the process lives all the while."""
    clock.moment += LAG
    assert (await _get(watched, "/readyz"))[0] == 200
    clock.moment += timedelta(seconds=1)
    status, said = await _get(watched, "/readyz")
    assert (status, said["failed"], (await _get(watched, "/healthz"))[0]) == (503, ["sync"], 200)
    pulse.synced(clock.moment)
    assert (await _get(watched, "/readyz"))[0] == 200


async def test_a_database_that_does_not_answer_makes_it_not_ready(
    watched: Monitoring, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metrics say so, too, and leave out what they would have counted."""

    async def away(*_: object) -> None:
        raise Unavailable("database")

    monkeypatch.setattr(sqlite_database, "read", away)
    status, said = await _get(watched, "/readyz")
    assert (status, said["failed"]) == (503, ["database"])
    async with aiohttp.ClientSession() as session, session.get(f"{watched.address}/metrics") as answer:
        text = await answer.text()
    assert "dpobot_database_up 0.0" in text
    assert "dpobot_cases" not in text


@pytest.mark.parametrize(
    ("role", "heard", "database", "failed"),
    [
        (Role.ACTIVE, False, True, ["sync"]),
        (Role.STARTING, False, True, ["started", "sync"]),
        (Role.STANDBY, False, True, []),
        (Role.WORKER, False, True, []),
        (Role.WORKER, False, False, ["database"]),
        (Role.STOPPING, True, True, ["started"]),
    ],
)
def test_what_each_role_needs(role: Role, heard: bool, database: bool, failed: list[str]) -> None:
    """Only the bot listens; what starts or stops is not to be sent work."""
    pulse = Pulse()
    if heard:
        pulse.synced(NOW)
    pulse.is_now(role)
    found = readiness(pulse, NOW, LAG, database=database)
    assert ([name for name, holds in found.checks.items() if not holds], found.ready) == (failed, not failed)


async def test_other_paths_and_methods_are_nothing(watched: Monitoring) -> None:
    """The port answers three questions."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{watched.address}/") as answer:
            assert answer.status == 404
        async with session.post(f"{watched.address}/metrics") as answer:
            assert answer.status == 405


async def test_the_health_check_of_a_container(watched: Monitoring) -> None:
    """It takes 200 for well, and nothing else: not another path, not a silent port."""
    paths = {"/healthz": True, "/readyz": True, "/nothing": False}
    found = {path: await asyncio.to_thread(well, watched.address + path) for path in paths}
    assert found == paths
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        assert not await asyncio.to_thread(well, f"http://127.0.0.1:{silent.getsockname()[1]}/healthz", 0.2)


async def test_a_port_that_is_taken_is_said(watched: Monitoring, sqlite_database: Database) -> None:
    """Where an admin can do something about it."""
    port = int(watched.address.rpartition(":")[2])
    with pytest.raises(ConfigurationError, match=r"monitoring.port: can't listen on 127.0.0.1") as raised:
        async with service(MonitoringConfig(port=port), sqlite_database, SystemClock(), Pulse()):
            raise AssertionError("it listens")
    assert len(raised.value.problems) == 1


async def test_without_a_port_nobody_answers(sqlite_database: Database) -> None:
    """The service runs all the same, and knows at its end that it stops."""
    pulse = Pulse()
    async with service(MonitoringConfig(), sqlite_database, SystemClock(), pulse):
        pulse.is_now(Role.WORKER)
    assert pulse.role is Role.STOPPING
