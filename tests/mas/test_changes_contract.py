"""What every `Changes` keeps to, where MAS keeps the accounts: the same tests, on `MasChanges`."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from dpobot.homeserver.mas.changes import MasChanges
from dpobot.homeserver.mas.homeserver import MasHomeserver
from dpobot.model.ids import UserId
from tests.contracts import test_changes
from tests.contracts.changing_stage import Real
from tests.live.http import Client
from tests.mas.service import Mas
from tests.mas.stand_in import Delegated

pytestmark = pytest.mark.live

globals().update({name: test for name, test in vars(test_changes).items() if name.startswith("test_")})


class Settled(MasChanges):
    """Waits until MAS has told Synapse: it answers before."""

    mas: Mas

    async def set_email(self, user: UserId, old: str | None, new: str | None) -> None:
        await super().set_email(user, old, new)
        await self.mas.queue.done()


@dataclass
class DelegatedStage(Real):
    """On a Synapse that delegates its accounts: MAS registers and locks."""

    mas: Mas | None = None

    async def person(self, name: str) -> UserId:
        assert self.mas is not None
        made = await self.mas.register(f"p{secrets.token_hex(4)}", name)
        self._people[made.user_id] = Client(self.http, self.synapse.url, made)
        return UserId(made.user_id)

    async def lock(self, user: UserId) -> None:
        assert self.mas is not None
        person = self.mas.user(user.removeprefix("@").partition(":")[0])
        person.attributes["locked_at"] = person.attributes["created_at"]
        self.mas.provision_later(person)
        await self.mas.queue.done()


@pytest.fixture
async def stage(delegation: Delegated) -> AsyncIterator[DelegatedStage]:
    """The stage on the stand-in and a real Synapse."""
    url, token, client = delegation.synapse.url, delegation.admin.access_token, delegation.served.client()
    homeserver, changes = MasHomeserver(url, token, client, 0), Settled(url, token, client, 0)
    changes.mas = delegation.mas
    async with aiohttp.ClientSession() as http:
        admin = Client(http, url, delegation.admin)
        yield DelegatedStage(delegation.synapse, admin, http, homeserver, changes, mas=delegation.mas)
    await changes.close()
    await homeserver.close()
