"""The interop ring: the homeserver of the live ring, and people whose client nobody of this project wrote."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from dpobot.demo.synapse import Synapse
from tests.interop import node
from tests.interop.driver import JsPerson
from tests.live.bot import start_bot
from tests.live.conftest import Register, admin, register, synapse

__all__ = ["admin", "register", "start_bot", "synapse"]  # fixtures of the live ring, shared

MakePerson = Callable[..., Awaitable[JsPerson]]


@pytest.fixture(scope="session")
def js_node() -> str:
    """The path of a Node that is new enough, with the client's packages installed; a clear failure otherwise."""
    try:
        found = node.find()
        node.install(found)
    except node.NodeMissing as error:
        pytest.fail(str(error), pytrace=False)
    return found.node


@pytest.fixture
async def js_person(js_node: str, synapse: Synapse, register: Register) -> AsyncIterator[MakePerson]:
    """Make people: `await js_person("vic", mode="signed")` registers an account and logs in; see `JsPerson.start`."""
    started: list[JsPerson] = []

    async def make(prefix: str = "person", **options: object) -> JsPerson:
        account = await register(prefix)
        person = await JsPerson.launch(js_node)
        started.append(person)
        await person.start(synapse.url, account.user_id, account.password, **options)  # type: ignore[arg-type] # passed through
        return person

    yield make
    for person in started:
        await person.stop()
