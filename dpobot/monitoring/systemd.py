"""Word to the service manager: one datagram to ``$NOTIFY_SOCKET`` each time (sd_notify(3)), without a library.

Without that variable nobody asked, and nothing happens.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping

from dpobot import log
from dpobot.pulse import Pulse, Role

_LOOK_SECONDS = 0.5  # how often it looks whether there is something to say
_STATUS = {
    Role.STARTING: "Starting",
    Role.ACTIVE: "Listening",
    Role.STANDBY: "Standing by",
    Role.WORKER: "Running jobs",
    Role.STOPPING: "Finishing what is in hand",
}
_logger = log.get(__name__)


class Notifier:
    """Tells the service manager what the process is, once, and that it lives, as often as that asks.

    ``environment`` holds ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` where somebody wants to know.
    """

    def __init__(
        self,
        pulse: Pulse,
        environment: Mapping[str, str] = os.environ,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pulse = pulse
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._every = watchdog_seconds(environment)
        self._monotonic = monotonic
        self._said: Role | None = None
        self._ready = False
        self._fed = -float("inf")

    async def run(self) -> None:
        """Tell what is to be told until cancelled. That this runs at all shows that the event loop lives."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        """Tell what has changed since the last look, and feed the watchdog if it is time and the listener lives."""
        lines = []
        if self._pulse.role is not self._said:
            self._said = self._pulse.role
            lines.append(f"STATUS={_STATUS[self._said]}")
            lines += ["STOPPING=1"] if self._said is Role.STOPPING else []
        if not self._ready and self._is_up():
            self._ready = True
            lines.append("READY=1")
        if self._is_hungry():
            self._fed = self._monotonic()
            lines.append("WATCHDOG=1")
        self._send(lines)

    def stopping(self) -> None:
        """Tell that the process ends, unless that is known."""
        self._pulse.is_now(Role.STOPPING)
        self.look()

    def _is_up(self) -> bool:
        """Say whether it does what it is there for: the bot has heard from the homeserver, the others have begun."""
        if self._pulse.role is Role.ACTIVE:
            return self._pulse.synced_at is not None
        return self._pulse.role in (Role.STANDBY, Role.WORKER)

    def _is_hungry(self) -> bool:
        if self._every is None or not self._pulse.listens():
            return False
        return self._monotonic() - self._fed >= self._every

    def _send(self, lines: list[str]) -> None:
        if not lines or not self._address.startswith(("/", "@")):
            return
        # "@" stands for the zero byte with which an abstract address begins (unix(7))
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as out:
                out.sendto("\n".join(lines).encode(), address)
        except OSError:  # whoever asked is gone, or busy: it decides by itself what silence means
            _logger.warning("systemd.unreachable")


def watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """Return how often the watchdog is fed, seconds: half of its patience (sd_watchdog_enabled(3)); None: never."""
    patience, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not patience.isdecimal() or int(patience) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(patience) / 1_000_000 / 2
