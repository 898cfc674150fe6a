"""Whatever a homeserver's administration answers: what an adapter promises, or `Unavailable`, or `Rejected`.

Every method of every adapter is called; the names in the answers are those that the code of the adapters knows.
"""

import ast
import inspect
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import example, given
from hypothesis import strategies as st

import dpobot.homeserver
from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.changes import Depth
from dpobot.homeserver.erasing.synapse_changes import SynapseChanges
from dpobot.homeserver.mas.admin import MasAdmin
from dpobot.homeserver.mas.changes import MasChanges
from dpobot.homeserver.mas.homeserver import MasHomeserver
from dpobot.homeserver.mas.leftovers import MasLeftovers
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.homeserver.verifying.synapse_leftovers import SynapseLeftovers
from tests.fuzz.anything import fuzzed, json_with

_MOST_REQUESTS = 40  # of one call: then the server is away
_GIVEN: dict[str, Any] = {
    "user": "@anna:example.org",
    "room_id": "!r:example.org",
    "start": None,
    "limit": 10,
    "url": "mxc://example.org/abc",
    "depth": Depth.ALL,
    "at_once": 2,
    "on": True,
    "name": "Anna",
    "picture": b"p",
    "media_type": "image/png",
    "old": "a@x.example",
    "new": "b@x.example",
    "everything": True,
}
_EXCEPT = {"close", "media_bytes"}  # no answer to understand: bytes as they are


def _names() -> list[str]:
    """Return every name in the adapters' code: what their answers are made of."""
    folder = Path(dpobot.homeserver.__path__[0])
    found = {
        node.value
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return sorted(name for name in found if re.fullmatch(r"[a-z][a-z0-9_.:]{1,39}", name))


_SENSIBLE = st.sampled_from(
    [
        "@anna:example.org",
        "@bot:elsewhere.example",
        "!r:example.org",
        "$e",
        "mxc://example.org/abc",
        "join",
        "leave",
        "m.room.message",
        "m.room.member",
        "complete",
        "1.163.2",
        "a\r\nb",
        "failed",
        "example.org",
        1_790_000_000_000,
        "2026-01-01T00:00:00Z",
    ]
)
_BODY = st.dictionaries(st.sampled_from(_names()), json_with(st.sampled_from(_names()), _SENSIBLE), max_size=8)
_ANSWER = st.one_of(
    st.tuples(st.just(200), _BODY.map(json.dumps)),
    st.tuples(st.just(200), json_with(st.sampled_from(_names())).map(json.dumps)),
    st.tuples(st.sampled_from([200, 204, 301, 400, 401, 403, 404, 409, 429, 500, 502]), _BODY.map(json.dumps)),
    st.tuples(st.sampled_from([200, 404]), st.sampled_from(["", "[", "null", "\x00", "<html>", '{"a":' * 2000])),
)


@dataclass
class Strange:
    """A server that answers whatever it is told to, in turn, and is away when it is asked too often."""

    url: str = ""
    answers: tuple[tuple[int, str], ...] = ((500, ""),)
    asked: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request."""
        status, text = self.answers[self.asked % len(self.answers)]
        self.asked += 1
        if self.asked > _MOST_REQUESTS:
            return web.Response(status=503)
        body = b"" if status == 204 else text.encode("utf-8", "replace")
        return web.Response(status=status, body=body, headers={"Location": "/elsewhere"})


@pytest.fixture(scope="module")
async def strange() -> AsyncIterator[Strange]:
    """It runs."""
    made = Strange()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", made.handle)
    async with TestServer(application) as server:
        made.url = str(server.make_url("/"))
        yield made


async def _at_once(_seconds: float) -> None:
    """Wait for nothing."""


def _adapters(url: str) -> list[Any]:
    again: dict[str, Any] = {"retries": 0, "pause": _at_once}
    mas = MasAdmin(url, "client", "secret", **again)
    return [
        *(each(url, "token", **again) for each in (SynapseHomeserver, SynapseChanges, SynapseLeftovers)),
        *(each(url, "token", mas, **again) for each in (MasHomeserver, MasChanges, MasLeftovers)),
    ]


@pytest.fixture(scope="module")
async def adapters(strange: Strange) -> AsyncIterator[list[Any]]:
    """All of them, asking that server."""
    made = _adapters(strange.url)
    yield made
    for each in made:
        await each.close()


def _calls(adapter: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return every call of an adapter, `collect` once for each category."""
    found = []
    for name, method in inspect.getmembers(type(adapter), inspect.iscoroutinefunction):
        if name.startswith("_") or name in _EXCEPT:
            continue
        wanted = [each for each in inspect.signature(method).parameters if each != "self"]
        if name == "collect":
            found += [(name, {"category": each, "user": _GIVEN["user"]}) for each in adapter.categories]
        else:
            found.append((name, {each: _GIVEN[each] for each in wanted}))
    return found


_ALL = [(number, *call) for number, each in enumerate(_adapters("http://x")) for call in _calls(each)]


def _call(name: str) -> tuple[int, str, dict[str, Any]]:
    return next(call for call in _ALL if call[1] == name)


def test_every_adapter_is_asked() -> None:
    """A method that nobody calls here would be missed."""
    assert len(_ALL) > 100
    assert {name for _, name, _ in _ALL} >= {"rooms", "collect", "redact", "deactivate", "of_account", "company"}


@fuzzed(250)
@given(call=st.sampled_from(_ALL), answers=st.lists(_ANSWER, min_size=1, max_size=4))
@example(call=_call("visible_events"), answers=[(200, "{}")])
@example(call=_call("visible_events"), answers=[(200, '{"access_token": "a\\r\\nb"}')])
@example(call=_call("delete_room"), answers=[(200, "{}")])
async def test_any_answer_is_understood_or_refused(
    strange: Strange, adapters: list[Any], call: tuple[int, str, dict[str, Any]], answers: list[tuple[int, str]]
) -> None:
    """One of many calls, and what the server says to it."""
    number, name, arguments = call
    strange.answers, strange.asked = tuple(answers), 0
    try:
        await getattr(adapters[number], name)(**arguments)
    except (Unavailable, Rejected) as trouble:
        assert trouble.code == trouble.code.strip()
    assert strange.asked <= _MOST_REQUESTS + 8
