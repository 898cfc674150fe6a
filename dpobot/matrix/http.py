"""JSON requests to the homeserver's client API, with its errors told apart: later, never, gone."""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp

from dpobot.errors import DpobotError, Gone, Rejected, Unavailable
from dpobot.pulse import PROCESS

CLIENT = "/_matrix/client/v3"
_ERRCODE = re.compile(r"[A-Za-z0-9_.]{1,64}")
_SECONDS = 60.0
_DEEP = 50_000  # frames that a deeply nested answer may need


def path(*parts: str, base: str = CLIENT) -> str:
    """Join and quote the parts of an endpoint's path. Raises Rejected("bad_id") for what would climb out of it."""
    if any(part in (".", "..") for part in parts):
        raise Rejected("bad_id")
    return base + "".join("/" + quote(part, safe="") for part in parts)


def parse(text: bytes) -> Any:
    """Parse JSON however deep it is nested. Raises ValueError.

    Anybody can send an event nested so deep that the parser's default limit would lose the whole /sync answer.
    """
    try:
        return json.loads(text)
    except RecursionError:
        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(_DEEP)
        try:
            return json.loads(text)
        except RecursionError as error:
            raise ValueError("nested too deep") from error
        finally:
            sys.setrecursionlimit(usual)


def failure(status: int, body: object, headers: Mapping[str, str]) -> DpobotError:
    """Return the error that an answer outside 2xx means (spec: Standard error response)."""
    fields = body if isinstance(body, dict) else {}
    code = fields.get("errcode")
    name = code if isinstance(code, str) and _ERRCODE.fullmatch(code) else f"http_{status}"
    if status == 429:
        return Unavailable("M_LIMIT_EXCEEDED", _retry_after(fields, headers))
    if status >= 500 or status == 408:
        return Unavailable(f"http_{status}", _retry_after(fields, headers))
    return Gone(name, status) if status == 404 else Rejected(name, status)


def _retry_after(fields: Mapping[str, Any], headers: Mapping[str, str]) -> float | None:
    asked = headers.get("Retry-After", "")
    if asked.isdigit():
        return float(asked)
    millis = fields.get("retry_after_ms")
    return millis / 1000 if isinstance(millis, int | float) else None


class Http:
    """One account's connection. Raises `Unavailable`, `Rejected` and `Gone`; never waits or retries itself."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.token: str | None = None
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def session(self) -> aiohttp.ClientSession:
        """Return the connection pool, made at the first use."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64))
        return self._session

    def headers(self) -> dict[str, str]:
        """Return the authorization header, if there is a token."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def answer(
        self,
        method: str,
        endpoint: str,
        body: object = None,
        *,
        params: Mapping[str, str] | None = None,
        seconds: float = _SECONDS,
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Make one request; return status, parsed body (None if it is not JSON) and headers."""
        target = self.url + endpoint
        try:
            async with self.session().request(
                method,
                target,
                json=body,
                params=params,
                headers=self.headers(),
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                text = await response.read()
                PROCESS.asked("client", response.status)
                return response.status, _parsed(text), response.headers
        except TimeoutError as error:
            PROCESS.asked("client", None)
            raise Unavailable("timeout") from error
        except (aiohttp.ClientError, OSError) as error:
            PROCESS.asked("client", None)
            raise Unavailable("connection") from error

    async def call(
        self,
        method: str,
        endpoint: str,
        body: object = None,
        *,
        params: Mapping[str, str] | None = None,
        seconds: float = _SECONDS,
    ) -> dict[str, Any]:
        """Make one request and return the JSON object that it answers."""
        status, answered, headers = await self.answer(method, endpoint, body, params=params, seconds=seconds)
        if not 200 <= status < 300:
            raise failure(status, answered, headers)
        if not isinstance(answered, dict):
            raise Unavailable("bad_answer")
        return answered


def _parsed(text: bytes) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None
