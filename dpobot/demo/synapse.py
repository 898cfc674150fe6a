"""A throwaway Synapse on loopback: own process, own folder, SQLite, no rate limits; gone when stopped.

Used by the demo, the live tests and the benchmarks. Needs the package matrix-synapse (extra ``demo``).
"""

import asyncio
import contextlib
import hashlib
import hmac
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from dpobot.errors import ConfigurationError, Rejected, Unavailable

_NO_LIMIT = {"per_second": 10000, "burst_count": 100000}
_START_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """A registered account."""

    user_id: str
    password: str
    access_token: str
    device_id: str


def free_port() -> int:
    """Return a loopback port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Synapse:
    """One throwaway homeserver. ``extra`` overrides keys of its homeserver.yaml (Synapse reads JSON as YAML)."""

    folder: Path
    server_name: str = "dpobot.test"
    port: int = field(default_factory=free_port)
    extra: Mapping[str, Any] = field(default_factory=dict)
    _process: "subprocess.Popen[bytes] | None" = None
    _secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    @property
    def url(self) -> str:
        """Base address of the client and admin API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def config_path(self) -> Path:
        """The homeserver.yaml."""
        return self.folder / "homeserver.yaml"

    @property
    def pid(self) -> int | None:
        """The process ID while it runs."""
        return self._process.pid if self._process else None

    def write_config(self) -> None:
        """Write homeserver.yaml, the log configuration and the signing key; keeps an existing signing key."""
        if importlib.util.find_spec("synapse") is None:
            raise ConfigurationError(["the throwaway homeserver needs Synapse; pip install 'dpobot[demo]'"])
        self.folder.mkdir(parents=True, exist_ok=True)
        log = {
            "version": 1,
            "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
            "handlers": {
                "file": {
                    "class": "logging.FileHandler",
                    "filename": str(self.folder / "synapse.log"),
                    "formatter": "plain",
                }
            },
            "root": {"level": "WARNING", "handlers": ["file"]},
            "disable_existing_loggers": False,
        }
        (self.folder / "log.yaml").write_text(json.dumps(log))
        key = self.folder / "signing.key"
        if not key.exists():
            with key.open("w") as out:
                subprocess.run([sys.executable, "-m", "synapse._scripts.generate_signing_key"], stdout=out, check=True)
        self.config_path.write_text(json.dumps(self._config(), indent=1))

    def _config(self) -> dict[str, Any]:
        simple = ("rc_message", "rc_registration", "rc_admin_redaction", "rc_key_requests", "rc_presence")
        limits: dict[str, Any] = dict.fromkeys(simple, _NO_LIMIT)
        limits |= {
            "rc_joins": {"local": _NO_LIMIT, "remote": _NO_LIMIT},
            "rc_joins_per_room": _NO_LIMIT,
            "rc_invites": {"per_room": _NO_LIMIT, "per_user": _NO_LIMIT, "per_issuer": _NO_LIMIT},
            "rc_login": {"address": _NO_LIMIT, "account": _NO_LIMIT, "failed_attempts": _NO_LIMIT},
            "rc_3pid_validation": _NO_LIMIT,
            "rc_media_create": _NO_LIMIT,
            "rc_room_creation": _NO_LIMIT,
        }
        return {
            "server_name": self.server_name,
            "pid_file": str(self.folder / "synapse.pid"),
            "listeners": [
                {
                    "port": self.port,
                    "bind_addresses": ["127.0.0.1"],
                    "type": "http",
                    "tls": False,
                    "x_forwarded": False,
                    "resources": [{"names": ["client"]}],
                }
            ],
            "database": {"name": "sqlite3", "args": {"database": str(self.folder / "homeserver.db")}},
            "media_store_path": str(self.folder / "media"),
            "max_upload_size": "100M",
            "log_config": str(self.folder / "log.yaml"),
            "signing_key_path": str(self.folder / "signing.key"),
            "registration_shared_secret": self._secret,
            "macaroon_secret_key": "throwaway",
            "form_secret": "throwaway",
            "bcrypt_rounds": 4,
            "report_stats": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "presence": {"enabled": False},
            "enable_registration": False,
            "url_preview_enabled": False,
            **limits,
            **self.extra,
        }

    async def start(self) -> None:
        """Start the process and wait until it answers. Raises `Unavailable` with the log's place if it does not."""
        if not self.config_path.exists():
            await asyncio.to_thread(self.write_config)
        output = (self.folder / "output.log").open("ab")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SYNAPSE_")}
        with output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "synapse.app.homeserver", "-c", str(self.config_path)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=self.folder,
            )
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        async with aiohttp.ClientSession() as http:
            while asyncio.get_running_loop().time() < deadline:
                if self._process.poll() is not None:
                    break
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{self.url}/health") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)
        await self.stop()
        raise Unavailable(f"the throwaway homeserver did not start; see {self.folder / 'output.log'}")

    async def stop(self, *, kill: bool = False) -> None:
        """End the process that `start` made; with ``kill`` without warning."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            await asyncio.to_thread(process.wait, 20)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    async def register(self, localpart: str, *, admin: bool = False, password: str | None = None) -> Credentials:
        """Register an account with the shared secret (Synapse admin API, v1/register)."""
        password = password or secrets.token_urlsafe(12)
        endpoint = f"{self.url}/_synapse/admin/v1/register"
        async with aiohttp.ClientSession() as http:
            async with http.get(endpoint) as answer:
                nonce = (await answer.json())["nonce"]
            parts = [nonce, localpart, password, "admin" if admin else "notadmin"]
            mac = hmac.new(
                self._secret.encode(), b"\x00".join(part.encode() for part in parts), hashlib.sha1
            ).hexdigest()
            body = {"nonce": nonce, "username": localpart, "password": password, "admin": admin, "mac": mac}
            async with http.post(endpoint, json=body) as answer:
                data = await answer.json()
                if answer.status != 200:
                    raise Rejected(data.get("errcode", "M_UNKNOWN"), answer.status)
        return Credentials(data["user_id"], password, data["access_token"], data["device_id"])

    async def request(self, method: str, path: str, token: str | None = None, body: Any = None, **params: str) -> Any:
        """Make one JSON request; raises `Rejected` for every answer that is not 2xx."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, self.url + path, json=body, params=params, headers=headers) as answer,
        ):
            data = await answer.json()
            if answer.status >= 300:
                raise Rejected(data.get("errcode", "M_UNKNOWN"), answer.status)
            return data
