"""Fetching a small JSON document from a stranger: HTTPS alone, few redirects, few bytes, not for long."""

import asyncio
import json
import ssl
from functools import cached_property
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.homeserver.federation.addresses import Guard, Permitted, is_public
from dpobot.homeserver.http import AGENT

MOST_BYTES = 64 * 1024
MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200


class Fetcher:
    """Fetches documents; every connection is checked where it leads, those after a redirect too.

    ``ca_file``: certificates (PEM) that count instead of the system's. ``resolver``: who knows names; the system.
    """

    def __init__(
        self,
        seconds: float,
        ca_file: Path | None = None,
        permitted: Permitted = is_public,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._seconds = seconds
        self._ca_file = ca_file
        self._permitted = permitted
        self._resolver = resolver

    async def json(self, url: URL) -> Any:
        """Return the JSON value at an address, whatever it calls its type.

        Raises `Gone` for a 404; `Rejected` ``private_address``, ``bad_certificate``, ``redirects``, ``not_https``,
        ``bad_address``, ``too_large``, ``not_json``, ``http_<status>``; `Unavailable` ``timeout``, ``connection_lost``,
        ``http_<5xx>``.
        """
        guard = Guard(self._permitted)
        try:
            async with asyncio.timeout(self._seconds), self._session(guard) as session:
                return _parsed(await _follow(session, url))
        except TimeoutError as error:
            raise Unavailable("timeout") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise Rejected("bad_certificate") from error
        except aiohttp.InvalidURL as error:
            raise Rejected("bad_address") from error
        except (aiohttp.ClientError, OSError) as error:
            if guard.refused:
                raise Rejected("private_address") from error
            raise Unavailable("connection_lost") from error
        except ValueError as error:  # an address or a header that is none
            raise Rejected("bad_address") from error

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """Read once, when it is needed first: few bots ever ask."""
        return ssl.create_default_context(cafile=None if self._ca_file is None else str(self._ca_file))

    def _session(self, guard: Guard) -> aiohttp.ClientSession:
        """Return a session of its own for one document: no connection, name or cookie outlives it."""
        connector = aiohttp.TCPConnector(
            ssl=self._trust, resolver=self._resolver, use_dns_cache=False, force_close=True, socket_factory=guard
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": AGENT, "Accept": "application/json", "Accept-Encoding": "identity"},
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=self._seconds),
        )


async def _follow(session: aiohttp.ClientSession, url: URL) -> bytes:
    for _ in range(MOST_REDIRECTS + 1):
        _check(url)
        async with session.get(url, allow_redirects=False) as answer:
            if answer.status == _OK:
                return await _read(answer)
            if answer.status not in _REDIRECTS:
                raise _failure(answer.status)
            url = url.join(URL(answer.headers.get("Location", "")))
    raise Rejected("redirects")


def _check(url: URL) -> None:
    if url.scheme != "https":
        raise Rejected("not_https")
    if not url.host or url.user is not None or url.password is not None:
        raise Rejected("bad_address")


def _failure(status: int) -> Rejected | Unavailable:
    code = f"http_{status}"
    if status == 404:
        return Gone(code, status)
    return Unavailable(code) if status == 429 or status >= 500 else Rejected(code, status)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    whole = bytearray()
    async for block in answer.content.iter_any():
        whole += block
        if len(whole) > MOST_BYTES:
            raise Rejected("too_large", answer.status)
    return bytes(whole)


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Rejected("not_json") from error
