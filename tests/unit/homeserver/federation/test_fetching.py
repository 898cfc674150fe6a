"""A stranger's document: from a real TLS server that behaves as badly as it can."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.homeserver.federation.addresses import anywhere, is_public
from dpobot.homeserver.federation.fetching import MOST_BYTES, Fetcher
from tests.live.federation import certificate

Answer = Callable[[web.Request], web.StreamResponse]
HERE = "127.0.0.1"
_NEVER = "/never"


class Resolver(AbstractResolver):
    """Says where a name is; another answer each time it is asked, the last one for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the next answer."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ResolveResult(hostname=host, host=answer, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is open."""


class Stranger:
    """A server on loopback, over TLS; ``answers`` by path."""

    def __init__(self, port: int, trusted: Path) -> None:
        self.port = port
        self.trusted = trusted
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.end = asyncio.Event()

    def url(self, path: str = "/", host: str = "localhost") -> URL:
        """Return an address on it."""
        return URL(f"https://{host}:{self.port}{path}")

    def fetcher(self, *where: str, only: str | None = None, seconds: float = 20) -> Fetcher:
        """Return what fetches from it; its name leads ``where``, and ``only`` that address is permitted."""

        def permitted(address: IPv4Address | IPv6Address) -> bool:
            return str(address) == only

        rule = anywhere if only is None else permitted
        return Fetcher(seconds, self.trusted, rule, Resolver(*(where or (HERE,))))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer."""
        self.asked.append(request.path)
        if request.path == _NEVER:
            await self.end.wait()
        return self.answers[request.path](request)


@pytest.fixture(scope="module")
async def listening(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stranger]:
    """The server, started once."""
    folder = tmp_path_factory.mktemp("stranger")
    certificate(folder / "tls.crt", folder / "tls.key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    made = Stranger(0, folder / "tls.crt")
    app.router.add_route("*", "/{rest:.*}", made.serve)
    await runner.setup()
    site = web.TCPSite(runner, HERE, 0, ssl_context=context)
    await site.start()
    made.port = runner.addresses[0][1]
    yield made
    made.end.set()
    await runner.cleanup()


@pytest.fixture
def stranger(listening: Stranger) -> Stranger:
    """The same, with nothing said yet."""
    listening.answers, listening.asked = {_NEVER: _says("{}")}, []
    return listening


def _says(text: str | bytes, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    body = text.encode() if isinstance(text, str) else text
    return lambda request: web.Response(body=body, status=status, headers=headers)


def _to(location: str, status: int = 302) -> Answer:
    return _says("", status, {"Location": location})


async def test_whatever_it_calls_it(stranger: Stranger) -> None:
    """Servers give the file as text, as bytes, or without a type: it is JSON all the same."""
    stranger.answers = {"/": _says('{"a": [1]}', headers={"Content-Type": "text/html"})}
    assert await stranger.fetcher().json(stranger.url()) == {"a": [1]}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (_says("[" * 30_000), "not_json"),
        (_says('{"a":' * 9_000 + "1" + "}" * 9_000), "not_json"),
        (_says("9" * 50_000), "not_json"),
        (_says(b"\xff\xfe\x00"), "not_json"),
        (_says(""), "not_json"),
        (_says(b"\x1f\x8b\x08" + bytes(100), headers={"Content-Encoding": "gzip"}), "not_json"),
        (_says(" " * (MOST_BYTES + 1)), "too_large"),
        (_says("", 403), "http_403"),
        (_says("", 304), "http_304"),
        (_to("http://localhost/"), "not_https"),
        (_to("file:///etc/passwd"), "not_https"),
        (_to("https://user:secret@localhost/"), "bad_address"),
        (_to("https://"), "redirects"),
        (_to("https://[::::]/"), "bad_address"),
        (_to("/"), "redirects"),
        (_says("", 302), "redirects"),
    ],
)
async def test_what_is_refused(stranger: Stranger, answer: Answer, code: str) -> None:
    """Bombs, nonsense, a refusal, a way out of TLS, circles: final, each with its code."""
    stranger.answers = {"/": answer}
    with pytest.raises(Rejected) as trouble:
        await stranger.fetcher().json(stranger.url())
    assert trouble.value.code == code


@pytest.mark.parametrize(("status", "code"), [(500, "http_500"), (429, "http_429"), (503, "http_503")])
async def test_what_may_pass(stranger: Stranger, status: int, code: str) -> None:
    """A server in trouble is asked again later."""
    stranger.answers = {"/": _says("", status)}
    with pytest.raises(Unavailable) as trouble:
        await stranger.fetcher().json(stranger.url())
    assert trouble.value.code == code


async def test_no_file_is_no_file(stranger: Stranger) -> None:
    """A 404 is told apart."""
    stranger.answers = {"/": _says("", 404)}
    with pytest.raises(Gone):
        await stranger.fetcher().json(stranger.url())


async def test_three_redirects_and_no_more(stranger: Stranger) -> None:
    """Relative ones, too; the fourth is one too many."""
    stranger.answers = {f"/{n}": _to(str(stranger.url(f"/{n + 1}")) if n % 2 else f"{n + 1}") for n in range(4)}
    stranger.answers["/4"] = _says("{}")
    assert await stranger.fetcher().json(stranger.url("/1")) == {}
    with pytest.raises(Rejected, match="redirects"):
        await stranger.fetcher().json(stranger.url("/0"))


async def test_a_name_that_leads_to_us(stranger: Stranger) -> None:
    """By its records, as an address, in an unusual spelling: nothing is asked."""
    stranger.answers = {"/": _says("{}")}
    for host in ("localhost", "127.0.0.1", "[::1]"):
        with pytest.raises(Rejected, match="private_address"):
            await Fetcher(20, stranger.trusted, is_public, Resolver(HERE)).json(stranger.url(host=host))
    with pytest.raises(Rejected, match="bad_address"):
        await stranger.fetcher().json(stranger.url(host="2130706433"))
    assert stranger.asked == []


async def test_a_name_that_changes_its_mind(stranger: Stranger) -> None:
    """The second connection to the same name, after a redirect, is looked at as the first one was (DNS rebinding)."""
    stranger.answers = {"/": _to("/again"), "/again": _says("{}")}
    with pytest.raises(Rejected, match="private_address"):
        await stranger.fetcher(HERE, "127.0.0.2", only=HERE).json(stranger.url())
    assert stranger.asked == ["/"]


async def test_a_redirect_to_a_closed_address(stranger: Stranger) -> None:
    """Whatever stands in ``Location`` is looked at again."""
    stranger.answers = {"/": _to("https://127.0.0.2/"), "/again": _says("{}")}
    with pytest.raises(Rejected, match="private_address"):
        await stranger.fetcher(only=HERE).json(stranger.url())


async def test_a_certificate_that_nobody_knows(stranger: Stranger) -> None:
    """The system's authorities have not signed it."""
    stranger.answers = {"/": _says("{}")}
    with pytest.raises(Rejected, match="bad_certificate"):
        await Fetcher(20, None, anywhere, Resolver(HERE)).json(stranger.url())


async def test_a_server_that_never_answers(stranger: Stranger) -> None:
    """It is not waited for."""
    with pytest.raises(Unavailable, match="timeout"):
        await stranger.fetcher(seconds=0.3).json(stranger.url(_NEVER))


async def test_nobody_there(stranger: Stranger) -> None:
    """A closed port is a server that is away."""
    with pytest.raises(Unavailable, match="connection_lost"):
        await stranger.fetcher().json(URL("https://localhost:1/"))
