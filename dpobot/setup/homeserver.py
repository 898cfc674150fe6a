"""What `dpobot init` asks the homeserver: is it one, whose is the token, who keeps accounts, is the bot's there?"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from dpobot.errors import ConfigurationError, Gone, Rejected, Unavailable
from dpobot.homeserver.http import Http
from dpobot.matrix.http import Http as Client
from dpobot.model.ids import UserId, server_of

WHOAMI = "GET /_matrix/client/v3/account/whoami"
ACCOUNT = "GET /_synapse/admin/v2/users/{user}"
MAKE_ACCOUNT = "PUT /_synapse/admin/v2/users/{user}"
KEYS = "POST /_matrix/client/v3/keys/query"
_RETRIES = 1  # somebody waits


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[Client]:
    http = Client(url)
    try:
        yield http
    finally:
        await http.close()


@asynccontextmanager
async def administration(url: str, token: str) -> AsyncIterator[Http]:
    """Open a client that speaks as the admin."""
    http = Http(url, token, _RETRIES)
    try:
        yield http
    finally:
        await http.close()


async def base_url(answer: str) -> str:
    """Return the address of a client API; for a server's name the one that its ``.well-known`` names (spec, 4.1)."""
    if "://" in answer:
        return answer.rstrip("/")
    async with _client(f"https://{answer}") as http:
        try:
            found = (await http.call("GET", "/.well-known/matrix/client")).get("m.homeserver")
        except Rejected:
            found = None
    base = found.get("base_url") if isinstance(found, Mapping) else None
    return base.rstrip("/") if isinstance(base, str) and base.startswith("http") else f"https://{answer}"


async def require_homeserver(url: str) -> None:
    """Make sure that a homeserver answers. Raises `ConfigurationError`, `Unavailable`."""
    async with _client(url) as http:
        status, answer, _ = await http.answer("GET", "/_matrix/client/versions")
    if status != 200 or not isinstance(answer, dict) or not isinstance(answer.get("versions"), list):
        raise ConfigurationError([f"{url} is no Matrix homeserver: /_matrix/client/versions answers {status}"])


async def is_delegated(url: str) -> bool:
    """Say whether an authentication service keeps the accounts (spec, "OAuth 2.0 API": auth_metadata)."""
    async with _client(url) as http:
        status, _, _ = await http.answer("GET", "/_matrix/client/v1/auth_metadata")
    return status == 200


async def administrator(url: str, token: str) -> UserId:
    """Return whose token it is. Raises `ConfigurationError` unless it is a server admin's, `Unavailable`."""
    async with administration(url, token) as http:
        try:
            me = UserId(str((await http.call(WHOAMI))["user_id"]))
        except Rejected as error:
            raise ConfigurationError([f"the homeserver does not accept this token ({error})"]) from error
        except KeyError as error:
            raise Unavailable("bad_answer") from error
        try:
            await http.call(ACCOUNT, path={"user": me})
        except Rejected as error:
            cure = "make it one, or let the proxy pass /_synapse/admin on to this machine"
            raise ConfigurationError(
                [f"{me} is no server admin, or the admin API is closed ({error}); {cure}"]
            ) from error
    return me


async def account(http: Http, user_id: str) -> Mapping[str, Any] | None:
    """Return what the admin API says of an account, None if there is none."""
    try:
        return await http.call(ACCOUNT, path={"user": user_id})
    except Gone:
        return None


async def require_ordinary(http: Http, admin: UserId, user_id: str) -> None:
    """Make sure that an account can be the bot's. Raises `ConfigurationError` for a server admin's, above all."""
    if server_of(UserId(user_id)) != server_of(admin):
        raise ConfigurationError([f"the bot's account must be on {server_of(admin)}"])
    found = await account(http, user_id)
    if found is None:
        return
    if found.get("admin"):
        raise ConfigurationError(
            [f"{user_id} is a server admin; whoever took the bot over would have the server: take an ordinary account"]
        )
    if found.get("deactivated") or found.get("locked") or found.get("suspended"):
        raise ConfigurationError([f"{user_id} is deactivated, locked or suspended; take another account"])


async def has_identity(http: Http, user_id: str) -> bool:
    """Say whether an account has a cross-signing identity (spec, "Cross-signing"): a master key is public."""
    answer = await http.call(KEYS, body={"device_keys": {user_id: []}})
    keys = answer.get("master_keys")
    return isinstance(keys, Mapping) and user_id in keys


async def make_account(http: Http, user_id: str, password: str, display_name: str) -> None:
    """Make an ordinary account (Synapse's admin API, "Create or modify account")."""
    body = {"password": password, "admin": False, "displayname": display_name}
    await http.call(MAKE_ACCOUNT, path={"user": user_id}, body=body)
