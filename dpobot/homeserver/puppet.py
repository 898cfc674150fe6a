"""Acting as a person for what only they may read: a token that expires by itself and is ended after use.

``/logout/all`` with such a token would end the person's own sessions: only ``/logout`` is ever called.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from dpobot import log
from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.http import Http
from dpobot.model.ids import UserId

LOGIN = "POST /_synapse/admin/v1/users/{user}/login"
LOGOUT = "POST /_matrix/client/v3/logout"
WHOAMI = "GET /_matrix/client/v3/account/whoami"
ENDPOINTS = (LOGIN, LOGOUT, WHOAMI)

_VALID_FOR = timedelta(minutes=15)

_TOKEN = re.compile(r"[!-~]{1,4096}", re.ASCII)  # what a header can carry
_logger = log.get(__name__)


class Lender(Protocol):
    """Lends keys to other people's accounts: how depends on where accounts are managed."""

    @property
    def transactions(self) -> bool:
        """Whether what is sent with such a key may have a transaction ID (spec, "Transaction identifiers")."""
        ...

    def lend(self, http: Http, user: UserId) -> AbstractAsyncContextManager[str | None]:
        """Lend a token that acts as ``user`` while the context lasts; None stands for our own account.

        ``http`` is the line to the homeserver. Raises `Rejected` if no token is lent, e.g. for a remote user.
        """
        ...


class SynapseLender:
    """The homeserver itself lends the token (Synapse admin API, "Login as a user")."""

    transactions = True

    @contextlib.asynccontextmanager
    async def lend(self, http: Http, user: UserId) -> AsyncIterator[str | None]:
        """Lend a token that acts as ``user`` while the context lasts; None stands for our own account."""
        token = await _borrowed(http, user)
        try:
            yield token
        finally:
            if token is not None:
                # a cancelled job must not leave a working key to the account behind
                await asyncio.shield(_ended(http, token))


async def _borrowed(http: Http, user: UserId) -> str | None:
    until = http.clock.now() + _VALID_FOR
    body = {"valid_until_ms": int(until.timestamp() * 1000)}
    try:
        answer = await http.call(LOGIN, path={"user": user}, body=body)
    except Rejected as error:
        # an admin can't borrow a token for themselves, and needs none
        if error.status == 400 and (await http.call(WHOAMI)).get("user_id") == user:
            return None
        if error.code == "M_UNRECOGNIZED":  # accounts delegated to an authentication service: Synapse lends nothing
            raise Rejected("acting_refused", error.status) from error
        raise
    token = answer.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Unavailable("bad_answer")
    return token


async def _ended(http: Http, token: str) -> None:
    try:
        await http.call(LOGOUT, body={}, token=token)
    except (Unavailable, Rejected) as error:
        # it ends by itself within minutes: no reason to lose what was collected
        _logger.warning("homeserver.puppet_left", code=error.code)
