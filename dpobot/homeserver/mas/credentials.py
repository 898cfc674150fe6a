"""What requests to MAS are signed with: a token of the bot's own client, fetched when needed (RFC 6749, 4.4)."""

import asyncio
import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dpobot.clock import Clock, SystemClock
from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.http import Http, Pause

TOKEN = "POST /oauth2/token"  # noqa: S105 - an address, not a token
SCOPE = "urn:mas:admin"

_EARLY = timedelta(seconds=30)  # so long before its end a token is no longer used: requests take a moment
_SHORT = timedelta(minutes=1)  # what a token without a stated end is taken for


class Basic:
    """A client's name and secret, as the header of a request for a token (RFC 7617)."""

    def __init__(self, client_id: str, secret: str) -> None:
        # not escaped before, as RFC 6749 has it: MAS takes them as they are
        pair = f"{client_id}:{secret}"
        self._header = f"Basic {base64.b64encode(pair.encode()).decode()}"

    async def header(self) -> str:
        """Return the value of the ``Authorization`` header."""
        return self._header

    def refused(self, header: str) -> bool:
        """Say that there is no other."""
        return False


@dataclass(frozen=True, slots=True)
class _Lease:
    token: str = field(repr=False)
    until: datetime


class ClientCredentials:
    """The bot's own client at MAS: its token is kept until shortly before it ends, and fetched anew once refused."""

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: str,
        retries: int = 4,
        *,
        pause: Pause = asyncio.sleep,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._http = Http(url, Basic(client_id, secret), retries, pause=pause, clock=self._clock)
        self._fetching = asyncio.Lock()
        self._lease: _Lease | None = None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def header(self) -> str:
        """Return the value of the ``Authorization`` header.

        Raises `Rejected` ``mas_client_refused`` if MAS does not know the client, or does not let it administer.
        """
        async with self._fetching:
            if self._lease is None or self._clock.now() >= self._lease.until:
                self._lease = await self._fetched()
            return f"Bearer {self._lease.token}"

    def refused(self, header: str) -> bool:
        """Forget a token that MAS no longer takes; there is always another to ask for."""
        if self._lease is not None and header == f"Bearer {self._lease.token}":
            self._lease = None
        return True

    async def _fetched(self) -> _Lease:
        asked = self._clock.now()
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        try:
            answer = await self._http.call(TOKEN, form=form)
        except Rejected as error:
            raise Rejected("mas_client_refused", error.status) from error
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token:
            raise Unavailable("bad_answer")
        lasts = timedelta(seconds=seconds) if isinstance(seconds, int) else _SHORT
        return _Lease(token, asked + max(lasts - _EARLY, lasts / 2))
