"""A bot as an admin would run it: its own folder, configuration, secrets and process."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Unavailable

READY = "bot.ready"
_READY_SECONDS = 90.0
_STOP_SECONDS = 30.0


class BotProcess:
    """One ``dpobot run`` against a throwaway homeserver. ``sections`` override parts of its configuration."""

    command = "run"

    def __init__(
        self,
        folder: Path,
        synapse: Synapse,
        account: Credentials,
        admin: Credentials,
        sections: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self.user_id = account.user_id
        self.log_path = folder / "bot.log"
        self._synapse = synapse
        self._account = account
        self._admin = admin
        self._sections = dict(sections or {})
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process ID while it runs."""
        if self._process is None:
            raise RuntimeError("the bot does not run")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.returncode is None

    @property
    def config_path(self) -> Path:
        """Its configuration file."""
        return self.folder / "bot.toml"

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    def write_files(self) -> None:
        """Write the configuration and the secrets (mode 600)."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _secret(self.folder / "password", self._account.password)
        _secret(self.folder / "admin-token", self._admin.access_token)
        parts: dict[str, dict[str, Any]] = {
            "matrix": {"homeserver_url": self._synapse.url, "user_id": self.user_id, "password_file": "password"},
            "homeserver": {"url": self._synapse.url, "admin_token_file": "admin-token"},
            "data": {"directory": "data"},
            "operator": _OPERATOR,
            "export": {"progress_seconds": 2},
        }
        for name, values in self._sections.items():
            parts[name] = parts.get(name, {}) | values
        self.config_path.write_text("\n".join(_section(name, values) for name, values in parts.items()), "utf-8")

    async def start(self, sign: str = READY) -> None:
        """Start it and wait until its log shows a sign. Raises `Unavailable` with the log's place if it never does."""
        if not self.config_path.exists():
            self.write_files()
        before = self.log().count(sign)
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "dpobot", self.command, "--config", str(self.config_path),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ),
            )  # fmt: skip
        deadline = asyncio.get_running_loop().time() + _READY_SECONDS
        while asyncio.get_running_loop().time() < deadline and self.running:
            if self.log().count(sign) > before:
                return
            await asyncio.sleep(0.05)
        await self.kill()
        raise Unavailable(f"the bot did not get ready; see {self.log_path}")

    async def stop(self) -> int:
        """Ask it to stop as a service manager does, and wait; return its exit status."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> int:
        """End it without warning, as a crash would."""
        return await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Stop and start it."""
        await self.stop()
        await self.start()

    def log(self) -> str:
        """Return all that it logged, over all starts."""
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        process = self._process
        if process.returncode is None:
            process.send_signal(number)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                return await process.wait()
        except TimeoutError:
            process.kill()
            return await process.wait()


_OPERATOR = {
    "name": "Demo Foundation",
    "service": "the demo homeserver",
    "dpo_email": "dpo@example.org",
    "security_email": "security@example.org",
    "postal_address": "1 Example Street, London EC1A 1AA, United Kingdom",
    "authority": "Information Commissioner's Office",
    "authority_url": "https://ico.org.uk/make-a-complaint/",
}


def _secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")


def _section(name: str, values: Mapping[str, Any]) -> str:
    """Return a TOML table; strings, numbers, booleans and lists are spelled as in JSON there."""
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])
