"""The running part: it listens where the configuration says, until cancelled, and writes nothing down of who asks."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import ClientSession, DummyCookieJar

from dpobot.config import DownloadConfig
from dpobot.download.server import COOKIE, Downloads
from dpobot.errors import ConfigurationError
from dpobot.text.render import Renderer
from tests.unit.download.conftest import Web

FIRST = "DPO-2026-0001-01.zip"


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    assert isinstance(number, int)
    return number


def _part(web: Web, pages: Renderer, **config: object) -> Downloads:
    return Downloads(web.database, web.clock, DownloadConfig.model_validate(config), web.folder, pages)


@pytest.fixture
async def address(web: Web, pages: Renderer, port: int) -> AsyncIterator[str]:
    """Where it runs."""
    serving = asyncio.create_task(_part(web, pages, url="https://dpo.example.org/archives", port=port).run())
    while not await _listens(port):
        await asyncio.sleep(0)
    yield f"http://127.0.0.1:{port}"
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert (serving.cancelled(), await _listens(port)) == (True, False)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_nothing_of_a_request_is_logged(web: Web, address: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither secret nor cookie, neither name nor address; also not of requests that are none."""
    caplog.set_level(logging.DEBUG)
    path, there = f"/archives/{web.secret}", {"X-Forwarded-For": "203.0.113.7"}
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        async with session.get(address + path, headers=there) as looked:
            cookie = looked.cookies[COOKIE].value
        held = {**there, "Cookie": f"{COOKIE}={cookie}"}
        async with session.post(address + path, headers=held) as opened:
            assert opened.status == 200
        async with session.get(f"{address}{path}/{FIRST}", headers=held) as file:
            assert await file.read() == web.plain[FIRST]
    for line in (f"GET {path}\x01 HTTP/9.9\r\n\r\n", f"{web.secret}\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(line.encode())
        assert b" 400 " in await reader.read(100)
        writer.close()
        await writer.wait_closed()
    said = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith(("aiosqlite", "asyncio")))
    planted = (web.secret, cookie, FIRST, "203.0.113.7", "127.0.0.1")
    assert [word for word in planted if word in said] == []


async def test_a_port_that_is_taken_is_named(web: Web, pages: Renderer, address: str) -> None:
    """Waiting does not mend it where another program has it: the admin is told which keys to change."""
    other = replace(web, folder=web.folder.with_name("elsewhere"))
    port = int(address.rpartition(":")[2])
    with pytest.raises(ConfigurationError, match=r"download\.host, download\.port: can't listen on 127"):
        await _part(other, pages, url="https://dpo.example.org", port=port).run()


async def test_without_a_public_address_nothing_listens(web: Web, pages: Renderer, port: int) -> None:
    """Everything comes into the room then."""
    silent = asyncio.create_task(_part(web, pages, port=port).run())
    await asyncio.sleep(0)
    assert (await _listens(port), silent.done()) == (False, False)
    silent.cancel()
    await asyncio.gather(silent, return_exceptions=True)


async def test_the_next_process_takes_over(
    web: Web, pages: Renderer, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What served ends, whatever ended it: another one of the same machine gives out the same links."""
    monkeypatch.setattr("dpobot.download.alone._PAUSE", 0.0)
    config = {"url": "https://dpo.example.org/archives", "port": port}
    first, second = (asyncio.create_task(_part(web, pages, **config).run()) for _ in range(2))
    for ending in (first, second):
        while not await _listens(port):
            await asyncio.sleep(0)
        async with ClientSession(cookie_jar=DummyCookieJar()) as session:
            looked = await session.get(f"http://127.0.0.1:{port}{web.path}")
        assert looked.status == 200
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
    assert not await _listens(port)
