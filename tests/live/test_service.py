"""The bot as a service: a manager that starts, watches and stops it, Prometheus that asks, a homeserver that goes away.

Its process may not make memory both writable and executable, as under the systemd unit.
"""

import asyncio
import os
import re
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dpobot.demo.synapse import Synapse, free_port
from dpobot.monitoring.catalogue import NAMED
from tests.live.bot import RunningBot, StartBot
from tests.live.conftest import Register
from tests.live.guest import ACCEPTED, COMPLETE, HELP, Arrive, Guest
from tests.live.past import lived

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

LAG = 10  # seconds, the least that the configuration takes
WATCHDOG = 4  # seconds
BURST = 3  # commands at once
SMALL = {"page_events": 10, "volume_megabytes": 1}
LIFE = ["STATUS=Starting", "STATUS=Listening", "READY=1", "STATUS=Finishing what is in hand", "STOPPING=1"]
Samples = dict[str, list[tuple[dict[str, str], float]]]
_LOCKED_DOWN = """#!/bin/sh
exec {python} -c 'import ctypes, os, sys
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN of linux/prctl.h; since Linux 6.3
os.execv(sys.argv[1], sys.argv[1:])' {python} "$@"
"""


class Manager:
    """The service manager's end of the notification socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.said: list[str] = []

    def heard(self) -> list[str]:
        """Return all lines since the beginning."""
        while True:
            try:
                self.said += self.socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return self.said

    async def hears(self, line: str, *, after: int = 0) -> None:
        """Wait until a line came more than so many times."""
        async with asyncio.timeout(60):
            while self.heard().count(line) <= after:
                await asyncio.sleep(0.05)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """Whoever starts the bot wants to be told, and feeds it a watchdog."""
    listening = Manager(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", str(WATCHDOG * 1_000_000))
    with closing(listening.socket):
        yield listening


@pytest.fixture
def locked_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bot start without the right to make memory executable that it may write."""
    starter = tmp_path / "locked-down"
    starter.write_text(_LOCKED_DOWN.format(python=sys.executable))
    starter.chmod(starter.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(starter))


@contextmanager
def _standing_still(pid: int) -> Iterator[None]:
    """Let the homeserver take connections and answer nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _get(port: int, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/{path}") as answer,
    ):
        return answer.status, await answer.text()


async def _until_ready(port: int, ready: bool, seconds: float) -> dict[str, Any]:
    """Ask until the bot says that it is ready, or that it is not; return the last answer."""
    async with asyncio.timeout(seconds):
        while True:
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                said: dict[str, Any] = await answer.json()
                if said["ready"] is ready and (answer.status == 200) is ready:
                    return said
            await asyncio.sleep(0.2)


def _samples(text: str) -> Samples:
    """Return the samples by name, as Prometheus's own parser reads them."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


async def _logged(bot: RunningBot, action: str) -> None:
    async with asyncio.timeout(60):
        while f'"action": "{action}"' not in bot.log():
            await asyncio.sleep(0.01)


def _is_within(metrics: Samples, guest: Guest, text: str) -> None:
    """Everything counted is in the catalogue, what was done is counted, and nobody is named."""
    ours = {name for name in metrics if name.startswith("dpobot_")}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in ours} - NAMED.keys() == set()
    assert {"command": "help", "said_by": "person"} in [labels for labels, _ in metrics["dpobot_commands_total"]]
    assert ({"job_name": "export", "outcome": "done"}, 1.0) in metrics["dpobot_job_runs_total"]
    assert ({"kind": "export", "state": "delivered"}, 1.0) in metrics["dpobot_cases"]
    assert metrics["dpobot_active"] == [({}, 1.0)]
    private = (guest.client.session.user_id, guest.bot, guest.room, "DPO-2", "@", "$", "private")
    assert [each for each in private if each in text] == []


async def test_a_service_from_start_to_stop_and_on(
    synapse: Synapse,
    register: Register,
    arrive: Arrive,
    start_bot: StartBot,
    manager: Manager,
    locked_down: None,
) -> None:
    """SIGTERM amid an export and a burst of commands: after the restart each is answered once.

    While the homeserver is silent the bot lives, feeds the watchdog, and says that it is not ready; then it is again.
    """
    port = free_port()
    bot = await start_bot(export=SMALL, monitoring={"port": port, "lag_seconds": LAG})
    await manager.hears("READY=1")
    past = await lived(synapse, await register("nora"))
    guest = await arrive(bot, past.account)
    await guest.say("export")
    await _logged(bot, "job_started")
    for _ in range(BURST):
        await guest.say("help")
    assert await bot.stop() == 0
    assert [line for line in manager.heard() if line != "WATCHDOG=1"] == LIFE
    assert not bot.log().count('"action": "job_ended"')
    await bot.start()
    await guest.hear(COMPLETE)
    await guest.hear(HELP, BURST)
    assert [len(guest.heard(text)) for text in (ACCEPTED, COMPLETE, HELP)] == [1, 1, BURST]
    ready = await _until_ready(port, ready=True, seconds=10)
    assert (ready["role"], ready["failed"]) == ("active", [])
    await _a_silence(synapse, port, manager)
    await guest.say("help")
    await guest.hear(HELP, BURST + 1)
    _, text = await _get(port, "metrics")
    _is_within(_samples(text), guest, text)
    assert [line for line in bot.lines() if line["level"] == "error"] == []


async def _a_silence(synapse: Synapse, port: int, manager: Manager) -> None:
    """Let the homeserver answer nothing for longer than the lag, and then again."""
    assert synapse.pid is not None
    with _standing_still(synapse.pid):
        silent = await _until_ready(port, ready=False, seconds=LAG * 3)
        assert (silent["failed"], (await _get(port, "healthz"))[0]) == (["sync"], 200)
        await manager.hears("WATCHDOG=1", after=manager.heard().count("WATCHDOG=1"))
    assert (await _until_ready(port, ready=True, seconds=60))["failed"] == []
