"""What MAS still holds of a person, beside what Synapse does; it shares with `changes` only how MAS is spoken to."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from dpobot.clock import Clock
from dpobot.homeserver.http import Pause
from dpobot.homeserver.mas import lender
from dpobot.homeserver.mas.admin import NAMED, SITE, MasAdmin, Resource, listed
from dpobot.homeserver.mas.credentials import TOKEN
from dpobot.homeserver.verifying.asking import left
from dpobot.homeserver.verifying.synapse_leftovers import SynapseLeftovers
from dpobot.model.erasure import Residual
from dpobot.model.ids import UserId

EMAILS = "GET /api/admin/v1/user-emails"
LINKS = "GET /api/admin/v1/upstream-oauth-links"
PERSONAL = "GET /api/admin/v1/personal-sessions"
SESSIONS = ("GET /api/admin/v1/user-sessions", "GET /api/admin/v1/oauth2-sessions", "GET /api/admin/v1/compat-sessions")

# which endpoints of MAS each method uses
ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "of_account": (TOKEN, SITE, NAMED, EMAILS, LINKS, PERSONAL, *SESSIONS, *lender.ENDPOINTS),
}

_RECORDS, _KEPT = "sign_in_records", "kept_by_sign_in_service"
# former passwords, answers of providers, recoveries, agreements: MAS keeps them and tells nobody (see `categories`)
_UNASKABLE = Residual(_RECORDS, 0, "database_only")


class MasLeftovers(SynapseLeftovers):
    """Synapse whose accounts MAS keeps; ``token`` is of a personal session with the scopes of client and admin API."""

    def __init__(
        self,
        url: str,
        token: Callable[[], str] | str,
        mas: MasAdmin,
        retries: int = 4,
        *,
        pause: Pause = asyncio.sleep,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(url, token, retries, pause=pause, clock=clock, lender=lender.MasLender(mas))
        self._mas = mas

    async def close(self) -> None:
        """Close the connections."""
        await super().close()
        await self._mas.close()

    async def of_account(self, user: UserId) -> Sequence[Residual]:
        """Return what is left of the account at Synapse and at MAS, and what can't be asked."""
        found = await super().of_account(user)
        person = await self._mas.user(user)
        if person is None:
            return found
        return (*found, *await self._held(person), _UNASKABLE)

    async def _held(self, person: Resource) -> Sequence[Residual]:
        emails = await listed(self._mas.http, EMAILS, {"filter[user]": person.id})
        links = await listed(self._mas.http, LINKS, {"filter[user]": person.id})
        return (
            *left("account", not person.has("deactivated_at"), "not_deactivated"),
            Residual(_RECORDS, 1, _KEPT),
            *left("addresses", len(emails)),
            *left("sso_links", len(links)),
            *await self._sessions(person),
        )

    async def _sessions(self, person: Resource) -> Sequence[Residual]:
        """Return the sessions that still work, and those that have ended, of which MAS keeps a record for a while."""
        asked = [(endpoint, "filter[user]") for endpoint in SESSIONS]
        asked += [(PERSONAL, "filter[actor_user]"), (PERSONAL, "filter[owner_user]")]
        ended: dict[str, bool] = {}
        for endpoint, role in asked:
            for each in await listed(self._mas.http, endpoint, {role: person.id}):
                ended[each.id] = each.has("finished_at") or each.has("revoked_at")
        kept = sum(ended.values())
        return (*left("sessions", len(ended) - kept), *left(_RECORDS, kept, _KEPT))
