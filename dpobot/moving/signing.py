"""Finding the homeserver, signing in, and leaving no session behind (spec, "Server Discovery", "Login", "Logout")."""

import contextlib
import ipaddress
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from dpobot.errors import Rejected, Unavailable
from dpobot.moving.line import Line
from dpobot.moving.stopped import ImportStopped

DEVICE_ID = (
    "DPOBOTIMPORT"  # always the same: the session of a run that was killed is taken over, and ended, by the next
)
DEVICE_NAME = "dpobot import"
_WELL_KNOWN = "/.well-known/matrix/client"
_WELL_KNOWN_BYTES = 64 * 1024
_ADDRESS_HINT = "name the homeserver's address with --homeserver https://..."


async def discover(user_id: str, given: str | None, scheme: str = "https") -> str:
    """Return the homeserver's address: as given, or as the server's well-known says (``given``: None or its name).

    Raises `ImportStopped`; also for an address that would send the password unencrypted over a network.
    """
    if given and "://" in given:
        return _safe(given)
    server = given or user_id.partition(":")[2]
    address = f"{scheme}://{server}"
    timeout = aiohttp.ClientTimeout(total=30)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(address + _WELL_KNOWN) as answer:
            if answer.status == 404:
                return _safe(address)
            raw = await answer.content.read(_WELL_KNOWN_BYTES)
            answer.raise_for_status()
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        raise ImportStopped(f"{server} does not say where its homeserver is", _ADDRESS_HINT) from error
    return _safe(base_url(raw, server))


def base_url(raw: bytes, server: str) -> str:
    """Return the address that a well-known document names. Raises `ImportStopped`."""
    try:
        url = json.loads(raw)["m.homeserver"]["base_url"]
    except (ValueError, KeyError, TypeError) as error:
        raise ImportStopped(f"{server} does not say where its homeserver is", _ADDRESS_HINT) from error
    return str(url)


def _safe(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ImportStopped("that is no homeserver's address", _ADDRESS_HINT)
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise ImportStopped("the password would go unencrypted over the network", _ADDRESS_HINT)
    return url.rstrip("/")


def _loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


@contextlib.asynccontextmanager
async def signed_in(line: Line, user_id: str, password: str | None, token: str | None) -> AsyncIterator[None]:
    """Act as the account for as long as the context lasts; a session that was made for it is ended after it.

    Raises `ImportStopped`: no homeserver there, wrong password, a token of somebody else.
    """
    await _versions(line)
    if token is not None:
        line.token = token
        await _check(line, user_id)
        yield
        return
    line.token = await _login(line, user_id, password or "")
    try:
        yield
    finally:
        with contextlib.suppress(Rejected, Unavailable, ImportStopped):
            await line.call("POST", "logout", body={})


async def _versions(line: Line) -> None:
    try:
        answer = await line.call("GET", "versions", base="/_matrix/client", tries=2)
    except (Rejected, Unavailable) as error:
        raise ImportStopped(f"{line.url} is no Matrix homeserver", _ADDRESS_HINT) from error
    if not isinstance(answer.get("versions"), list):
        raise ImportStopped(f"{line.url} is no Matrix homeserver", _ADDRESS_HINT)


async def _check(line: Line, user_id: str) -> None:
    """See to it that the token is the account's that was named: a mix-up would fill somebody else's account."""
    whose = (await line.call("GET", "account", "whoami")).get("user_id")
    if whose != user_id:
        raise ImportStopped(f"the token is not {user_id}'s", "name the account that it belongs to with --user")


async def _login(line: Line, user_id: str, password: str) -> str:
    flows = (await line.call("GET", "login")).get("flows")
    types = [flow.get("type") for flow in flows if isinstance(flow, dict)] if isinstance(flows, list) else []
    if "m.login.password" not in types:
        raise ImportStopped(
            "the homeserver takes no password here",
            "sign in with your client and name a file with its access token: --token-file FILE",
        )
    body: dict[str, Any] = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user_id},
        "password": password,
        "device_id": DEVICE_ID,
        "initial_device_display_name": DEVICE_NAME,
    }
    try:
        answer = await line.call("POST", "login", body=body)
    except Rejected as error:
        raise _refused(user_id, error) from error
    if answer.get("user_id") != user_id or not isinstance(answer.get("access_token"), str):
        raise ImportStopped(f"{line.url} is not the homeserver of {user_id}", _ADDRESS_HINT)
    return str(answer["access_token"])


def _refused(user_id: str, error: Rejected) -> ImportStopped:
    if error.status == 403 and error.code == "M_FORBIDDEN":
        return ImportStopped(f"wrong password, or no account {user_id} there", "look at --user and the password")
    return ImportStopped(f"the homeserver does not let {user_id} sign in ({error.code})", "ask who runs it")
