"""Two real homeservers that federate over loopback: TLS with certificates of their own, no DNS, no well-known.

The server name carries the port of the federation listener, so nothing has to be looked up (server-server
specification, "Resolving server names"). Both start side by side.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dpobot.demo.synapse import Credentials, Synapse, free_port
from dpobot.errors import Rejected
from tests.live.http import Client, Json, path

_HOST = "localhost"


@dataclass(frozen=True)
class Federation:
    """``home`` is the homeserver that dpobot would serve, ``away`` is another operator's."""

    home: Synapse
    away: Synapse
    _http: aiohttp.ClientSession

    async def at_home(self, localpart: str, *, admin: bool = False) -> Client:
        """Register somebody on the home server."""
        return self.client(self.home, await self.home.register(localpart, admin=admin))

    async def far_away(self, localpart: str) -> Client:
        """Register somebody on the other server."""
        return self.client(self.away, await self.away.register(localpart))

    async def guest(self) -> Client:
        """Return somebody without an account on the home server (spec, "Guest Access")."""
        async with self._http.post(f"{self.home.url}/_matrix/client/v3/register?kind=guest", json={}) as answer:
            answer.raise_for_status()
            given = await answer.json()
        account = Credentials(given["user_id"], "", given["access_token"], given["device_id"])
        return self.client(self.home, account)

    def client(self, server: Synapse, account: Credentials) -> Client:
        """Return a client of an account that exists."""
        return Client(self._http, server.url, account)


async def join_across(client: Client, room: str, through: Synapse) -> None:
    """Join a room that lives on another server."""
    await client.call("POST", f"/_matrix/client/v3/{path('join', room)}", {}, server_name=through.server_name)


async def arrived(client: Client, room: str, event: str) -> None:
    """Return as soon as an event has reached the client's server; fails after some thirty seconds."""
    since: dict[str, str] = {}
    for _ in range(30):
        try:
            await client.get("rooms", room, "event", event)
        except Rejected:
            synced = await client.get("sync", timeout="1000", **since)
            since = {"since": str(synced["next_batch"])}
        else:
            return
    pytest.fail("the event did not arrive")


async def timeline(client: Client, room: str) -> list[Json]:
    """Return everything that a client is shown of a room, newest first (``GET /rooms/{roomId}/messages``)."""
    events: list[Json] = []
    page = await client.get("rooms", room, "messages", dir="b", limit="100")
    while True:
        events += page["chunk"]
        if "end" not in page or not page["chunk"]:
            return events
        page = await client.get("rooms", room, "messages", dir="b", limit="100", **{"from": page["end"]})


def federated(folder: Path, *, inner: int | None = None, **extra: Any) -> Synapse:
    """Return a homeserver, not started yet, that other servers can reach by its name; ``extra`` as for `Synapse`.

    ``inner``: it listens there without TLS, and something else (`tests.live.front`) on the port of its name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    client, others = free_port(), free_port()
    certificate(folder / "tls.crt", folder / "tls.key")
    return Synapse(
        folder,
        server_name=f"{_HOST}:{others}",
        port=client,
        extra={
            "listeners": [
                _listener(client, "client", tls=False),
                _listener(inner or others, "federation", tls=inner is None),
            ],
            "tls_certificate_path": str(folder / "tls.crt"),
            "tls_private_key_path": str(folder / "tls.key"),
            "federation_verify_certificates": False,  # each made its own
            "ip_range_blacklist": [],  # loopback is where the other one is
            "federation_ip_range_blacklist": [],
            "allow_guest_access": True,
            "room_list_publication_rules": [{"action": "allow"}],
            **extra,
        },
    )


def _listener(port: int, resource: str, *, tls: bool) -> dict[str, Any]:
    return {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "type": "http",
        "tls": tls,
        "x_forwarded": False,
        "resources": [{"names": [resource]}],
    }


def certificate(path: Path, key_path: Path) -> None:
    """Write a self-signed certificate for localhost, good for two days, and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _HOST)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    key_path.touch(mode=0o600)
    key_path.write_bytes(private)


@asynccontextmanager
async def running(folder: Path, **extra: Any) -> AsyncIterator[Federation]:
    """Start two federated homeservers side by side and stop them at the end; ``extra`` goes to the home server."""
    home, away = await asyncio.gather(
        asyncio.to_thread(federated, folder / "home", **extra), asyncio.to_thread(federated, folder / "away")
    )
    async with AsyncExitStack() as stack:
        for server in (home, away):
            stack.push_async_callback(server.stop)
        await asyncio.gather(home.start(), away.start())
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Federation(home, away, http)


@pytest.fixture(scope="module")
async def federation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Federation]:
    """Two federated homeservers for the tests of one module."""
    async with running(tmp_path_factory.mktemp("federation")) as both:
        yield both
