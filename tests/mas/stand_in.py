"""The stand-in for MAS on loopback, and a real Synapse that delegates its accounts to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.homeserver.mas.admin import MasAdmin
from tests.mas.admin_api import BASE, AdminApi
from tests.mas.description import HERE, Description, Exchange
from tests.mas.oauth import OAuth
from tests.mas.provisioning import Provisioning
from tests.mas.service import Mas

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Served:
    """A running stand-in. ``faults``: what was not as MAS describes it, where the description is there."""

    mas: Mas
    oauth: OAuth
    description: Description | None
    faults: list[str] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    def client(self, retries: int = 0) -> MasAdmin:
        """Return a client with the bot's credentials."""
        return MasAdmin(self.mas.url, self.mas.client_id, self.mas.client_secret, retries)

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the handler answer, and hold both against the description."""
        answer = await handler(request)
        if request.path.startswith(BASE):
            assert isinstance(answer, web.Response)
            content = answer.body if isinstance(answer.body, bytes) else b""
            query, body = request.query_string, await request.read()
            exchange = Exchange(request.method, request.path, query, body, answer.status, content)
            self.exchanges.append(exchange)
            if self.description is not None:
                self.faults += self.description.faults(exchange)
        return answer


@asynccontextmanager
async def served(server_name: str = "dpobot.test") -> AsyncIterator[Served]:
    """Run a stand-in; afterwards nothing may have been against the description."""
    mas = Mas(server_name)
    made = Served(mas, OAuth(mas), Description.read() if HERE else None)
    application = web.Application(middlewares=[made.watch])
    application.add_routes([*made.oauth.routes(), *AdminApi(mas).routes()])
    server = TestServer(application)
    await server.start_server()
    mas.url = str(server.make_url("/")).rstrip("/")
    mas.queue.start()
    yield made
    await mas.queue.stop()
    await server.close()
    if made.faults:
        pytest.fail("\n".join(sorted(set(made.faults))))


@dataclass(frozen=True)
class Delegated:
    """A Synapse whose accounts the stand-in keeps, and an administrator of both."""

    synapse: Synapse
    served: Served
    admin: Credentials

    @property
    def mas(self) -> Mas:
        """The stand-in's state."""
        return self.served.mas


@asynccontextmanager
async def delegated(folder: Path) -> AsyncIterator[Delegated]:
    """Run both."""
    async with served() as running:
        mas = running.mas
        key = {"enabled": True, "endpoint": f"{mas.url}/", "secret": mas.shared_secret}
        extra = {"matrix_authentication_service": key, "password_config": {"enabled": False}}
        synapse = Synapse(folder, server_name=mas.server_name, extra=extra)
        await synapse.start()
        try:
            mas.homeserver = Provisioning(synapse.url, mas.shared_secret)
            yield Delegated(synapse, running, await mas.administrator("admin"))
        finally:
            await synapse.stop()


@pytest.fixture(scope="session")
async def delegation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Delegated]:
    """A real Synapse that delegates its accounts to a stand-in, shared by all tests."""
    async with delegated(tmp_path_factory.mktemp("delegated")) as running:
        yield running
