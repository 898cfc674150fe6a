"""`dpobot check` at a real homeserver: as an admin runs it, and each question with its good and its bad answer."""

import json
import re
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dpobot import config
from dpobot.check import checks, place, server
from dpobot.check.finding import Answer, Place, Standing
from dpobot.clock import SystemClock
from dpobot.demo.synapse import Credentials, Synapse
from tests.live.conftest import Register
from tests.live.http import Client, clients
from tests.test_shape import example
from tests.unit.check.places import Stopped

pytestmark = pytest.mark.live


@pytest.fixture
async def bot_toml(synapse: Synapse, admin: Credentials, register: Register, tmp_path: Path) -> Path:
    """A configuration that names the homeserver's own settings, by paths that count from its folder."""
    account = await register("dpo")
    for name, secret in (("admin-token", admin.access_token), ("password", account.password)):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(secret)
    (tmp_path / "homeserver.yaml").write_text(synapse.config_path.read_text())
    (tmp_path / "conf.d").mkdir()
    homeserver = {"url": synapse.url, "admin_token_file": "admin-token"}
    sections = example() | {
        "homeserver": homeserver | {"config_files": ["homeserver.yaml", "conf.d"]},
        "matrix": {"homeserver_url": synapse.url, "user_id": account.user_id, "password_file": "password"},
        "data": {"directory": "data"},
        "notices": {"timeout_seconds": 1},
    }
    lines = []
    for section, values in sections.items():
        assert isinstance(values, dict)
        lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    path = tmp_path / "bot.toml"
    path.write_text("\n".join(lines))
    return path


async def _run(bot_toml: Path, *arguments: str) -> tuple[int | None, str, str]:
    process = await create_subprocess_exec(
        sys.executable, "-m", "dpobot", "check", *arguments, "--config", str(bot_toml), stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_a_homeserver_as_it_comes_does_not_keep_the_promise(bot_toml: Path, synapse: Synapse) -> None:
    """Synapse deletes no forgotten room by itself; the cure is one line, and with it the check says so."""
    status, said, trouble = await _run(bot_toml, "--json")
    found = {finding["check"]: finding for finding in json.loads(said)["findings"]}
    assert (status, trouble) == (2, "")
    assert [name for name, finding in found.items() if finding["standing"] == "failed"] == ["forgotten rooms"]
    key, value = re.findall(r"set (\S+) to (\S+)$", found["forgotten rooms"]["cure"])[0]
    (bot_toml.parent / "conf.d" / "retention.yaml").write_text(f"{key}: {value}\n")
    status, said, trouble = await _run(bot_toml)
    assert (status, trouble) == (1, "")
    assert (
        "\nok             forgotten rooms: a room that everybody here has forgotten is deleted after 28 days\n" in said
    )
    secrets = [line for line in (synapse.config_path.read_text()).split('"') if len(line) > 24 and line.isalnum()]
    assert [secret for secret in secrets if secret in said] == []


async def test_a_configuration_that_cannot_be_used_is_no_finding(bot_toml: Path) -> None:
    """As with every command: status 2, and what is wrong on standard error."""
    bot_toml.write_text(bot_toml.read_text().replace("admin-token", "nowhere"))
    status, said, trouble = await _run(bot_toml)
    assert (status, said, "the secret can't be read" in trouble) == (2, "", True)


@pytest.fixture
def chosen(bot_toml: Path) -> config.Config:
    """The configuration, read."""
    return config.load(bot_toml)


async def _look(chosen: config.Config, name: str, *, days: int = 0, **other: Any) -> Answer:
    """Look as it will be in so many days."""
    check = next(check for check in server.CHECKS if check.name == name)
    async with place.place(chosen, SystemClock()) as now:
        later: Place = replace(now, clock=Stopped(now.now + timedelta(days=days)), **other)
        return (await checks.run(later, [check]))[0].answer


async def _erased_alone(synapse: Synapse, account: Credentials, admin: Credentials) -> None:
    """Let somebody be alone in a room, upload a file there, and deactivate their account without dpobot."""
    person: Client
    async with clients(synapse, account, admin) as (person, administrator):
        room = await person.create(preset="private_chat")
        url = await person.upload(b"only mine", "text/plain", "notes.txt")
        await person.send(room, {"msgtype": "m.file", "body": "notes.txt", "url": url})
        await administrator.admin("POST", "v1", "deactivate", account.user_id, body={"erase": True})
        while (await administrator.admin("GET", "v1", "users", account.user_id, "joined_rooms"))["total"]:
            pass  # the server leaves rooms in the background


def _counted(answer: Answer) -> int:
    return int(re.findall(r": (\d+)", answer.sentence)[0])


async def test_what_was_erased_without_dpobot_is_found(
    synapse: Synapse, admin: Credentials, register: Register, chosen: config.Config
) -> None:
    """A room that only an erased person was in breaks the promise once it is a month old; their files are told, too."""
    await _erased_alone(synapse, await register("alone"), admin)
    assert (await _look(chosen, "deserted rooms", days=29)).standing is Standing.OK
    rooms = await _look(chosen, "deserted rooms", days=31)
    files = await _look(chosen, "uploads of the erased")
    assert (rooms.standing, files.standing) == (Standing.FAILED, Standing.WARNING)
    await _erased_alone(synapse, await register("alone"), admin)
    more = (await _look(chosen, "deserted rooms", days=31), await _look(chosen, "uploads of the erased"))
    assert [_counted(answer) for answer in more] == [_counted(rooms) + 1, _counted(files) + 1]


async def test_somebody_elses_token_is_not_enough(chosen: config.Config, register: Register) -> None:
    """The check names the account that would have to be an admin."""
    account = await register("nobody")
    chosen.homeserver.admin_token_file.write_text(account.access_token)
    answer = await _look(chosen, "admin")
    assert (answer.standing, account.user_id in answer.cure) == (Standing.FAILED, True)
