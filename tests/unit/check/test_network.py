"""What the check says of what others must reach: links, the monitoring port, the support file."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dpobot.check import checks, network
from dpobot.check.finding import Answer, Standing
from dpobot.demo.synapse import free_port
from tests.unit.check.places import named, place


async def _look(name: str, **section: dict[str, Any]) -> Answer:
    where = place()
    changed = {key: getattr(where.config, key).model_copy(update=values) for key, values in section.items()}
    where = replace(where, config=where.config.model_copy(update=changed))
    [found] = await checks.run(where, [named(network.CHECKS, name)])
    return found.answer


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[TestServer]:
    """A server that answers everything with one status and text."""
    status, text = request.param

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    application = web.Application()
    application.router.add_get("/{rest:.*}", answer)
    running = TestServer(application)
    await running.start_server()
    yield running
    await running.close()


@pytest.mark.parametrize(
    ("server", "standing", "said"),
    [
        ((200, "{}"), Standing.OK, "says that it is well"),
        ((503, "{}"), Standing.FAILED, "not well"),
        ((404, "Apache"), Standing.FAILED, "another program"),
    ],
    indirect=["server"],
)
async def test_the_monitoring_port_is_asked(server: TestServer, standing: Standing, said: str) -> None:
    """Also by somebody whose dpobot is not well."""
    answer = await _look("monitoring", monitoring={"port": server.port})
    assert (answer.standing, said in answer.sentence) == (standing, True)


async def test_nobody_on_the_monitoring_port_is_a_warning() -> None:
    """So is no port at all: nobody would notice that dpobot has stopped."""
    silent = await _look("monitoring", monitoring={"port": free_port()})
    none = await _look("monitoring")
    assert [silent.standing, none.standing] == [Standing.WARNING] * 2


@pytest.mark.parametrize("server", [(404, "This link is over.")], indirect=True)
async def test_a_link_has_to_lead_to_dpobot(server: TestServer) -> None:
    """Its own page is recognized through the proxy; without one the address does not answer."""
    inside = {"host": "127.0.0.1", "port": server.port}
    through = await _look("downloads", download=inside | {"url": f"http://127.0.0.1:{server.port}/archives"})
    assert through.standing is Standing.OK
    nowhere = await _look("downloads", download=inside | {"url": f"http://127.0.0.1:{free_port()}/archives"})
    assert nowhere.standing is Standing.WARNING


@pytest.mark.parametrize("server", [(404, "Apache")], indirect=True)
async def test_an_address_that_leads_elsewhere_is_told(server: TestServer) -> None:
    """Somebody who follows a link would find another program's page."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(status=404, text="This link is over.")

    application = web.Application()
    application.router.add_get("/{rest:.*}", page)
    async with TestServer(application) as ours:
        wrong = {"host": "127.0.0.1", "port": ours.port, "url": f"http://127.0.0.1:{server.port}/archives"}
        assert (await _look("downloads", download=wrong)).standing is Standing.FAILED
    stopped = await _look("downloads", download=wrong)
    assert stopped.standing is Standing.UNSEEN


async def test_a_server_without_a_support_file_is_warned() -> None:
    """It is no failure: people find the bot elsewhere, too. The cure names the command that prints the file."""
    asked = {"timeout_seconds": 2, "private_addresses": True}
    answer = await _look("support file", matrix={"user_id": "@dpo:127.0.0.1:9"}, notices=asked)
    assert (answer.standing, "dpobot support" in answer.cure) == (Standing.WARNING, True)
