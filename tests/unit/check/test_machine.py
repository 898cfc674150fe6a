"""What the check says of this machine: who may read what, and the clock and uploads beside the homeserver's."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dpobot import config
from dpobot.check import checks, machine
from dpobot.check.finding import Answer, Bot, Place, Standing
from dpobot.matrix.http import Http
from dpobot.model.ids import UserId
from tests.test_shape import example
from tests.unit.check.places import NOW, Stopped, named, place


@pytest.fixture
def installed(tmp_path: Path) -> Place:
    """A place with all its files, each for its owner alone."""
    for name in ("secrets", "data", "data/matrix"):
        (tmp_path / name).mkdir(mode=0o700)
    for name in (
        "secrets/password",
        "secrets/token",
        "data/seal.keys",
        "data/dpobot.sqlite",
        "data/matrix/device.json",
    ):
        (tmp_path / name).touch(mode=0o600)
    raw = example()
    for section, key, path in (
        ("matrix", "password_file", "secrets/password"),
        ("homeserver", "admin_token_file", "secrets/token"),
        ("data", "directory", "data"),
    ):
        part = raw[section]
        assert isinstance(part, dict)
        part[key] = str(tmp_path / path)
    return replace(place(), config=config.parse(raw))


async def _look(where: Place, name: str) -> Answer:
    [found] = await checks.run(where, [named(machine.CHECKS, name)])
    return found.answer


@pytest.mark.parametrize(
    "path",
    ["secrets/password", "secrets/token", "data/seal.keys", "data/dpobot.sqlite", "data/matrix/device.json", "data"],
)
async def test_what_others_may_read_is_named_with_the_command_that_ends_it(
    path: str, installed: Place, tmp_path: Path
) -> None:
    """Keys, secrets, the database, and the folder itself."""
    assert (await _look(installed, "secrets")).standing is Standing.OK
    (tmp_path / path).chmod(0o750)
    answer = await _look(installed, "secrets")
    assert (answer.standing, answer.cure) == (Standing.FAILED, f"chmod go= {tmp_path / path}")


async def test_a_secret_that_is_named_but_not_there_is_told(installed: Place, tmp_path: Path) -> None:
    """By its key."""
    (tmp_path / "secrets/password").unlink()
    answer = await _look(installed, "secrets")
    assert (answer.standing, "matrix.password_file" in answer.sentence) == (Standing.FAILED, True)


async def test_room_on_the_disk_is_measured_before_anything_ran(installed: Place, tmp_path: Path) -> None:
    """Of the folder that will hold it."""
    data = installed.config.data.model_copy(update={"directory": tmp_path / "not" / "yet"})
    answer = await _look(replace(installed, config=installed.config.model_copy(update={"data": data})), "disk")
    assert "GB are free" in answer.sentence


@pytest.fixture
async def homeserver(request: pytest.FixtureRequest) -> AsyncIterator[Bot]:
    """The bot at a homeserver with another clock, and a limit of uploads: ``(seconds, limit)``."""
    seconds, limit = request.param

    async def versions(_: web.Request) -> web.Response:
        date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
        return web.json_response({"versions": ["v1.11"]}, headers={"Date": date})

    async def media(_: web.Request) -> web.Response:
        return web.json_response({} if limit is None else {"m.upload.size": limit})

    application = web.Application()
    application.router.add_get("/_matrix/client/versions", versions)
    application.router.add_get("/_matrix/client/v1/media/config", media)
    async with TestServer(application) as server:
        http = Http(str(server.make_url("")))
        yield Bot(UserId("@dpo:example.org"), http)
        await http.close()


@pytest.mark.parametrize(
    ("homeserver", "clock", "uploads"),
    [
        ((0, 100_000_000), Standing.OK, Standing.OK),
        ((-45, 50_000_000), Standing.WARNING, Standing.WARNING),
        ((600, 1_000_000), Standing.FAILED, Standing.FAILED),
        ((0, None), Standing.OK, Standing.OK),
    ],
    indirect=["homeserver"],
)
async def test_clock_and_upload_limit_are_compared_with_the_homeservers(
    homeserver: Bot, clock: Standing, uploads: Standing, installed: Place
) -> None:
    """A wrong clock moves deadlines; a small limit makes very many volumes."""
    where = replace(installed, bot=homeserver, clock=Stopped())
    assert ((await _look(where, "clock")).standing, (await _look(where, "upload limit")).standing) == (clock, uploads)


async def test_without_a_device_it_is_said_what_is_missing(installed: Place) -> None:
    """And not that something has failed."""
    assert await _look(installed, "clock") == installed.bot
