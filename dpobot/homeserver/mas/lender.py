"""Acting as a person where MAS keeps the accounts: a personal session that ends by itself and is revoked after use."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from dpobot import log
from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.http import Http
from dpobot.homeserver.mas.admin import MasAdmin, Resource, single
from dpobot.model.ids import UserId

LEND = "POST /api/admin/v1/personal-sessions"
REVOKE = "POST /api/admin/v1/personal-sessions/{session}/revoke"
ENDPOINTS = (LEND, REVOKE)

# no device: nothing appears among the person's own, and nothing that waits for one of them is taken
_SCOPE = "urn:matrix:client:api:*"
_VALID_FOR = timedelta(minutes=15)
_NAME = "Data protection (dpobot)"
_ENDED = (404, 409)  # revoked already, as after a deactivation

_logger = log.get(__name__)


class MasLender:
    """MAS lends the token: a personal session of the person's account, owned by the bot's client (MAS 1.5).

    After it is revoked Synapse may take the token for up to two minutes more: so long it remembers what MAS said.
    """

    # Synapse 1.163 answers 500 to a transaction ID from a session that has neither a device nor a row of its own
    transactions = False

    def __init__(self, mas: MasAdmin) -> None:
        self._mas = mas

    @contextlib.asynccontextmanager
    async def lend(self, http: Http, user: UserId) -> AsyncIterator[str | None]:
        """Lend a token that acts as ``user`` while the context lasts.

        Raises `Rejected` ``acting_refused`` if MAS has no such account, ``M_USER_DEACTIVATED`` or ``M_USER_LOCKED``.
        """
        session, token = await self._borrowed(user)
        try:
            yield token
        finally:
            # a cancelled job must not leave a working key to the account behind
            await asyncio.shield(self._ended(session))

    async def _borrowed(self, user: UserId) -> tuple[str, str]:
        person = await self._mas.user(user)
        if person is None:
            raise Rejected("acting_refused", 404)
        if person.has("locked_at"):
            # MAS would lend a token that the homeserver then takes for an unknown one
            raise Rejected("M_USER_LOCKED", 401)
        given = await self._session_of(person)
        token = given.attributes.get("access_token")
        if not isinstance(token, str) or not token:
            raise Unavailable("bad_answer")
        return given.id, token

    async def _session_of(self, person: Resource) -> Resource:
        seconds = int(_VALID_FOR.total_seconds())
        body = {"actor_user_id": person.id, "human_name": _NAME, "scope": _SCOPE, "expires_in": seconds}
        try:
            return single(await self._mas.http.call(LEND, body=body))
        except Rejected as error:
            if error.status == 410:
                raise Rejected("M_USER_DEACTIVATED", error.status) from error
            raise

    async def _ended(self, session: str) -> None:
        try:
            await self._mas.http.call(REVOKE, path={"session": session}, body={})
        except (Unavailable, Rejected) as error:
            if isinstance(error, Rejected) and error.status in _ENDED:
                return
            # it ends by itself within minutes: no reason to lose what was collected
            _logger.warning("mas.session_left", code=error.code)
