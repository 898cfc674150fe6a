"""A scripted homeserver on loopback: real HTTP, answers as a test orders them."""

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dpobot.homeserver.http import Http

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Script:
    """Answers each request with the next thing ordered, the last one for ever; remembers what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.waits: list[float] = []
        self.asked: list[tuple[str, str]] = []
        self.queries: list[dict[str, str]] = []
        self.tokens: list[str | None] = []
        self._answers: deque[Answer] = deque()

    def json(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "Script":
        """Order a JSON answer."""
        return self.raw(json.dumps(body).encode(), status, headers)

    def raw(self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> "Script":
        """Order an answer of any bytes."""

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=body, status=status, headers=headers)

        return self.does(answer)

    def does(self, answer: Answer) -> "Script":
        """Order whatever a handler does."""
        self._answers.append(answer)
        return self

    async def pause(self, seconds: float) -> None:
        """Note a wait instead of waiting."""
        self.waits.append(seconds)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        self.asked.append((request.method, request.raw_path.split("?")[0]))
        self.queries.append(dict(request.query))
        self.tokens.append(request.headers.get("Authorization"))
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        return await answer(request)


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    """A running scripted homeserver."""
    made = Script()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", made.handle)
    server = TestServer(application)
    await server.start_server()
    made.url = str(server.make_url("/"))
    yield made
    await server.close()


@pytest.fixture
async def http(script: Script) -> AsyncIterator[Http]:
    """A client of the scripted homeserver that notes its waits instead of waiting; four tries more."""
    client = Http(script.url, "the-admin-token", 4, pause=script.pause, read_seconds=0.2)
    yield client
    await client.close()
