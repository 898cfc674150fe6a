"""The throwaway homeserver itself."""

import pytest

from dpobot.demo.synapse import Synapse
from tests.live.conftest import Register

pytestmark = pytest.mark.live


async def test_a_registered_account_is_known_to_the_server(synapse: Synapse, register: Register) -> None:
    """whoami answers with the account that was registered."""
    person = await register("anna")
    answer = await synapse.request("GET", "/_matrix/client/v3/account/whoami", person.access_token)
    assert answer["user_id"] == person.user_id
