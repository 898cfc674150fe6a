"""What every `Leftovers` keeps to, where MAS keeps the accounts: the same tests, on `MasLeftovers`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from dpobot.homeserver.mas.admin import MasAdmin
from dpobot.homeserver.mas.changes import DEACTIVATE
from dpobot.homeserver.mas.homeserver import MasHomeserver
from dpobot.homeserver.mas.leftovers import MasLeftovers
from dpobot.model.ids import UserId
from tests.contracts import test_leftovers
from tests.contracts.test_leftovers import RealErasing
from tests.live.http import Client
from tests.mas.service import Mas
from tests.mas.stand_in import Delegated

pytestmark = pytest.mark.live

globals().update({name: test for name, test in vars(test_leftovers).items() if name.startswith("test_")})


@dataclass
class DelegatedErasing(RealErasing):
    """On a Synapse that delegates its accounts: they are deactivated at MAS."""

    mas: Mas | None = None
    mas_admin: MasAdmin | None = None

    async def deactivate(self, user: UserId, *, erase: bool) -> None:
        assert self.mas is not None
        assert self.mas_admin is not None
        person = await self.mas_admin.user(user)
        assert person is not None
        await self.mas_admin.http.call(DEACTIVATE, path={"user": person.id}, body={"skip_erase": not erase})
        await self.mas.queue.done()
        await self._parted(user)


@pytest.fixture
async def stage(delegation: Delegated) -> AsyncIterator[DelegatedErasing]:
    """The stage on the stand-in and a real Synapse."""
    url, token, client = delegation.synapse.url, delegation.admin.access_token, delegation.served.client()
    homeserver = MasHomeserver(url, token, client, 0)
    leftovers = MasLeftovers(url, token, client, 0)
    async with aiohttp.ClientSession() as http:
        admin = Client(http, url, delegation.admin)
        mas = delegation.mas
        made = DelegatedErasing(delegation.synapse, admin, http, homeserver, mas.register, mas=mas, mas_admin=client)
        made.leftovers = leftovers
        yield made
    await leftovers.close()
    await homeserver.close()
