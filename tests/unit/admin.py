"""What an admin does at the command line, for the tests of its commands: a configuration, a process, the database."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from dpobot import app, config
from dpobot.clock import SystemClock
from dpobot.store.database import Database
from tests.test_shape import example


@pytest.fixture
def bot_toml(tmp_path: Path) -> Path:
    """A configuration file with a data folder of its own."""
    lines = []
    for section, values in (example() | {"data": {"directory": str(tmp_path / "data")}}).items():
        assert isinstance(values, dict)
        lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    path = tmp_path / "bot.toml"
    path.write_text("\n".join(lines))
    return path


async def run(bot_toml: Path, command: str, *arguments: str) -> tuple[int | None, str, str]:
    """Run a command in a process of its own; return its exit status and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dpobot", command, *arguments, "--config", str(bot_toml),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def opened(bot_toml: Path) -> Database:
    """Open the database that the configuration names."""
    return await app.open_database(config.load(bot_toml), SystemClock())
