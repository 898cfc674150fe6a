"""Requests to the homeserver: addresses from endpoint templates, patience, and errors in the words of `dpobot.errors`.

An endpoint is written as method and path, ``"GET /_synapse/admin/v2/users/{user}"``: what is in the code is also what
the log may name, because the values only come in when the request is made.
"""

import asyncio
import contextlib
import io
import json
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from dpobot import log
from dpobot.clock import Clock, SystemClock
from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.pulse import PROCESS

Answer = TypeVar("Answer")
Pause = Callable[[float], Awaitable[None]]
Again = Callable[[Unavailable], bool]

JSON_BYTES = 64 * 1024 * 1024
BLOCK_BYTES = 256 * 1024
PATIENCE_SECONDS = 30.0  # a server that asks for more is left to the job, which can sleep without holding anything
# what acts as a person can be recorded as a connection of theirs: they should see who it was
AGENT = "dpobot (data protection)"
JSON_API = "json_api"  # the code of an error in the way of JSON:API, which has titles for people instead of codes
_NO_CONTENT = 204
_ERROR_BYTES = 64 * 1024
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 8.0
_ERRCODE = re.compile(r"[A-Za-z0-9_.]{1,64}")
_RANDOM = secrets.SystemRandom()

_logger = log.get(__name__)


def always(error: Unavailable) -> bool:
    """Say that a request may be tried again after every failure: that it changes nothing, or nothing more."""
    return True


def not_begun(error: Unavailable) -> bool:
    """Say that a request may be tried again only where it is sure that the server did nothing of it."""
    return error.code == "rate_limited"


class Authority(Protocol):
    """What a request is signed with, where that has to be fetched first or can be renewed."""

    async def header(self) -> str:
        """Return the value of the ``Authorization`` header. Raises `Unavailable` or `Rejected` if there is none."""
        ...

    def refused(self, header: str) -> bool:
        """Take note that the server refused a value (401); True if asking again gives another one."""
        ...


class Bearer:
    """An access token that somebody else renews; a function, so that a renewed one is used at once."""

    def __init__(self, token: Callable[[], str] | str) -> None:
        self._token: Callable[[], str] = token if callable(token) else lambda: token

    async def header(self) -> str:
        """Return the value of the ``Authorization`` header (RFC 6750)."""
        return f"Bearer {self._token()}"

    def refused(self, header: str) -> bool:
        """Say that there is no other."""
        return False


class _Stale(Rejected):
    """The server refused what a request was signed with, and there is another."""


class Http:
    """A client for one server, speaking as the account that ``token`` belongs to unless told otherwise.

    ``token`` may be a function or an `Authority`; what an authority can renew is renewed once after a 401. A request is
    tried ``retries`` times more while the server is unavailable. Each raises `Unavailable`, `Gone` or `Rejected`.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], str] | str | Authority,
        retries: int = 4,
        *,
        pause: Pause = asyncio.sleep,
        clock: Clock | None = None,
        connect_seconds: float = 10.0,
        read_seconds: float = 120.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._authority: Authority = Bearer(token) if isinstance(token, str) or callable(token) else token
        self._retries = retries
        self._pause = pause
        self._clock = clock or SystemClock()
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_seconds, sock_read=read_seconds)
        self._session: aiohttp.ClientSession | None = None

    @property
    def clock(self) -> Clock:
        """What tells the time here."""
        return self._clock

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self,
        endpoint: str,
        *,
        path: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        token: str | None = None,
        max_bytes: int = JSON_BYTES,
        again: Again = always,
    ) -> dict[str, Any]:
        """Make one request and return the JSON object that it answers; an empty one for an answer without content.

        ``body`` is sent as JSON, ``form`` as a form; ``again`` says after which failures it may be tried again.
        Raises `Rejected` ``answer_too_large`` beyond ``max_bytes``.
        """
        content: Mapping[str, Any] = {"json": body} if form is None else {"data": form}

        async def once() -> dict[str, Any]:
            async with self._answer(endpoint, path, params, content, token) as answer:
                return {} if answer.status == _NO_CONTENT else _parsed(await _read(answer, max_bytes))

        return await self._patiently(endpoint, once, again)

    async def upload(self, endpoint: str, data: bytes, media_type: str, *, token: str | None = None) -> dict[str, Any]:
        """Send bytes of a media type and return the JSON object that is answered."""

        async def once() -> dict[str, Any]:
            content = {"data": aiohttp.BytesIOPayload(io.BytesIO(data), content_type=media_type)}  # read anew each time
            async with self._answer(endpoint, None, None, content, token) as answer:
                return _parsed(await _read(answer, JSON_BYTES))

        return await self._patiently(endpoint, once)

    async def stream(
        self,
        endpoint: str,
        *,
        path: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        token: str | None = None,
    ) -> AsyncIterator[bytes]:
        """Yield the bytes of an answer in blocks; tried again only until it begins, a cut later is `Unavailable`."""
        async with contextlib.AsyncExitStack() as stack:

            async def begin() -> aiohttp.ClientResponse:
                return await stack.enter_async_context(self._answer(endpoint, path, params, {}, token))

            answer = await self._patiently(endpoint, begin)
            async for block in answer.content.iter_chunked(BLOCK_BYTES):
                yield block

    async def _patiently(
        self, endpoint: str, attempt: Callable[[], Awaitable[Answer]], again: Again = always
    ) -> Answer:
        tried, renewed = 0, False
        while True:
            try:
                return await attempt()
            except _Stale:
                if renewed:
                    raise
                renewed = True
                continue
            except Unavailable as error:
                wanted = error.retry_after
                if tried >= self._retries or (wanted is not None and wanted > PATIENCE_SECONDS) or not again(error):
                    raise
                delay = backoff(tried, wanted)
                _logger.info("homeserver.retry", endpoint=endpoint, code=error.code)
            tried += 1
            await self._pause(delay)

    @contextlib.asynccontextmanager
    async def _answer(
        self,
        endpoint: str,
        path: Mapping[str, str] | None,
        params: Mapping[str, str | int] | None,
        content: Mapping[str, Any],
        token: str | None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        method, address = self._address(endpoint, path or {}, params or {})
        signed = await self._authority.header() if token is None else f"Bearer {token}"
        headers = {"Authorization": signed}
        try:
            async with self._connections().request(
                method, address, headers=headers, allow_redirects=False, **content
            ) as answer:
                PROCESS.asked("admin", answer.status)
                if answer.status >= 300:
                    failure = await self._failure(answer)
                    if answer.status == 401 and token is None and self._authority.refused(signed):
                        raise _Stale(failure.code, answer.status)
                    raise failure
                yield answer
        except TimeoutError as error:
            PROCESS.asked("admin", None)
            raise Unavailable("timeout") from error
        except aiohttp.ClientError as error:
            PROCESS.asked("admin", None)
            raise Unavailable("connection_lost") from error

    def _address(self, endpoint: str, path: Mapping[str, str], params: Mapping[str, str | int]) -> tuple[str, URL]:
        method, template = endpoint.split(" ", 1)
        # names come from strangers: a "/", "?" or ".." in a room ID must not become another address
        quoted = {key: quote(value, safe="", errors="replace") for key, value in path.items()}
        query = f"?{urlencode(params, errors='replace')}" if params else ""
        return method, URL(self._url + template.format_map(quoted) + query, encoded=True)

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": AGENT}
            )
        return self._session

    async def _failure(self, answer: aiohttp.ClientResponse) -> Unavailable | Rejected:
        """Return the error that a refusing answer stands for (spec, Client-Server API, "Standard error response")."""
        status = answer.status
        if status < 400:
            return Rejected("redirected", status)
        details = _details(await answer.content.read(_ERROR_BYTES))
        errcode = details.get("errcode")
        # only what looks like a code may travel on: the text beside it can name people
        code = errcode if isinstance(errcode, str) and _ERRCODE.fullmatch(errcode) else _foreign(details)
        if code == "M_NOT_YET_UPLOADED":  # a 504, but waiting will not bring the file
            return Gone(code, status)
        if status == 429 or status >= 500:
            return Unavailable(
                "rate_limited" if status == 429 else f"http_{status}", self._retry_after(answer, details)
            )
        return Gone(code, status) if status == 404 else Rejected(code, status)

    def _retry_after(self, answer: aiohttp.ClientResponse, details: Mapping[str, Any]) -> float | None:
        header = answer.headers.get("Retry-After", "").strip()
        if header.isascii() and header.isdigit():
            return min(float(header), 86400.0)
        if header:
            with contextlib.suppress(ValueError):
                return max((parsedate_to_datetime(header) - self._clock.now()).total_seconds(), 0.0)
        millis = details.get("retry_after_ms")
        if isinstance(millis, int | float) and not isinstance(millis, bool) and 0 <= millis <= 86_400_000:
            return millis / 1000
        return None


def backoff(tried: int, wanted: float | None) -> float:
    """Return how long to wait, seconds: what was ``wanted`` and a little more, else doubling, capped, never in step."""
    if wanted is not None:
        return wanted * _RANDOM.uniform(1.0, 1.2) + _RANDOM.uniform(0.0, 0.1)
    return min(_FIRST_DELAY * 2.0**tried, _LONGEST_DELAY) * _RANDOM.uniform(0.5, 1.0)


def _foreign(details: Mapping[str, Any]) -> str:
    return JSON_API if isinstance(details.get("errors"), list) else "not_matrix"


async def _read(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    whole = bytearray()
    async for block in answer.content.iter_chunked(BLOCK_BYTES):
        whole += block
        if len(whole) > max_bytes:
            raise Rejected("answer_too_large", answer.status)
    return bytes(whole)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unavailable("bad_answer") from error
    if not isinstance(parsed, dict):
        raise Unavailable("bad_answer")
    return parsed


def _details(raw: bytes) -> dict[str, Any]:
    try:
        return _parsed(raw)
    except Unavailable:
        return {}
