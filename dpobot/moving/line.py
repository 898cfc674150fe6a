"""The line to the new homeserver: the client-server API in the name of one ordinary account, with patience.

A server that asks to wait (429) is waited for, as long as it asks and the person allows; it says so while it waits.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.moving.stopped import ImportStopped

AGENT = "dpobot import"
PATIENCE_SECONDS = 900.0
CLIENT = "/_matrix/client/v3"

_JSON_BYTES = 256 * 1024 * 1024
_BLOCK = 256 * 1024
_TRIES = 5  # after a lost connection or a server's fault
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 8.0
_DEFAULT_WAIT = 5.0  # a 429 that does not say how long
_UNREACHABLE = "connection_lost"

Json = dict[str, Any]
Pause = Callable[[float], Awaitable[None]]
Say = Callable[[str], None]


class Line:
    """Requests to one homeserver. Raises `Rejected`, `Gone`, `Unavailable`; `ImportStopped` where nothing goes on."""

    def __init__(self, url: str, say: Say, *, patience: float = PATIENCE_SECONDS, pause: Pause = asyncio.sleep) -> None:
        self.url = url.rstrip("/")
        self.token: str | None = None
        self._say, self._patience, self.pause = say, patience, pause
        timeout = aiohttp.ClientTimeout(total=None, connect=15, sock_read=180)  # a join can take minutes
        self._http = aiohttp.ClientSession(
            timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": AGENT}
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def call(
        self,
        method: str,
        *path: str,
        body: object = None,
        params: Mapping[str, str] | None = None,
        base: str = CLIENT,
        tries: int = _TRIES,
    ) -> Json:
        """Make one request; each part of ``path`` is escaped. ``params`` may hold several values parted by line ends.

        ``tries``: how often at most where the server fails; 1 for what must not happen twice.
        """
        content: dict[str, Any] = {} if body is None else {"json": body}
        address = self._address(base, path, params or {})
        return _parsed(await self._patiently(lambda: self._once(method, address, content), tries))

    async def upload(self, data: bytes, media_type: str) -> str:
        """Upload bytes, without a file name, and return their ``mxc://`` address (spec, "Content repository")."""
        address = self._address("/_matrix/media/v3", ("upload",), {})
        more = {"data": data, "headers": {"Content-Type": media_type}}
        answer = _parsed(await self._patiently(lambda: self._once("POST", address, more)))
        url = answer.get("content_uri")
        if not isinstance(url, str) or not url.startswith("mxc://"):
            raise Unavailable("bad_answer")
        return url

    async def fetch(self, url: str, most: int) -> bytes:
        """Return a medium's bytes through the new server. Raises `Rejected` if they are more than ``most``."""
        server, _, media = url.removeprefix("mxc://").partition("/")
        address = self._address("/_matrix/client/v1/media", ("download", server, media), {})
        return await self._patiently(lambda: self._once("GET", address, {}, most))

    def _address(self, base: str, path: tuple[str, ...], params: Mapping[str, str]) -> URL:
        joined = "/".join(quote(part, safe="", errors="replace") for part in path)
        pairs = [(key, value) for key, values in params.items() for value in values.split("\n")]
        query = f"?{urlencode(pairs, errors='replace')}" if pairs else ""
        return URL(f"{self.url}{base}/{joined}{query}", encoded=True)

    async def _patiently(self, attempt: Callable[[], Awaitable[bytes]], tries: int = _TRIES) -> bytes:
        tried, waited = 0, 0.0
        while True:
            try:
                return await attempt()
            except Unavailable as error:
                if error.code == "rate_limited":
                    waited += await self._wait(error, waited)
                    continue
                tried += 1
                if tried >= tries and error.code == _UNREACHABLE:
                    raise self._unreachable() from error
                if tried >= tries:
                    raise
            await self.pause(min(_FIRST_DELAY * 2.0 ** (tried - 1), _LONGEST_DELAY))

    async def _wait(self, error: Unavailable, waited: float) -> float:
        """Wait as long as the server asks; give up if that is more than the person's patience for one request."""
        seconds = _DEFAULT_WAIT if error.retry_after is None else error.retry_after
        if waited + seconds > self._patience:
            raise error
        if seconds >= 1:
            self._say(f"waiting {seconds:.0f} s: the homeserver asks for it")
        await self.pause(seconds)
        return max(seconds, 0.1)  # a server that says "at once" for ever comes to an end, too

    def _unreachable(self) -> ImportStopped:
        return ImportStopped(
            f"{self.url} can't be reached", "look at the address and your connection, and run the same command again"
        )

    async def _once(self, method: str, address: URL, content: Mapping[str, Any], most: int = _JSON_BYTES) -> bytes:
        headers = {**content.get("headers", {})}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        more = {key: value for key, value in content.items() if key != "headers"}
        try:
            # a redirect would take the token elsewhere
            async with self._http.request(method, address, headers=headers, allow_redirects=False, **more) as answer:
                if answer.status >= 300:
                    raise _failure(answer, await answer.content.read(64 * 1024))
                return await _read(answer, most)
        except (TimeoutError, aiohttp.ClientError) as error:
            raise Unavailable(_UNREACHABLE) from error


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    whole = bytearray()
    async for block in answer.content.iter_chunked(_BLOCK):
        whole += block
        if len(whole) > most:
            raise Rejected("too_large", answer.status)
    return bytes(whole)


def _failure(answer: aiohttp.ClientResponse, raw: bytes) -> Exception:
    """Return what a refusing answer stands for (spec, "Standard error response", "Rate limiting")."""
    details = _details(raw)
    code, status = str(details.get("errcode") or f"http_{answer.status}")[:64], answer.status
    if status == 401 and code in ("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"):
        return ImportStopped(
            "the homeserver no longer accepts the token", "sign in again: the import goes on where it stopped"
        )
    if status == 429:
        return Unavailable("rate_limited", _wanted(answer.headers.get("Retry-After", ""), details))
    if status >= 500:
        return Unavailable(f"http_{status}")
    return Gone(code, status) if status == 404 else Rejected(code, status)


def _wanted(header: str, details: Mapping[str, Any]) -> float | None:
    """Return how long to wait, seconds: the header counts, ``retry_after_ms`` is for older servers."""
    if header.strip().isascii() and header.strip().isdigit():
        return float(header)
    millis = details.get("retry_after_ms")
    if isinstance(millis, int | float) and not isinstance(millis, bool) and 0 <= millis < 1e12:
        return millis / 1000
    return None


def _parsed(raw: bytes) -> Json:
    try:
        value = json.loads(raw) if raw else {}
    except (ValueError, RecursionError) as error:
        raise Unavailable("bad_answer") from error
    if not isinstance(value, dict):
        raise Unavailable("bad_answer")
    return value


def _details(raw: bytes) -> Json:
    try:
        return _parsed(raw)
    except Unavailable:
        return {}
