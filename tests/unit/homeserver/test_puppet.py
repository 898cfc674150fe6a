"""A token that acts as a person always ends, whatever happens while it is used."""

import asyncio

import pytest
from aiohttp import web

from dpobot.errors import Rejected
from dpobot.homeserver.http import Http
from dpobot.homeserver.puppet import SynapseLender
from dpobot.model.ids import UserId
from tests.unit.homeserver.conftest import Script

_ANNA = UserId("@anna:dpobot.test")
_LOGIN = ("POST", "/_synapse/admin/v1/users/%40anna%3Adpobot.test/login")
_LOGOUT = ("POST", "/_matrix/client/v3/logout")
_WHOAMI = ("GET", "/_matrix/client/v3/account/whoami")


async def test_the_token_ends_after_an_error(script: Script, http: Http) -> None:
    """The error goes on, the token doesn't."""
    script.json({"access_token": "borrowed"})

    async def work() -> None:
        async with SynapseLender().lend(http, _ANNA):
            raise ValueError("trouble")

    with pytest.raises(ValueError, match="trouble"):
        await work()
    assert script.asked == [_LOGIN, _LOGOUT]
    assert script.tokens == ["Bearer the-admin-token", "Bearer borrowed"]


async def test_the_token_ends_when_the_job_is_cancelled(script: Script, http: Http) -> None:
    """A cancellation in the middle still logs out."""
    script.json({"access_token": "borrowed"})
    inside = asyncio.Event()

    async def work() -> None:
        async with SynapseLender().lend(http, _ANNA):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert script.asked == [_LOGIN, _LOGOUT]


async def test_a_failed_logout_loses_nothing(script: Script, http: Http) -> None:
    """The token ends by itself within minutes: what was collected is kept."""
    script.json({"access_token": "borrowed"}).json({"errcode": "M_UNKNOWN_TOKEN"}, 401)
    async with SynapseLender().lend(http, _ANNA) as token:
        assert token == "borrowed"
    assert script.asked == [_LOGIN, _LOGOUT]


async def test_the_token_expires_by_itself(script: Script, http: Http) -> None:
    """It is asked for with an end, a quarter of an hour from now."""
    bodies = []

    async def login(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.json())
        return web.json_response({"access_token": "borrowed"})

    script.does(login).json({})
    async with SynapseLender().lend(http, _ANNA):
        pass
    minutes = (bodies[0]["valid_until_ms"] / 1000 - http.clock.now().timestamp()) / 60
    assert round(minutes) == 15


async def test_the_admin_needs_no_token_for_themselves(script: Script, http: Http) -> None:
    """Synapse refuses to log an admin in as themselves; their own token serves, and is not ended."""
    script.json({"errcode": "M_UNKNOWN"}, 400).json({"user_id": _ANNA})
    async with SynapseLender().lend(http, _ANNA) as token:
        assert token is None
    assert script.asked == [_LOGIN, _WHOAMI]


async def test_a_server_that_lends_no_tokens_says_so(script: Script, http: Http) -> None:
    """With delegated authentication the endpoint does not exist."""
    script.json({"errcode": "M_UNRECOGNIZED"}, 404)
    with pytest.raises(Rejected) as error:
        async with SynapseLender().lend(http, _ANNA):
            pass
    assert error.value.code == "acting_refused"
