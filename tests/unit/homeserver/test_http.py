"""What the homeserver's bad days look like to the rest of dpobot: real HTTP on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import structlog
from aiohttp import web

from dpobot.demo.synapse import free_port
from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.homeserver.http import AGENT, Http, backoff
from tests.unit.homeserver.conftest import Script

_ANY = "GET /_synapse/admin/v2/users/{user}"
_USER = {"user": "@anna:dpobot.test"}


class FixedClock:
    """A quarter past eight, for ever."""

    def now(self) -> datetime:
        """Return the moment."""
        return datetime(2026, 11, 22, 8, 15, tzinfo=UTC)


async def cut(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def cut_in_the_middle(request: web.Request) -> web.StreamResponse:
    """Announce more than is sent, then close the connection."""
    answer = web.StreamResponse(headers={"Content-Length": "1000000"})
    await answer.prepare(request)
    await answer.write(b"x" * 1000)
    assert request.transport is not None
    request.transport.close()
    return answer


async def silence(request: web.Request) -> web.StreamResponse:
    """Answer only after everybody has given up."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 5)
    return web.Response()


async def read_into(got: list[bytes], blocks: AsyncIterator[bytes]) -> None:
    """Read blocks to the end."""
    async for block in blocks:
        got.append(block)


async def test_an_answer_is_the_json_object(script: Script, http: Http) -> None:
    """The object comes back; the token is in the header, the names are escaped in the path."""
    script.json({"name": "@anna:dpobot.test"})
    answer = await http.call(_ANY, path={"user": "@a/../b?c#d%:dpobot.test"}, params={"from": 5, "x": "a b&c"})
    assert answer == {"name": "@anna:dpobot.test"}
    assert script.asked == [("GET", "/_synapse/admin/v2/users/%40a%2F..%2Fb%3Fc%23d%25%3Adpobot.test")]
    assert script.queries == [{"from": "5", "x": "a b&c"}]
    assert script.tokens == ["Bearer the-admin-token"]


async def test_a_renewed_token_is_used_at_once(script: Script) -> None:
    """The token is asked for with every request."""
    tokens = iter(["old", "new"])
    client = Http(script.url, lambda: next(tokens))
    script.json({})
    await client.call("GET /a")
    await client.call("GET /b")
    await client.close()
    assert script.tokens == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_is_tried_again_and_then_given_up(script: Script, http: Http, status: int) -> None:
    """Five requests in all, four waits between them, then `Unavailable` with the status."""
    script.raw(b"<html>sorry</html>", status)
    with pytest.raises(Unavailable) as error:
        await http.call(_ANY, path=_USER)
    assert error.value.code == f"http_{status}"
    assert len(script.asked) == 5
    assert len(script.waits) == 4


async def test_a_short_trouble_is_not_noticed(script: Script, http: Http) -> None:
    """503, a cut connection, broken JSON, 429, then the answer."""
    script.raw(b"", 503).does(cut).raw(b'{"half": ').json({"errcode": "M_LIMIT_EXCEEDED"}, 429).json({"well": 1})
    assert await http.call(_ANY, path=_USER) == {"well": 1}
    assert len(script.asked) == 5


@pytest.mark.parametrize(
    ("body", "headers", "least"),
    [
        ({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}, None, 2.5),
        ({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 9000}, {"Retry-After": "3"}, 3.0),
        ({}, {"Retry-After": "7"}, 7.0),
    ],
)
async def test_a_short_wait_that_is_asked_for_is_kept(
    script: Script, http: Http, body: dict[str, object], headers: dict[str, str] | None, least: float
) -> None:
    """The header counts before the body's field (spec, "Rate limiting"); never shorter, a little longer."""
    script.json(body, 429, headers).json({"well": 1})
    assert await http.call(_ANY, path=_USER) == {"well": 1}
    (wait,) = script.waits
    assert least <= wait <= least * 1.2 + 0.1


async def test_a_long_wait_is_left_to_the_job(script: Script, http: Http) -> None:
    """Nobody sits through ten minutes here: raised at once, with the seconds that were asked for."""
    script.json({"errcode": "M_LIMIT_EXCEEDED"}, 429, {"Retry-After": "600"})
    with pytest.raises(Unavailable) as error:
        await http.call(_ANY, path=_USER)
    assert (error.value.code, error.value.retry_after) == ("rate_limited", 600.0)
    assert script.waits == []


async def test_a_date_to_come_back_at_becomes_seconds(script: Script) -> None:
    """Retry-After may be a date (RFC 9110, 10.2.3)."""
    client = Http(script.url, "token", clock=FixedClock())
    script.raw(b"", 503, {"Retry-After": "Sun, 22 Nov 2026 08:17:00 GMT"})
    with pytest.raises(Unavailable) as error:
        await client.call(_ANY, path=_USER)
    await client.close()
    assert error.value.retry_after == 120.0


@pytest.mark.parametrize("header", ["soon", "-5", "²", "Sun, 99 Foo 2026", "9" * 5000])
async def test_a_nonsensical_retry_after_does_no_harm(script: Script, http: Http, header: str) -> None:
    """What can't be read is ignored; what is absurd is cut to a day, which nobody waits for here."""
    script.raw(b"", 503, {"Retry-After": header})
    with pytest.raises(Unavailable) as error:
        await http.call(_ANY, path=_USER)
    assert error.value.code == "http_503"
    assert error.value.retry_after in {None, 86400.0}


async def test_slowness_is_a_timeout(script: Script) -> None:
    """A server that says nothing for long enough is unavailable."""
    client = Http(script.url, "token", 0, read_seconds=0.05)
    script.does(silence)
    with pytest.raises(Unavailable) as error:
        await client.call(_ANY, path=_USER)
    await client.close()
    assert error.value.code == "timeout"


async def test_a_server_that_is_down_is_a_lost_connection() -> None:
    """Nothing listens on the port."""
    client = Http(f"http://127.0.0.1:{free_port()}", "token", 0)
    with pytest.raises(Unavailable) as error:
        await client.call(_ANY, path=_USER)
    await client.close()
    assert error.value.code == "connection_lost"
    assert error.value.__cause__ is not None


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[1]", b'"text"', b'{"a": ', b"\xff\xfe", b"[" * 50_000, b'{"n": ' + b"9" * 5000 + b"}"]
)
async def test_an_answer_that_is_no_json_object_is_a_bad_answer(script: Script, http: Http, body: bytes) -> None:
    """A proxy's page, half an answer, something else, a number too long to read: `Unavailable`."""
    script.raw(body)
    with pytest.raises(Unavailable) as error:
        await http.call(_ANY, path=_USER)
    assert error.value.code == "bad_answer"


async def test_a_refusal_is_final(script: Script, http: Http) -> None:
    """403 with its errcode, asked once."""
    script.json({"errcode": "M_FORBIDDEN", "error": "You are not a server admin"}, 403)
    with pytest.raises(Rejected) as error:
        await http.call(_ANY, path=_USER)
    assert (error.value.code, error.value.status) == ("M_FORBIDDEN", 403)
    assert not isinstance(error.value, Gone)
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, b'{"errcode": "M_NOT_FOUND"}', "M_NOT_FOUND"),
        (404, b'{"errcode": "M_UNRECOGNIZED"}', "M_UNRECOGNIZED"),
        (404, b"<html>nginx</html>", "not_matrix"),
        (504, b'{"errcode": "M_NOT_YET_UPLOADED"}', "M_NOT_YET_UPLOADED"),
    ],
)
async def test_what_is_not_there_is_gone(script: Script, http: Http, status: int, body: bytes, code: str) -> None:
    """404 is `Gone`, and the code tells a missing thing from a missing admin API; an empty upload never comes."""
    script.raw(body, status)
    with pytest.raises(Gone) as error:
        await http.call(_ANY, path=_USER)
    assert (error.value.code, error.value.status) == (code, status)
    assert len(script.asked) == 1


async def test_words_of_the_server_don_t_travel_in_errors(script: Script, http: Http) -> None:
    """An errcode that is no code may name people."""
    script.json({"errcode": "Anna Müller said no", "error": "Anna Müller"}, 400)
    with pytest.raises(Rejected) as error:
        await http.call(_ANY, path=_USER)
    assert str(error.value) == "400 not_matrix"


async def test_a_redirection_is_not_followed(script: Script, http: Http) -> None:
    """The token goes nowhere else."""
    script.raw(b"", 302, {"Location": "http://127.0.0.1:9/elsewhere"})
    with pytest.raises(Rejected) as error:
        await http.call(_ANY, path=_USER)
    assert error.value.code == "redirected"
    assert len(script.asked) == 1


async def test_an_answer_beyond_the_limit_is_refused(script: Script, http: Http) -> None:
    """Memory stays bounded whatever is sent."""
    script.raw(b'{"a": "' + b"x" * 2000 + b'"}')
    with pytest.raises(Rejected) as error:
        await http.call(_ANY, path=_USER, max_bytes=1000)
    assert error.value.code == "answer_too_large"


async def test_a_stream_gives_all_bytes(script: Script, http: Http) -> None:
    """Larger than a block, byte by byte the same."""
    data = bytes(range(256)) * 4096
    script.raw(data)
    assert b"".join([block async for block in http.stream("GET /media")]) == data


async def test_a_stream_is_begun_again_but_not_continued(script: Script, http: Http) -> None:
    """503 before the first byte is tried again; a cut after it is `Unavailable`: the caller must start anew."""
    script.raw(b"", 503).does(cut_in_the_middle)
    got: list[bytes] = []
    with pytest.raises(Unavailable) as error:
        await read_into(got, http.stream("GET /media"))
    assert error.value.code == "connection_lost"
    assert len(script.asked) == 2
    assert len(b"".join(got)) <= 1000


async def test_logs_hold_neither_names_nor_tokens(script: Script, http: Http) -> None:
    """A retry is logged with the endpoint's template only."""
    script.raw(b"Anna's secret", 503)
    with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable):
        await http.call(_ANY, path=_USER, params={"q": "@anna:dpobot.test"})
    assert {entry["endpoint"] for entry in logs} == {_ANY}
    assert [word for word in ("anna", "token", "secret") if word in str(logs).lower()] == []


def test_waits_grow_up_to_a_cap_and_differ() -> None:
    """Half a second doubled, at most eight, never all at the same moment."""
    for tried, most in enumerate([0.5, 1, 2, 4, 8, 8, 8]):
        waits = {backoff(tried, None) for _ in range(50)}
        assert most / 2 <= min(waits)
        assert max(waits) <= most
        assert len(waits) > 1


async def test_an_answer_without_content_is_an_empty_object(script: Script, http: Http) -> None:
    """A deletion that worked says nothing (204)."""
    script.raw(b"", 204)
    assert await http.call(_ANY, path=_USER) == {}


async def test_a_form_is_sent_as_a_form(script: Script, http: Http) -> None:
    """Token endpoints take no JSON (RFC 6749, section 4.4.2)."""
    sent = []

    async def take(request: web.Request) -> web.StreamResponse:
        sent.append((request.content_type, dict(await request.post())))
        return web.json_response({})

    script.does(take)
    await http.call("POST /oauth2/token", form={"grant_type": "client_credentials", "scope": "a b"})
    assert sent == [("application/x-www-form-urlencoded", {"grant_type": "client_credentials", "scope": "a b"})]


async def test_an_error_without_codes_is_told_from_a_page_of_a_proxy(script: Script, http: Http) -> None:
    """JSON:API has titles for people, which stay here: they can hold names."""
    script.json({"errors": [{"title": "User @anna:dpobot.test not found"}]}, 404)
    with pytest.raises(Gone) as error:
        await http.call(_ANY, path=_USER)
    assert str(error.value) == "404 json_api"


async def test_every_request_says_whose_program_it_is(script: Script, http: Http) -> None:
    """Where the server takes it for the person's, they read it among their connections."""
    agents = []

    async def take(request: web.Request) -> web.StreamResponse:
        agents.append(request.headers["User-Agent"])
        return web.json_response({})

    script.does(take)
    await http.call(_ANY, path=_USER)
    assert agents == [AGENT]
