"""A link to two volumes on a real database, and a browser that asks for it over a real connection."""

import hashlib
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientResponse, DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from dpobot.config import DownloadConfig, parse
from dpobot.download import token
from dpobot.download.server import COOKIE, Downloads
from dpobot.download.shelf import Shelf
from dpobot.model.ids import UserId
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import bot_state, cases, downloads, people, volumes
from dpobot.store.database import Database, Tx
from dpobot.text.render import Renderer, templates_folder
from tests.test_shape import example

ANNA = UserId("@anna:example.org")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOURS = 48
SIZES = (300_000, 65_536)  # bytes of the volumes: several blocks, and exactly one piece
HTML = {"Accept": "text/html"}


@dataclass
class SetClock:
    """A clock that is set by hand."""

    moment: datetime = NOW

    def now(self) -> datetime:
        """Return what it shows."""
        return self.moment


def content(number: int, size: int) -> bytes:
    """Return the bytes of a volume, always the same."""
    return random.Random(number).randbytes(size)


@dataclass
class Web:
    """A link, and whoever asks for it."""

    client: TestClient[Request, Application]
    database: Database
    clock: SetClock
    shelf: Shelf
    folder: Path
    case_id: int
    secret: str
    plain: Mapping[str, bytes] = field(repr=False)  # name -> bytes
    cookie: str | None = None

    @property
    def path(self) -> str:
        """Where the link leads."""
        return f"/archives/{self.secret}"

    async def ask(self, path: str, method: str = "GET", cookie: str | None = None, **headers: str) -> ClientResponse:
        """Ask as a browser does that holds ``cookie``, or else the one of this link. The answer is read already."""
        held = cookie if cookie is not None else self.cookie
        sent = {**headers, **({"Cookie": f"{COOKIE}={held}"} if held else {})}
        response = await self.client.request(method, path, headers=sent, allow_redirects=False)
        await response.read()
        return response

    async def open(self) -> str:
        """Look at the page and press its button; return what the browser holds then."""
        looked = await self.ask(self.path)
        self.cookie = looked.cookies[COOKIE].value
        assert (await self.ask(self.path, "POST")).status == 303
        return self.cookie

    async def bytes_of(self, name: str, **headers: str) -> bytes:
        """Fetch a volume, or a part of it."""
        return await (await self.ask(f"{self.path}/{name}", **headers)).read()

    async def pause(self, *, on: bool = True) -> None:
        """Switch breach mode on, or off."""

        async def switch(tx: Tx) -> None:
            if on:
                await bot_state.set(tx, bot_state.DELIVERIES_PAUSED, NOW.isoformat())
            else:
                await bot_state.drop(tx, bot_state.DELIVERIES_PAUSED)

        await self.database.write(switch)

    async def download(self) -> downloads.Download:
        """Return the link's row."""
        found = await self.database.read(lambda tx: downloads.of_case(tx, self.case_id))
        assert found is not None
        return found


async def new_case(tx: Tx, number: int = 1, state: CaseState = CaseState.DELIVERED) -> int:
    """Add an export of Anna's."""
    await people.ensure(tx, ANNA, NOW)
    values = {
        "reference": f"DPO-2026-{number:04d}",
        "person": ANNA,
        "kind": Kind.EXPORT,
        "state": state,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "options": {},
        "received_at": NOW,
        "due_at": NOW,
        "updated_at": NOW,
    }
    return (await cases.add(tx, values)).id


async def shelved(database: Database, shelf: Shelf, folder: Path, sizes: tuple[int, ...] = SIZES) -> tuple[int, str]:
    """Put volumes behind a new link; return the case and the link's secret."""
    secret = token.new_token()

    async def promise(tx: Tx) -> int:
        case_id = await new_case(tx)
        until = NOW + timedelta(hours=HOURS)
        await downloads.promise(tx, case_id, secret, token.hash_of(secret), now=NOW, expires_at=until)
        return case_id

    case_id = await database.write(promise)
    for number, size in enumerate(sizes, 1):
        data, source = content(number, size), folder / f"plain{number}"
        source.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        shelf.put(case_id, secret, number, source, size, digest)
        name = f"DPO-2026-0001-{number:02d}.zip"
        await database.write(partial(volumes.put, case_id=case_id, number=number, size=size, sha256=digest, name=name))
    return case_id, secret


@pytest.fixture(scope="session")
def pages() -> Renderer:
    """All templates, compiled once."""
    return Renderer(templates_folder(), {"operator": parse(example()).operator, "bot": "@dpo:x", "commands": []})


@pytest.fixture
def limit() -> int:
    """Requests of one address in a minute."""
    return 1000


@pytest.fixture
async def web(sqlite_database: Database, tmp_path: Path, pages: Renderer, limit: int) -> AsyncIterator[Web]:
    """The link to two volumes."""
    clock, folder = SetClock(), tmp_path / "downloads"
    config = DownloadConfig(url="https://dpo.example.org/archives", requests_per_minute=limit)
    shelf = Shelf(folder)
    case_id, secret = await shelved(sqlite_database, shelf, tmp_path)
    server = TestServer(Downloads(sqlite_database, clock, config, folder, pages).application(), access_log=None)
    async with TestClient(server, cookie_jar=DummyCookieJar()) as client:
        plain = {f"DPO-2026-0001-{n:02d}.zip": content(n, size) for n, size in enumerate(SIZES, 1)}
        yield Web(client, sqlite_database, clock, shelf, folder, case_id, secret, plain)
