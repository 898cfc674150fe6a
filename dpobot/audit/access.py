"""Who has looked at people's data through the bot: each look is a row of the trail, beside what was done.

What lies open in the staff room (cards, threads, files in them) everybody sees who is in that room; the homeserver
knows who that was. Recorded is what somebody asked to be shown.
"""

from datetime import datetime

from dpobot.audit import trail
from dpobot.store.tx import Tx

CASE = "case.read"  # all about one case, its trail, the plan of an erasure, a worksheet, what a code would do
QUEUE = "queue.read"  # a list of cases
REGISTER = "register.read"
LOG = "access_log.read"
ACTIONS = (CASE, QUEUE, REGISTER, LOG)


async def case_shown(tx: Tx, now: datetime, actor: str, case_id: int, what: str) -> None:
    """Note that somebody was shown ``what`` (the name of a command) of a case."""
    await trail.record(tx, now, actor, CASE, case_id, {"what": what.replace(" ", "_")})


async def queue_shown(tx: Tx, now: datetime, actor: str, which: str, count: int) -> None:
    """Note that somebody was shown a list of so many cases."""
    await trail.record(tx, now, actor, QUEUE, None, {"which": which, "count": count})


async def register_given(tx: Tx, now: datetime, actor: str, size: int) -> None:
    """Note that somebody was given the register, so many bytes of it."""
    await trail.record(tx, now, actor, REGISTER, None, {"bytes": size})


async def log_given(tx: Tx, now: datetime, actor: str, size: int) -> None:
    """Note that somebody was given the log of these looks, so many bytes of it."""
    await trail.record(tx, now, actor, LOG, None, {"bytes": size})
