"""An archive of many volumes: one link in the room, one browser that fetches it, and then nothing of it is left."""

import hashlib
import io
import json
import random
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from dpobot.delivery.rooms import find
from dpobot.download.server import COOKIE
from dpobot.errors import Unavailable
from dpobot.model.ids import RoomId
from dpobot.store.database import Database
from dpobot.store.seal import Seal
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.matrix import FakeServer
from tests.flow.conftest import ANNA, BERT, world
from tests.flow.planted import BODY
from tests.flow.power import Power
from tests.flow.stage import BOT, Stage, StageHomeserver, play
from tests.flow.team import DORA, Team, code
from tests.flow.test_exactly_once import _life

LINKED: dict[str, Any] = {
    "download": {"url": "https://dpo.example/archives", "above_volumes": 1, "hours": 48},
    "export": {"volume_megabytes": 1},
}
_LINK = re.compile(r"https://dpo\.example(/archives/[A-Za-z0-9_-]{43})\b")
_FILES = 3  # of Anna's, each more than half a volume
_MEDIA = [random.Random(number).randbytes(600_000) for number in range(_FILES)]


@pytest.fixture
def sections() -> dict[str, Any]:
    """Archives of more than one volume come as a link."""
    return LINKED


@pytest.fixture
async def stage(
    sqlite_database: Database, data: Path, server: FakeServer, homeserver: StageHomeserver
) -> AsyncIterator[Stage]:
    """The bot with its door to the web; Anna has said something, and sent more than a volume holds."""
    async with play(sqlite_database, data, server, homeserver, **LINKED) as opened:
        _fill(opened.homeserver)
        yield opened


def _fill(homeserver: FakeHomeserver) -> None:
    """Let Anna have files for several volumes; Bert was there, too."""
    room = homeserver.add_room(RoomId("!books:dpobot.test"))
    for person in (ANNA, BERT):
        homeserver.set_membership(room, person, "join")
        homeserver.say(room, person, f"{BODY} of {person}")
    for data in _MEDIA:
        homeserver.upload(ANNA, data, "film.bin", "application/octet-stream")


def _links(stage: Stage, room_id: RoomId) -> list[str]:
    """Return the path of the link in each message that has one and has not been redacted."""
    heard = [str(event.content.get("body", "")) for event in stage.server.heard(room_id, BOT)]
    return [found[1] for said in heard if (found := _LINK.search(said))]


def _everywhere(stage: Stage) -> list[str]:
    """Return the links in all rooms."""
    return [path for room_id in stage.server.rooms for path in _links(stage, room_id)]


def _kept(stage: Stage) -> list[Path]:
    """Return the files that wait for a browser."""
    return sorted(path for path in (stage.data / "downloads").rglob("*") if path.is_file() and path.name != "link")


@dataclass
class Browser:
    """Somebody's browser at the bot's door, behind the proxy that speaks TLS."""

    client: TestClient[Request, Application]
    cookie: str = ""

    async def ask(self, path: str, method: str = "GET") -> ClientResponse:
        """Ask for something; the answer is read already. What is given to be held is held."""
        headers = {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        response = await self.client.request(method, path, headers=headers, allow_redirects=False)
        await response.read()
        if COOKIE in response.cookies:
            self.cookie = response.cookies[COOKIE].value
        return response

    async def claim(self, path: str) -> list[str]:
        """Look at the page, press its button, and return the addresses of the files."""
        assert (await self.ask(path)).status == 200
        pressed = await self.ask(path, "POST")
        assert (pressed.status, pressed.headers["Location"]) == (303, path.rpartition("/")[2])
        text = await (await self.ask(path)).text()
        return [f"{path.rpartition('/')[0]}/{href}" for href in re.findall(r'href="([^"]+)" download', text)]

    async def statuses(self, *paths: str) -> list[int]:
        """Return how each is answered."""
        return [(await self.ask(path)).status for path in paths]


@asynccontextmanager
async def _browser(stage: Stage) -> AsyncIterator[Browser]:
    server = TestServer(stage.bot.downloads.application(), access_log=None)
    async with TestClient(server, cookie_jar=DummyCookieJar()) as client:
        yield Browser(client)


async def _fetched(stage: Stage, browser: Browser, path: str) -> list[bytes]:
    """Claim a link and fetch all that lies behind it: it is what the database says that was packed."""
    found = [await (await browser.ask(file)).read() for file in await browser.claim(path)]
    assert [(len(data), hashlib.sha256(data).hexdigest()) for data in found] == [
        (row["size"], row["sha256"]) for row in await stage.rows("volume")
    ]
    return found


def _unpacked(volumes: list[bytes]) -> list[tuple[str, bytes]]:
    """Return the files of all volumes; each has what its manifest says."""
    found: list[tuple[str, bytes]] = []
    for data in volumes:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = {name: archive.read(name) for name in archive.namelist()}
        listed = json.loads(inside["manifest.json"])["files"]
        assert [each["path"] for each in listed] != []
        for each in listed:
            assert hashlib.sha256(inside[each["path"]]).hexdigest() == each["sha256"]
        found += inside.items()
    return found


def _words(files: list[tuple[str, bytes]]) -> list[str]:
    """Return the texts of all messages."""
    lines = [line for name, data in files if name.endswith("events.jsonl") for line in data.splitlines()]
    return [json.loads(line)["content"]["body"] for line in lines]


def _has_media(files: list[tuple[str, bytes]]) -> bool:
    """Say whether each of Anna's files is there, once."""
    held = [data for name, data in files if "media/" in name]
    return [held.count(each) for each in _MEDIA] == [1] * _FILES


async def test_anna_follows_a_link(stage: Stage) -> None:
    """One message and no file in the room; her browser gets all volumes; after `received` nothing is left anywhere."""
    room_id = await stage.meet(ANNA)
    said = await stage.ask(room_id, ANNA, "export")
    (path,) = _links(stage, room_id)
    assert (stage.files(room_id), stage.server.media, stage.spooled()) == ([], {}, [])
    assert sum("Your data is here" in each for each in said) == 1
    assert await stage.states() == ["delivered"]
    async with _browser(stage) as browser:
        volumes = await _fetched(stage, browser, path)
        assert len(volumes) >= _FILES
        files = _unpacked(volumes)
        assert (_words(files), _has_media(files)) == ([f"{BODY} of {ANNA}"], True)
        assert [name for name, data in files if f"of {BERT}".encode() in data] == []
        assert len(_kept(stage)) == len(volumes)
        file = f"{path}/{(await stage.rows('volume'))[0]['name']}"
        assert await browser.statuses(path, file) == [200, 200]
        (thanks,) = await stage.ask(room_id, ANNA, "received")
        assert "being deleted" in thanks
        assert await browser.statuses(path, file) == [404, 404]
    assert (_links(stage, room_id), list((stage.data / "downloads").iterdir())) == ([], [])
    assert await stage.states() == ["closed"]


async def test_what_waits_here_is_ciphertext_and_its_key_is_with_anna(stage: Stage) -> None:
    """Neither words nor the marks of a ZIP lie in the folder; the link's secret is nowhere on this machine."""
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export")
    secret = _links(stage, room_id)[0].rpartition("/")[2]
    kept = [path.read_bytes() for path in _kept(stage)]
    assert len(kept) >= _FILES
    assert [mark for mark in (b"PK\x03\x04", b"manifest", BODY.encode()) if any(mark in data for data in kept)] == []
    (row,) = await stage.rows("download")
    assert (row["sealed"], row["token_hash"]) == (None, hashlib.sha256(secret.encode()).hexdigest())
    assert [name for name in ("job_step", "audit", "outbox", "job") if secret in str(await stage.rows(name))] == []


async def test_a_link_that_nobody_follows(stage: Stage) -> None:
    """At the end of its time its files and its message are gone, and the case is closed."""
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export")
    (path,) = _links(stage, room_id)
    async with _browser(stage) as browser:
        await stage.pass_time(hours=47)
        assert await browser.statuses(path) == [200]
        await stage.pass_time(hours=1)
        assert await browser.statuses(path) == [404]
    assert (_kept(stage), _links(stage, room_id)) == ([], [])
    assert await stage.states() == ["closed"]


async def test_the_server_is_away_when_the_message_is_to_go(stage: Stage) -> None:
    """The files and the link are gone at once; the message, which leads nowhere by then, as soon as it can be."""
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export")
    stage.server.faults["redact"] = stage.away(1)
    await stage.ask(room_id, ANNA, "received")
    (path,) = _links(stage, room_id)
    async with _browser(stage) as browser:
        assert (await browser.statuses(path), _kept(stage)) == ([404], [])
    await stage.pass_time(minutes=1)
    assert (_links(stage, room_id), await stage.states()) == ([], ["closed"])


async def test_few_volumes_come_into_the_room(
    sqlite_database: Database, data: Path, server: FakeServer, homeserver: StageHomeserver
) -> None:
    """As many as the room may hold: files there, no link."""
    few = LINKED["download"] | {"above_volumes": 10}
    async with play(sqlite_database, data, server, homeserver, **LINKED | {"download": few}) as stage:
        _fill(stage.homeserver)
        room_id = await stage.meet(ANNA)
        await stage.ask(room_id, ANNA, "export")
        assert len(stage.files(room_id)) == len(await stage.rows("volume")) >= _FILES
        assert (_everywhere(stage), await stage.rows("download"), _kept(stage)) == ([], [], [])


async def _delivered_elsewhere(stage: Stage, old: RoomId) -> None:
    """Anna hears in a new room that her data waits, accepts, and gets the link there."""
    await stage.pass_time(minutes=1)
    assert _everywhere(stage) == []
    (new,) = (
        room_id
        for room_id, room in stage.server.rooms.items()
        if room_id != old and room.members.get(ANNA) == "invite" and room.members.get(BOT) == "join"
    )
    stage.server.join(new, ANNA)
    await stage.settle()
    assert (len(_links(stage, new)), len(_everywhere(stage)), stage.files(new)) == (1, 1, [])
    assert await stage.states() == ["delivered"]


async def test_a_third_person_is_in_the_room(stage: Stage) -> None:
    """Bert has come while the archive was made: he never sees the link."""
    room_id = await stage.meet(ANNA)
    stage.homeserver.fault("own_events", Unavailable("http_502"))
    await stage.ask(room_id, ANNA, "export")
    stage.server.join(room_id, BERT)
    await stage.pass_time(minutes=1)
    assert (await stage.states(), _everywhere(stage)) == (["working"], [])
    await _delivered_elsewhere(stage, room_id)


async def test_who_comes_between_the_look_and_the_sending_gets_no_key(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room was safe when it was looked at: the link is encrypted for Anna and the bot only."""
    room_id = await stage.meet(ANNA)

    async def look_and_let_in(*rooms: Any, **more: Any) -> RoomId | None:
        found = await find(*rooms, **more)
        stage.server.join(room_id, BERT)
        return found

    monkeypatch.setattr("dpobot.jobs.way_out.find", look_and_let_in)
    await stage.ask(room_id, ANNA, "export")
    assert (await stage.states(), _everywhere(stage)) == (["working"], [])
    monkeypatch.undo()
    await _delivered_elsewhere(stage, room_id)


async def test_breach_mode_shuts_the_door(team: Team) -> None:
    """A link that is out is answered with "later", one that is not stays here; afterwards both are as they were."""
    stage = team.stage
    _fill(stage.homeserver)
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export")
    (path,) = _links(stage, room_id)
    for data in _MEDIA:
        stage.homeserver.upload(BERT, data[::-1], "other.bin", "application/octet-stream")
    berts = await stage.meet(BERT)
    async with _browser(stage) as browser:
        files = await browser.claim(path)
        await team.says(DORA, "pause-deliveries a suspicion")
        assert await browser.statuses(path, *files) == [503] * (1 + len(files))
        await stage.ask(berts, BERT, "export")
        assert (_links(stage, berts), await stage.states()) == ([], ["delivered", "working"])
        await team.says(DORA, code(await team.says(DORA, "resume-deliveries")))
        assert await browser.statuses(path, *files) == [200] * (1 + len(files))
    assert (len(_links(stage, berts)), len(_everywhere(stage))) == (1, 2)


async def test_cancelled_before_the_link_was_sent(stage: Stage) -> None:
    """All is encrypted and waits for a safe room: after `cancel` nothing of it is left."""
    second = await stage.meet(BERT)
    room_id = await stage.meet(ANNA)
    stage.homeserver.fault("own_events", Unavailable("http_502"))
    await stage.ask(room_id, ANNA, "export")
    stage.server.join(room_id, BERT)
    await stage.pass_time(minutes=1)
    assert len(_kept(stage)) >= _FILES
    stage.server.member(room_id, BERT, "leave")
    stage.server.text(room_id, ANNA, "cancel")
    await stage.settle()
    await stage.pass_time(minutes=10)
    assert (await stage.states(), _kept(stage), stage.spooled()) == (["withdrawn"], [], [])
    assert (_everywhere(stage), _links(stage, second)) == ([], [])


# effects before the end of a life; then what the next one finds: files, their rows, links in the room, whether noted
_CUTS = {
    16: (0, 0, 0, [False]),  # the link is promised
    14: (1, 1, 0, [False]),  # a file is encrypted, and noted
    8: (3, 3, 0, [False]),  # all is ready
    7: (3, 3, 1, [False]),  # the link is out, and nobody knows of it
    6: (3, 3, 1, [True]),
}


async def test_the_power_may_go_on_the_way_to_the_link(
    tmp_path: Path, sqlite_template: Path, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever the bot dies, the next life sends the link if it is not there; it opens all, and there is one."""
    monkeypatch.setattr("dpobot.engine.turns._LOOK_AGAIN", 0.0)
    power, found = Power(), {}
    for before_end in (0, *_CUTS):
        life = Power(power.spent - before_end) if before_end else power
        folder = tmp_path / str(before_end)
        async with _fresh(folder, sqlite_template, seal) as database:
            found[before_end] = await _die_and_send(database, folder, life)
    assert found == {0: (3, 3, 1, [True])} | _CUTS


@asynccontextmanager
async def _fresh(folder: Path, template: Path, seal: Seal) -> AsyncIterator[Database]:
    folder.mkdir(mode=0o700)
    (folder / "dpobot.sqlite").write_bytes(template.read_bytes())
    database = Database(f"sqlite+aiosqlite:///{folder / 'dpobot.sqlite'}", seal)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _die_and_send(database: Database, folder: Path, power: Power) -> tuple[int, int, int, list[bool]]:
    """Return what the first life left."""
    server = FakeServer()
    homeserver = world(server)
    _fill(homeserver)
    room_id = server.room(ANNA, BOT)
    server.text(room_id, ANNA, "export media")
    async with play(database, folder, server, homeserver, power, **LINKED) as stage:
        await _life(stage)
        noted = [row["sent_at"] is not None for row in await stage.rows("download")]
        left = len(_kept(stage)), len(await stage.rows("volume")), len(_everywhere(stage)), noted
    async with play(database, folder, server, homeserver, **LINKED) as stage:
        await _lives_on(stage)
        assert (left, await stage.states(), len(_everywhere(stage))) == (left, ["delivered"], 1)
        assert (left, stage.spooled(), len(_kept(stage))) == (left, [], len(await stage.rows("volume")))
        async with _browser(stage) as browser:
            volumes = await _fetched(stage, browser, _links(stage, room_id)[0])
            assert (left, _has_media(_unpacked(volumes))) == (left, True)
    return left


async def _lives_on(stage: Stage) -> None:
    await stage.settle()
    await stage.pass_time(minutes=1)
    await stage.pass_time(minutes=1)


async def test_the_power_may_go_after_received(
    sqlite_database: Database,
    data: Path,
    server: FakeServer,
    homeserver: StageHomeserver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Life after life, each a bit longer: the case is closed, the files go, then the message, and nothing comes back.

    How far the files are when a life ends is chance: they are deleted beside it.
    """
    monkeypatch.setattr("dpobot.engine.turns._LOOK_AGAIN", 0.0)
    _fill(homeserver)
    async with play(sqlite_database, data, server, homeserver, **LINKED) as stage:
        room_id = await stage.meet(ANNA)
        await stage.ask(room_id, ANNA, "export media")
        (path,) = _links(stage, room_id)
    server.text(room_id, ANNA, "received")
    seen: dict[tuple[str, int, int], None] = {}
    for cut in (0, 2, 4, *range(12)):  # first until it is heard, then from the beginning of what follows
        async with play(sqlite_database, data, server, homeserver, Power(cut), **LINKED) as stage:
            await _life(stage)
            seen[(await stage.states())[0], len(_kept(stage)), len(_everywhere(stage))] = None
    states, files, links = zip(*seen, strict=True)
    assert [list(dict.fromkeys(each)) for each in (states, links)] == [["delivered", "closed"], [1, 0]]
    assert (files[0], files[-1], list(files)) == (3, 0, sorted(files, reverse=True))
    assert [kept for kept, link in zip(files, links, strict=True) if not link] == [0]
    async with play(sqlite_database, data, server, homeserver, **LINKED) as stage:
        await _lives_on(stage)
        assert (await stage.states(), _kept(stage), _everywhere(stage)) == (["closed"], [], [])
        assert sum("being deleted" in said for said in stage.said(room_id)) == 1
        async with _browser(stage) as browser:
            assert await browser.statuses(path) == [404]
