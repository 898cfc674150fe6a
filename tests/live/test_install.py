"""The README's way, line by line: a new environment outside the checkout, a fresh homeserver, a first answer."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dpobot.demo.client import Client
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.model.ids import RoomId, UserId
from tests.live.conftest import Register
from tests.wheel import ROOT

pytestmark = pytest.mark.live

_BLOCK = re.compile(r"<!-- install -->\n```\n(.*?)```\n<!-- /install -->", re.DOTALL)


def lines(venv: Path, etc: Path) -> list[list[str]]:
    """Return the README's commands with other places for the environment and for the configuration."""
    [block] = _BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    text = block.replace("/opt/dpobot", str(venv)).replace("/etc/dpobot", str(etc))
    return [shlex.split(line, comments=True) for line in text.splitlines()]


def install(venv: Path, wheel: Path) -> None:
    """Make the environment: the locked versions of what the wheel asks for, and the wheel; without any network."""
    uv = [sys.executable, "-m", "uv"]
    plain = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    quietly = ["--quiet", "--offline"]
    sync = [*uv, "sync", "--frozen", "--no-dev", "--no-install-project", *quietly, "--python", sys.executable]
    subprocess.run(sync, check=True, cwd=ROOT, env=plain | {"UV_PROJECT_ENVIRONMENT": str(venv)})
    into = ["--python", str(venv / "bin/python")]
    subprocess.run([*uv, "pip", "install", "--no-deps", *quietly, *into, str(wheel)], check=True, env=plain)
    subprocess.run([*uv, "pip", "check", "--quiet", *into], check=True, env=plain)


def surroundings(folder: Path, **answers: str) -> Mapping[str, str]:
    """Return an environment that knows nothing of the checkout, and answers what init asks."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV")
    bare = {name: value for name, value in os.environ.items() if name not in hidden}
    return bare | {"HOME": str(folder)} | {f"DPOBOT_INIT_{name}": answer for name, answer in answers.items()}


def call(command: list[str], folder: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, away from the checkout."""
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@asynccontextmanager
async def running(command: list[str], folder: Path, environment: Mapping[str, str]) -> AsyncIterator[None]:
    """Run the bot, from when it is ready until it is no longer needed; it must end well, and without a warning."""
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=environment, stdout=PIPE, stderr=STDOUT)
    assert process.stdout is not None
    log: list[bytes] = []
    async for line in process.stdout:
        log.append(line)
        if b"bot.ready" in line:
            break
    rest = asyncio.create_task(process.stdout.read())
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        log.append(await rest)
        ended = await process.wait()
    said = [json.loads(line) for line in b"".join(log).splitlines()]
    assert (ended, [line for line in said if line["level"] != "info"]) == (0, [])


@asynccontextmanager
async def writing(synapse: Synapse, account: Credentials, folder: Path) -> AsyncIterator[Client]:
    """Be a person with a client."""
    client = await Client.open(synapse, account, folder)
    try:
        yield client
    finally:
        await client.close()


async def _asked(client: Client, room: RoomId, bot: UserId, text: str, answer: str) -> None:
    """Write to the bot, and wait until it has answered that."""
    await client.say(room, text)
    async with asyncio.timeout(120):
        while not any(event.sender == bot and answer in str(event.content.get("body")) for event in client.heard):
            await client.listen()


async def test_the_readme_leads_from_nothing_to_a_first_answer(
    synapse: Synapse,
    admin: Credentials,
    register: Register,
    wheel: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Every line as it stands there, but that the packages come from the cache instead of from the network."""
    venv, began = tmp_path / "venv", time.monotonic()
    system, make, pip, begin, run, check = lines(venv, tmp_path / "etc")
    assert system == ["apt-get", "install", "python3-venv"]
    assert make == ["python3", "-m", "venv", str(venv)]
    assert pip == [str(venv / "bin/pip"), "install", "."]
    await asyncio.to_thread(install, venv, wheel)
    dora, anna = await register("dora"), await register("anna")
    bot = UserId(f"@dpo-installed:{synapse.server_name}")
    answers = {
        "HOMESERVER_URL": synapse.url,
        "ADMIN_TOKEN": admin.access_token,
        "USER_ID": bot,
        "NAME": "Example Foundation",
        "DPO_EMAIL": "dpo@example.org",
        "POSTAL_ADDRESS": "1 Example Street",
        "COUNTRY": "GB",
        "STAFF": dora.user_id,
    }
    environment = surroundings(tmp_path, **answers)
    done = await asyncio.to_thread(call, [*begin, "--non-interactive"], tmp_path, environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].strip() == shlex.join(run)
    assert admin.access_token not in done.stdout
    async with writing(synapse, anna, tmp_path / "anna") as client, running(run, tmp_path, environment):
        room = await client.direct_message(bot)
        await _asked(client, room, bot, "rights", "eight rights")
        seconds = time.monotonic() - began
        await _asked(client, room, bot, "language de", "Deutsch")
        looked = await asyncio.to_thread(call, [*check, "--json"], tmp_path, environment)
    record_property("seconds_to_the_first_answer", round(seconds, 1))
    print(f"from nothing to the first answer: {seconds:.1f} s")
    found = {each["check"]: each["standing"] for each in json.loads(looked.stdout)["findings"]}
    assert (looked.stderr, [name for name, standing in found.items() if standing == "failed"]) == ("", ["staff"])
