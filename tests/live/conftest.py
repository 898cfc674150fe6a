"""The real homeserver of the live ring: one Synapse for the whole session, unique users for each test."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from dpobot.demo.synapse import Credentials, Synapse
from tests.live.bot import start_bot
from tests.live.guest import arrive
from tests.live.staffer import employ

__all__ = [
    "Register",
    "admin",
    "arrive",
    "employ",
    "register",
    "start_bot",
    "synapse",
]  # some live beside their classes

Register = Callable[..., Awaitable[Credentials]]


@pytest.fixture(scope="session")
async def synapse(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Synapse]:
    """A running Synapse, shared by all tests."""
    folder: Path = tmp_path_factory.mktemp("synapse")
    # a login token can be had for a session that exists: as people get one who log in with a QR code
    server = Synapse(folder, extra={"login_via_existing_session": {"enabled": True, "require_ui_auth": False}})
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="session")
async def admin(synapse: Synapse) -> Credentials:
    """A server admin."""
    return await synapse.register("admin", admin=True)


@pytest.fixture
def register(synapse: Synapse) -> Register:
    """Register a new account with a unique name that starts with what is given."""

    async def make(prefix: str = "user") -> Credentials:
        return await synapse.register(f"{prefix}-{secrets.token_hex(4)}")

    return make
