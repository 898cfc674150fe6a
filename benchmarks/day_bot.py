"""The bot of `benchmarks.day` in a process of its own: all of dpobot as it is wired in service, on PostgreSQL.

Only what is outside it is played: its Matrix account and its homeserver's administration are at the other end of a
line. Started with one argument, a JSON object: ``url``, ``socket``, ``data``, ``bot``, ``staff``, ``began``, ``speed``.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any, cast

from benchmarks.day_clock import FastClock, FastLoop
from benchmarks.day_line import Remote
from dpobot import app, log
from dpobot.cases import holidays
from dpobot.config import Config, parse
from dpobot.matrix.api import Matrix
from dpobot.store import bot_state
from dpobot.store.database import Database
from dpobot.store.seal import load_or_create
from tests.test_shape import example


def configuration(given: dict[str, Any]) -> Config:
    """Return the example configuration for this day."""
    raw: dict[str, Any] = dict(example())
    raw["data"] = {"directory": given["data"], "database_url": given["url"]}
    raw["staff"] = {"members": given["staff"]}
    return parse(raw)


async def main(given: dict[str, Any]) -> None:
    """Serve until asked to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config, clock, line = configuration(given), FastClock(given["began"], given["speed"]), Path(given["socket"])
    log.configure("INFO", "json")
    await holidays.prepare(clock.now().date(), config.operator.country)
    database = Database(given["url"], load_or_create(Path(given["data"]) / "seal.keys"))
    await database.open()
    await database.write(lambda tx: bot_state.be_born(tx, clock.now()))
    await app.take_in_safeguards(config, clock, database)
    matrix = cast(Matrix, Remote(line, "matrix", user_id=given["bot"]))
    homeserver: Any = Remote(line, "homeserver", categories=("account", "devices", "profile"))
    administration = app.Administration(homeserver, cast(Any, Remote(line, "changes")), cast(Any, Remote(line, "left")))
    try:
        await app.wire(config, clock, database, administration, matrix).run(stop)
    finally:
        await database.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=lambda: FastLoop(json.loads(sys.argv[1])["speed"])) as runner:
        runner.run(main(json.loads(sys.argv[1])))
