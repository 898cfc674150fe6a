"""Synapse with MAS beside it as a `Homeserver`: what Synapse holds, what MAS holds, and the state that counts."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from dpobot.clock import Clock
from dpobot.errors import Gone
from dpobot.homeserver.api import Account, Collected
from dpobot.homeserver.categories import CATEGORIES as SYNAPSE_CATEGORIES
from dpobot.homeserver.category import Category, Subject
from dpobot.homeserver.http import JSON_API, Pause
from dpobot.homeserver.mas import lender
from dpobot.homeserver.mas.admin import NAMED, SITE, MasAdmin, Resource
from dpobot.homeserver.mas.categories import CATEGORIES as MAS_CATEGORIES
from dpobot.homeserver.mas.categories import JOINT, Joint
from dpobot.homeserver.mas.credentials import TOKEN
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.model.ids import UserId

CATEGORIES: Mapping[str, Category] = MappingProxyType(
    {
        category.name: category
        for category in sorted(
            (*SYNAPSE_CATEGORIES.values(), *MAS_CATEGORIES.values()),
            key=lambda each: (each.missing is not None, each.name),
        )
    }
)

# what each method asks MAS for, beside what it asks Synapse for; `collect`: what its categories declare
ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "account": (TOKEN, SITE, NAMED),
    "collect": (TOKEN, SITE, NAMED, *lender.ENDPOINTS),
    "rooms": (TOKEN, SITE, NAMED, *lender.ENDPOINTS),
    "visible_events": (TOKEN, SITE, NAMED, *lender.ENDPOINTS),
}


class MasHomeserver(SynapseHomeserver):
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

    @property
    def categories(self) -> Sequence[str]:
        """Names of the account-level categories, in the order of the archive."""
        return tuple(CATEGORIES)

    async def account(self, user: UserId) -> Account | None:
        """Return the account, or None if neither knows that name (also for remote users).

        Locked is what MAS says: Synapse's own lock has no effect here. Deactivated is what either says.
        """
        known, person = await super().account(user), await self._mas.user(user)
        if person is None:
            return known  # such as one of an application service, which nobody logs in to
        if known is None:
            known = Account(user, None, deactivated=False, locked=False, suspended=False, erased=False)
        return _with(known, person)

    async def collect(self, category: str, user: UserId) -> Collected:
        """Return what one category holds: allow-listed fields only. Raises `KeyError` for an unknown name."""
        if category in MAS_CATEGORIES:
            return replace(await self._held(MAS_CATEGORIES[category], user), title=MAS_CATEGORIES[category].title)
        held = await super().collect(category, user)
        if category in JOINT:
            return _joined(JOINT[category], await self._held(JOINT[category].category, user), held)
        return held

    async def _held(self, category: Category, user: UserId) -> Collected:
        if category.ask is None:
            return await category.collect(Subject(user, self._mas.http))
        if not await self._is_local(user):
            return Collected(category.name, (), missing="account_remote")
        person = await self._mas.user(user)
        if person is None:
            return Collected(category.name, (), missing="account_unknown")
        try:
            return await category.collect(Subject(UserId(person.id), self._mas.http))
        except Gone as error:
            if error.code != JSON_API:
                raise
            return Collected(category.name, (), missing="account_unknown")  # went while we asked


def _joined(joint: Joint, mas: Collected, synapse: Collected) -> Collected:
    """Return what MAS holds, and what Synapse holds beyond it; missing only if neither could be asked."""
    if mas.missing is not None:
        return synapse
    known = {record.get(joint.key) for record in mas.records}
    beyond = tuple(record for record in synapse.records if record.get(joint.synapse_key) not in known)
    return replace(synapse, records=mas.records + beyond, missing=None)


def _with(account: Account, person: Resource) -> Account:
    return replace(
        account,
        created_at=min(filter(None, (account.created_at, _moment(person, "created_at"))), default=None),
        deactivated=account.deactivated or person.has("deactivated_at"),
        locked=person.has("locked_at"),
    )


def _moment(person: Resource, attribute: str) -> datetime | None:
    text = person.attributes.get(attribute)
    return datetime.fromisoformat(text) if isinstance(text, str) else None
