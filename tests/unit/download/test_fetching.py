"""Files: whole or in part, the bytes are those that were packed; what is not whole is never taken for it."""

import asyncio
import base64
import hashlib
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientPayloadError, DummyCookieJar, ServerDisconnectedError
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import StreamResponse

from dpobot.config import DownloadConfig
from dpobot.download import sending
from dpobot.download.server import COOKIE, Downloads
from dpobot.download.shelf import Shelf
from dpobot.store.database import Database
from dpobot.text.render import Renderer
from tests.unit.download.conftest import SetClock, Web, shelved

FIRST, SECOND = "DPO-2026-0001-01.zip", "DPO-2026-0001-02.zip"
ALWAYS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def _etag(web: Web, name: str) -> str:
    return f'"{hashlib.sha256(web.plain[name]).hexdigest()}"'


async def test_a_whole_file_says_what_it_is(web: Web) -> None:
    """Kind, name, size, digest; and that parts of it may be asked for."""
    await web.open()
    response = await web.ask(f"{web.path}/{FIRST}")
    digest = base64.b64encode(hashlib.sha256(web.plain[FIRST]).digest()).decode()
    expected = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{FIRST}"',
        "Content-Length": "300000",
        "Accept-Ranges": "bytes",
        "ETag": _etag(web, FIRST),
        "Repr-Digest": f"sha-256=:{digest}:",
    }
    assert response.status == 200
    assert {name: response.headers[name] for name in expected} == expected
    assert await response.read() == web.plain[FIRST]


async def test_head_says_the_same_without_the_bytes(web: Web) -> None:
    """Also if it names a part: that is for GET alone."""
    await web.open()
    whole = await web.ask(f"{web.path}/{FIRST}")
    head = await web.ask(f"{web.path}/{FIRST}", "HEAD", Range="bytes=0-9")
    ours = ("Content-Type", "Content-Disposition", "Content-Length", "ETag", "Accept-Ranges")
    assert (head.status, await head.read()) == (200, b"")
    assert [head.headers[name] for name in ours] == [whole.headers[name] for name in ours]


async def test_any_part_equals_the_same_part_of_the_plain_file(web: Web) -> None:
    """Two hundred parts by chance, and the edges of pieces and blocks."""
    await web.open()
    dice, plain = random.Random(7), web.plain[FIRST]
    edges = [(0, 0), (0, 65_535), (65_535, 65_536), (65_536, 131_071), (262_143, 262_144), (299_999, 299_999)]
    chance = [sorted((dice.randrange(300_000), dice.randrange(300_000))) for _ in range(100)]
    for start, end in [*edges, *chance]:
        response = await web.ask(f"{web.path}/{FIRST}", Range=f"bytes={start}-{end}")
        assert (response.status, response.headers["Content-Range"]) == (206, f"bytes {start}-{end}/300000")
        assert await response.read() == plain[start : end + 1]


async def test_a_download_that_breaks_off_goes_on(web: Web) -> None:
    """As browsers do it: from where it stopped, if it is still the same file."""
    await web.open()
    plain = web.plain[FIRST]
    rest = await web.ask(f"{web.path}/{FIRST}", Range="bytes=123456-", **{"If-Range": _etag(web, FIRST)})
    assert (rest.status, await rest.read()) == (206, plain[123_456:])
    for other in (_etag(web, SECOND), "Mon, 23 Nov 2026 09:00:00 GMT", f"W/{_etag(web, FIRST)}"):
        response = await web.ask(f"{web.path}/{FIRST}", Range="bytes=123456-", **{"If-Range": other})
        assert (response.status, await response.read()) == (200, plain)
    last = await web.ask(f"{web.path}/{FIRST}", Range="bytes=-1000")
    assert (last.status, await last.read()) == (206, plain[-1000:])


async def test_a_part_that_is_not_there(web: Web) -> None:
    """416, with the size; nothing else of the file."""
    await web.open()
    for range_ in ("bytes=300000-", "bytes=300000-300001", "bytes=-0"):
        response = await web.ask(f"{web.path}/{FIRST}", Range=range_)
        assert (response.status, response.headers["Content-Range"]) == (416, "bytes */300000")
        assert await response.read() == b""


async def test_every_answer_keeps_the_link_to_itself(web: Web) -> None:
    """Not stored, not referred to, not framed, no program runs; and nothing says what software answers."""
    await web.open()
    asked: list[tuple[str, dict[str, str]]] = [
        (web.path, {}),
        (f"{web.path}/{FIRST}", {}),
        (f"{web.path}/{FIRST}", {"Range": "bytes=999999-"}),
        ("/archives/x", {}),
        ("/", {}),
    ]
    for path, headers in asked:
        response = await web.ask(path, **headers)
        assert {name: response.headers[name] for name in ALWAYS} == ALWAYS
        assert response.headers["X-Robots-Tag"].startswith("noindex")
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; base-uri 'none'")
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert "script" not in response.headers["Content-Security-Policy"]
        assert "Server" not in response.headers


async def test_the_style_is_what_the_policy_allows(web: Web) -> None:
    """By its hash: nothing that might be injected is styled, and nothing else is allowed at all."""
    response = await web.ask(web.path)
    style = (await response.text()).partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'; form-action 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("limit", [5])
async def test_who_asks_too_much_waits(web: Web) -> None:
    """Each address on its own, as the proxy names it; it is told how long."""
    here = {"X-Forwarded-For": "spoofed, 203.0.113.7"}
    statuses = [(await web.ask(web.path, **here)).status for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    response = await web.ask(web.path, **here)
    assert response.headers["Retry-After"] == "12"
    assert (await web.ask(web.path, **{"X-Forwarded-For": "other, 203.0.113.8"})).status == 200
    web.clock.moment = web.clock.moment.replace(second=12)
    assert [(await web.ask(web.path, **here)).status for _ in range(2)] == [200, 429]


async def test_one_link_fetches_a_few_files_at_a_time(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fifth is told to wait; when one is through there is room again."""
    await web.open()
    going, gate = asyncio.Semaphore(0), asyncio.Event()
    real = sending.Sender._blocks

    async def slow(*arguments: Any) -> None:
        going.release()
        await gate.wait()
        await real(*arguments)

    monkeypatch.setattr(sending.Sender, "_blocks", slow)
    four = [asyncio.create_task(web.ask(f"{web.path}/{FIRST}")) for _ in range(4)]
    for _ in four:
        await going.acquire()
    fifth = await web.ask(f"{web.path}/{SECOND}")
    assert (fifth.status, fifth.headers["Retry-After"]) == (429, "30")
    gate.set()
    assert [response.status for response in await asyncio.gather(*four)] == [200] * 4
    assert (await web.ask(f"{web.path}/{SECOND}")).status == 200


def _broken(web: Web, number: int, at: int) -> None:
    path = web.folder / str(web.case_id) / str(number)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


async def test_a_file_that_was_altered_is_not_passed_on(web: Web) -> None:
    """In its beginning: an apology. Further on: the connection ends, so that nobody takes it for the whole."""
    await web.open()
    _broken(web, 2, 100)
    assert (await web.ask(f"{web.path}/{SECOND}")).status == 503
    _broken(web, 1, 290_000)
    with pytest.raises((ClientPayloadError, ServerDisconnectedError)):
        await web.ask(f"{web.path}/{FIRST}")
    assert await web.bytes_of(FIRST, Range="bytes=0-1000") == web.plain[FIRST][:1001]


async def test_a_file_that_is_gone_or_cut_off_is_an_apology(web: Web) -> None:
    """And a line in the log that names the case."""
    await web.open()
    path = web.folder / str(web.case_id) / "1"
    path.write_bytes(path.read_bytes()[:-1])
    assert (await web.ask(f"{web.path}/{FIRST}")).status == 503
    path.unlink()
    assert (await web.ask(f"{web.path}/{FIRST}")).status == 503


async def test_breach_mode_stops_a_file_on_its_way(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked again while it goes out, not only at its beginning."""
    await web.open()
    monkeypatch.setattr(sending, "_BLOCK", 65_536)
    monkeypatch.setattr(sending, "_LOOK_EVERY", 65_536)
    real, sent = StreamResponse.write, list[int]()

    async def write(self: StreamResponse, data: bytes) -> None:
        await real(self, data)
        sent.append(len(data))
        await web.pause()  # while the first block is on its way

    monkeypatch.setattr(StreamResponse, "write", write)
    with pytest.raises((ClientPayloadError, ServerDisconnectedError)):
        await web.ask(f"{web.path}/{FIRST}")
    assert sent == [65_536]


async def test_memory_does_not_grow_with_the_file(sqlite_database: Database, tmp_path: Path, pages: Renderer) -> None:
    """Forty megabytes go through three at most."""
    folder, size = tmp_path / "downloads", 40_000_000
    case_id, secret = await shelved(sqlite_database, Shelf(folder), tmp_path, (size,))
    config = DownloadConfig(url="https://dpo.example.org")
    application = Downloads(sqlite_database, SetClock(), config, folder, pages).application()
    async with TestClient(TestServer(application), cookie_jar=DummyCookieJar()) as client:
        looked = await client.get(f"/{secret}")
        cookie = {"Cookie": f"{COOKIE}={looked.cookies[COOKIE].value}"}
        await client.post(f"/{secret}", headers=cookie)
        tracemalloc.start()
        async with client.get(f"/{secret}/{FIRST}", headers=cookie) as response:
            got = sum([len(part) async for part in response.content.iter_chunked(65_536)])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (got, case_id) == (size, 1)
    assert peak < 3_000_000
