"""What dpobot changes where MAS keeps the accounts: what is MAS's is changed there, everything else at Synapse.

An account is never deactivated at Synapse alone: MAS would still let the person in, and at the next log-in or change it
would write display name and addresses back to the erased account (measured on Synapse 1.163).
"""

import asyncio
from collections.abc import Callable, Mapping

from dpobot.clock import Clock
from dpobot.errors import Gone, Rejected
from dpobot.homeserver.erasing import links
from dpobot.homeserver.erasing.synapse_changes import SynapseChanges
from dpobot.homeserver.http import Pause
from dpobot.homeserver.mas import lender
from dpobot.homeserver.mas.admin import NAMED, SITE, MasAdmin, Resource, listed
from dpobot.homeserver.mas.categories import EMAILS, LINKS
from dpobot.homeserver.mas.credentials import TOKEN
from dpobot.model.ids import UserId

UNLOCK = "POST /api/admin/v1/users/{user}/unlock"
DEACTIVATE = "POST /api/admin/v1/users/{user}/deactivate"
ADD_EMAIL = "POST /api/admin/v1/user-emails"
DELETE_EMAIL = "DELETE /api/admin/v1/user-emails/{email}"
DELETE_LINK = "DELETE /api/admin/v1/upstream-oauth-links/{link}"

_LOOK_UP = (TOKEN, SITE, NAMED)

# what each method asks MAS for, beside what it asks Synapse for; whatever acts as the person borrows a token
ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "prepare_erasure": (*_LOOK_UP, UNLOCK),
    "redact": (*_LOOK_UP, *lender.ENDPOINTS),
    "delete_links": (*_LOOK_UP, *lender.ENDPOINTS, LINKS, DELETE_LINK),
    "deactivate": (*_LOOK_UP, DEACTIVATE),
    "set_avatar": (*_LOOK_UP, *lender.ENDPOINTS),
    "set_email": (*_LOOK_UP, EMAILS, ADD_EMAIL, DELETE_EMAIL),
}


class MasChanges(SynapseChanges):
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

    async def prepare_erasure(self, user: UserId) -> None:
        """Unlock the account at MAS, unsuspend it at Synapse and lift its rate limit."""
        person = await self._person(user)
        if person.has("locked_at") and not person.has("deactivated_at"):
            await self._mas.http.call(UNLOCK, path={"user": person.id}, body={})
        await super().prepare_erasure(user)

    async def delete_links(self, user: UserId) -> int:
        """Remove single-sign-on links at MAS, which a deactivation leaves, and all that Synapse holds.

        Returns how many went, of both.
        """
        linked = await listed(self._mas.http, LINKS, {"filter[user]": (await self._person(user)).id})
        gone = [await self._deleted(DELETE_LINK, link=link.id) for link in linked]
        try:
            return sum(gone) + await super().delete_links(user)
        except Rejected as error:
            if error.code != "M_USER_DEACTIVATED":
                raise
            # what only they could remove went with the account
            return sum(gone) + await links.sso_links(self._subject(user))

    async def deactivate(self, user: UserId) -> None:
        """Deactivate the account at MAS, which then lets Synapse erase it (spec: ``erase``, MSC4025).

        MAS ends every session and deletes the addresses before it asks Synapse, and asks until Synapse has done it:
        `finish_erasure` tells when. Raises `Gone` ``not_at_mas`` if MAS has no such account.
        """
        person = await self._person(user)
        await self._mas.http.call(DEACTIVATE, path={"user": person.id}, body={"skip_erase": False})

    async def set_email(self, user: UserId, old: str | None, new: str | None) -> None:
        """Replace, add or remove an e-mail address at MAS, which tells Synapse.

        Raises `Gone` ``no_such_email``, or `Rejected` ``M_THREEPID_IN_USE`` or ``M_INVALID_PARAM`` for ``new``.
        """
        person = await self._person(user)
        held = await listed(self._mas.http, EMAILS, {"filter[user]": person.id})
        leaving, there = _with_address(held, old), _with_address(held, new)
        if old is not None and not leaving and not there:
            raise Gone("no_such_email")
        if new is not None and not there:
            await self._add_email(person, new)
        for email in leaving:
            if email not in there:
                await self._deleted(DELETE_EMAIL, email=email.id)

    async def _add_email(self, person: Resource, address: str) -> None:
        try:
            await self._mas.http.call(ADD_EMAIL, body={"user_id": person.id, "email": address})
        except Rejected as error:
            codes = {400: "M_INVALID_PARAM", 409: "M_THREEPID_IN_USE"}
            raise Rejected(codes.get(error.status or 0, error.code), error.status) from error

    async def _deleted(self, endpoint: str, **path: str) -> bool:
        try:
            await self._mas.http.call(endpoint, path=path)
        except Gone:
            return False  # by an earlier attempt
        return True

    async def _person(self, user: UserId) -> Resource:
        person = await self._mas.user(user)
        if person is None:
            raise Gone("not_at_mas")
        return person


def _with_address(emails: tuple[Resource, ...], address: str | None) -> list[Resource]:
    """Return the entries for an address; upper and lower case are the same, as MAS has it."""
    return [] if address is None else [each for each in emails if _folded(each) == address.casefold()]


def _folded(email: Resource) -> str:
    return str(email.attributes.get("email")).casefold()
