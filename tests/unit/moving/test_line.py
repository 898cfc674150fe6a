"""Patience: a homeserver that asks to wait is waited for, within bounds; one that is not there is told."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from dpobot.errors import Rejected, Unavailable
from dpobot.moving.line import Line
from dpobot.moving.signing import base_url, discover
from dpobot.moving.stopped import ImportStopped

Answer = Callable[[int], web.Response]


@asynccontextmanager
async def answering(answer: Answer, patience: float = 900) -> AsyncIterator[tuple[Line, list[float], list[str]]]:
    """Yield a line to a server that answers its n-th request so, what was waited, and what was said."""
    asked, waited, said = 0, list[float](), list[str]()

    async def handle(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return answer(asked)

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with Line(url, said.append, patience=patience, pause=pause) as line:
            yield line, waited, said
    finally:
        await runner.cleanup()


def limited(millis: int | None = None, header: str | None = None) -> web.Response:
    body = {"errcode": "M_LIMIT_EXCEEDED"} | ({} if millis is None else {"retry_after_ms": millis})
    return web.json_response(body, status=429, headers={"Retry-After": header} if header else {})


async def test_it_waits_as_long_as_the_server_asks() -> None:
    """Header before member, and five seconds where neither is there; long waits are told."""
    answers = [limited(97_000), limited(1, "3"), limited(250), limited(), web.json_response({"ok": True})]
    async with answering(lambda number: answers[number - 1]) as (line, waited, said):
        assert await line.call("GET", "x") == {"ok": True}
        assert waited == [97.0, 3.0, 0.25, 5.0]
        assert said == [f"waiting {seconds} s: the homeserver asks for it" for seconds in (97, 3, 5)]


@pytest.mark.parametrize(("millis", "waits"), [(40_000, [40.0, 40.0]), (0, [0.0] * 1000), (200_000, [])])
async def test_patience_has_an_end(millis: int, waits: list[float]) -> None:
    """Also with a server that says "at once" for ever; what would be too long is not even begun."""
    async with answering(lambda _: limited(millis), patience=100) as (line, waited, _):
        with pytest.raises(Unavailable) as caught:
            await line.call("GET", "x")
        assert caught.value.code == "rate_limited"
        assert len(waited) == pytest.approx(len(waits), abs=1)
        assert sum(waited) == sum(waits)


async def test_a_server_s_fault_is_tried_again_and_a_refusal_is_not() -> None:
    """Five times for the one, once for the other, and once for what must not happen twice."""
    async with answering(lambda number: web.Response(status=502 if number < 5 else 200)) as (line, waited, _):
        assert await line.call("POST", "join", "!a", body={}) == {}
        assert waited == [0.5, 1.0, 2.0, 4.0]
    async with answering(lambda _: web.json_response({"errcode": "M_FORBIDDEN"}, status=403)) as (line, waited, _):
        with pytest.raises(Rejected, match="403 M_FORBIDDEN"):
            await line.call("POST", "join", "!a", body={})
        assert waited == []
    async with answering(lambda _: web.Response(status=500)) as (line, waited, _):
        with pytest.raises(Unavailable, match="http_500"):
            await line.call("POST", "createRoom", body={}, tries=1)
        assert waited == []


async def test_a_token_never_follows_a_redirect() -> None:
    """It is a refusal."""
    elsewhere = web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"})
    async with answering(lambda _: elsewhere) as (line, _, _):
        line.token = "secret"
        with pytest.raises(Rejected, match="302 http_302"):
            await line.call("GET", "x")


async def test_what_ends_the_whole_import_is_said() -> None:
    """A token that no longer holds, and a server that is not there."""
    async with answering(lambda _: web.json_response({"errcode": "M_UNKNOWN_TOKEN"}, status=401)) as (line, _, _):
        with pytest.raises(ImportStopped, match="no longer accepts the token; sign in again"):
            await line.call("GET", "x")
        url = line.url

    async def pause(seconds: float) -> None:
        pass

    async with Line(url, print, pause=pause) as line:  # nothing listens there any more
        with pytest.raises(ImportStopped, match="can't be reached; look at the address"):
            await line.call("GET", "x")


async def test_the_homeserver_is_found_by_the_server_s_well_known() -> None:
    """From the user ID or a given name; a server without the document is its own homeserver."""
    known = {"m.homeserver": {"base_url": "https://matrix.new.example/"}}
    answers = [web.json_response(known), web.json_response(known), web.Response(status=404), web.json_response({})]
    async with answering(lambda number: answers[number - 1]) as (line, _, _):
        server = line.url.removeprefix("http://")
        assert await discover(f"@me:{server}", None, "http") == "https://matrix.new.example"
        assert await discover("@me:new.example", server, "http") == "https://matrix.new.example"
        assert await discover(f"@me:{server}", None, "http") == line.url
        with pytest.raises(ImportStopped, match="does not say where its homeserver is"):
            await discover(f"@me:{server}", None, "http")
    assert await discover("@me:new.example", "https://matrix.new.example/") == "https://matrix.new.example"


@pytest.mark.parametrize("url", ["http://new.example", "http://10.0.0.1:8008"])
async def test_a_password_never_goes_unencrypted_over_a_network(url: str) -> None:
    """Loopback alone may be plain."""
    with pytest.raises(ImportStopped, match="unencrypted"):
        await discover("@me:new.example", url)
    assert await discover("@me:new.example", "http://127.0.0.1:8008") == "http://127.0.0.1:8008"


@pytest.mark.parametrize("raw", [b"<html>", b"[]", b'{"m.homeserver": {}}', b'{"m.homeserver": 1}'])
def test_a_well_known_that_says_nothing_is_told(raw: bytes) -> None:
    """With the way to name the address oneself."""
    with pytest.raises(ImportStopped, match="--homeserver https"):
        base_url(raw, "new.example")
