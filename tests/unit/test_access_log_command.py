"""`dpobot access-log`: who has looked at what, on standard output; the admin who asks is in it, too."""

from datetime import date
from pathlib import Path

from dpobot.audit import access
from dpobot.clock import SystemClock
from dpobot.model.ids import UserId
from dpobot.store import audit_rows
from dpobot.store.database import Tx
from tests.unit.admin import bot_toml, opened, run

__all__ = ["bot_toml"]  # a fixture

DORA = UserId("@dora:example.org")


async def test_the_log_holds_the_looks_of_staff_and_of_admins(bot_toml: Path) -> None:
    """That somebody took the register, or this log, is in the next one."""
    database = await opened(bot_toml)
    await database.write(lambda tx: access.queue_shown(tx, SystemClock().now(), DORA, "open", 3))
    await database.close()
    first, last = date(2000, 1, 1).isoformat(), date(2099, 12, 31).isoformat()
    assert (await run(bot_toml, "register", first, last))[0] == 0
    status, said, trouble = await run(bot_toml, "access-log", first, last)
    assert (status, trouble) == (0, "")
    assert [line.split(",")[1:6] for line in said.splitlines()] == [
        ["who", "action", "what", "case", "count"],
        [f"'{DORA}", "queue.read", "open", "", "3"],
        ["admin", "register.read", "", "", ""],
    ]
    database = await opened(bot_toml)
    newest = (await database.read(_actions))[-1]
    await database.close()
    assert newest == ("admin", "access_log.read")


async def _actions(tx: Tx) -> list[tuple[str | None, str]]:
    return [(row.actor, row.action) async for row in audit_rows.rows(tx)]
