"""Which answers mean later, which never, which gone; against a real HTTP server."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.matrix.http import Http, parse, path


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """A connection to a server that answers with the status and body named in the path."""

    async def answer(request: web.Request) -> web.Response:
        status, _, body = request.path.removeprefix("/").partition("/")
        headers = {"Retry-After": request.query["after"]} if "after" in request.query else {}
        return web.Response(status=int(status), text=body, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with TestServer(app) as server:
        made = Http(str(server.make_url("")))
        yield made
        await made.close()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_may_work_later_is_unavailable(http: Http, status: int) -> None:
    """With the time that the server asks for."""
    with pytest.raises(Unavailable) as caught:
        await http.call("GET", f"/{status}/x", params={"after": "7"})
    assert caught.value.retry_after == 7


async def test_the_body_may_name_the_wait(http: Http) -> None:
    """Older servers say retry_after_ms."""
    with pytest.raises(Unavailable) as caught:
        await http.call("GET", '/429/{"retry_after_ms": 1500}')
    assert (caught.value.code, caught.value.retry_after) == ("M_LIMIT_EXCEEDED", 1.5)


async def test_what_is_refused_is_final(http: Http) -> None:
    """With errcode and status; texts of the server do not pass."""
    with pytest.raises(Rejected) as caught:
        await http.call("GET", '/403/{"errcode": "M_FORBIDDEN", "error": "@vic is not here"}')
    assert (caught.value.code, caught.value.status, str(caught.value)) == ("M_FORBIDDEN", 403, "403 M_FORBIDDEN")
    with pytest.raises(Rejected, match="http_400"):
        await http.call("GET", '/400/{"errcode": "some words"}')


async def test_what_is_not_there_is_gone(http: Http) -> None:
    """404 has its own kind."""
    with pytest.raises(Gone):
        await http.call("GET", '/404/{"errcode": "M_NOT_FOUND"}')


@pytest.mark.parametrize("body", ["", "<html>", "[]", "7", "null"])
async def test_an_answer_that_is_no_object_is_tried_again(http: Http, body: str) -> None:
    """A proxy may have answered in the server's place."""
    with pytest.raises(Unavailable, match="bad_answer"):
        await http.call("GET", f"/200/{body}")


async def test_no_connection_is_unavailable() -> None:
    """Nobody listens."""
    away = Http("http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="connection"):
        await away.call("GET", "/x")
    await away.close()


def test_deep_json_is_parsed() -> None:
    """One event nested too deep for the parser of Python 3.11 must not cost the whole answer."""
    deep = b"[" * 5000 + b"]" * 5000
    assert isinstance(parse(deep), list)


def test_paths_are_quoted() -> None:
    """An ID can't break out of its place."""
    assert path("rooms", "!a/b?c#d:e", "x") == "/_matrix/client/v3/rooms/%21a%2Fb%3Fc%23d%3Ae/x"
    with pytest.raises(Rejected, match="bad_id"):
        path("media", "..", "x")
