"""`dpobot backup` and `dpobot restored`: a copy of the database, and what to do about what happened since.

After a restore the bot no longer knows what was said since the backup. Nothing irreversible may follow from what it
still knows, and no reference may be given to two people: see docs/backup.md.
"""

import argparse
import asyncio
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from dpobot import app
from dpobot.audit import trail
from dpobot.cases import service, transitions
from dpobot.clock import Clock
from dpobot.config import Config
from dpobot.delivery.messages import Address, key, post
from dpobot.matrix.identity import RECOVERY
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState, Kind
from dpobot.receipt.key import FILE as RECEIPT_KEY
from dpobot.store import alerts, backup, bot_state, cases, origin
from dpobot.store.database import Tx
from dpobot.store.key_file import FILE as SEAL_KEYS
from dpobot.store.tables import case as case_table
from dpobot.text.render import Renderer, templates_folder

BACKUP = (
    "Writes a consistent copy of the SQLite database into a new file; the bot may be running. Keys are not in it, and"
    " what is encrypted at rest stays so: keep the key files, which it names, in another place."
)
RESTORED = (
    "After a database was put back from a backup, and before the bot starts: references go on above those that were"
    " given since the backup, erasures that have not begun are taken back, and people with open requests are told."
)
_GAP = 1000  # numbers that are left out at least


def backup_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `dpobot backup` takes."""
    parser.add_argument("target", metavar="TARGET", type=Path, help="a new file for the copy")


def restored_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `dpobot restored` takes."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--nothing-lost", action="store_true", help="it was only moved; nothing happened since the copy")
    which.add_argument("--above", metavar="NUMBER", type=int, default=0, help="the highest number known to be given")
    parser.add_argument("--paused", action="store_true", help="in breach mode: deliver nothing until staff say so")


async def back_up(given: argparse.Namespace, config: Config, clock: Clock) -> int:
    """Write the copy, and say what is not in it. Raises `ConfigurationError`."""
    url = config.database_url
    size = await asyncio.to_thread(backup.copy, url, given.target, clock.now())
    data, folder = config.data, config.data.directory
    print(f"{given.target}: {size:,} bytes. Not in it, and needed to use it:")
    print(f"  {data.seal_key_file or folder / SEAL_KEYS}: opens what is encrypted at rest")
    print(f"  {data.receipt_key_file or folder / RECEIPT_KEY}: signs receipts")
    print(f"  the recovery key of {config.matrix.user_id} ({folder / 'matrix' / RECOVERY}, if it is still there)")
    print(f"Never back up {folder / 'matrix'} itself: a device that is put back can't be used again.")
    return os.EX_OK


async def restored(given: argparse.Namespace, config: Config, clock: Clock) -> int:
    """Settle a database that was put back, and say what was done. Raises `ConfigurationError`."""
    database = await app.open_database(config, clock)
    try:
        if given.nothing_lost:
            await database.write(origin.accept)
            print("the copy is the database from now on; nothing in it was changed")
            return os.EX_OK
        now = clock.now()
        renderer = Renderer(templates_folder(), {"operator": config.operator, "bot": config.matrix.user_id})
        number, told = await database.write(lambda tx: _settle(tx, renderer, now, given))
        print(f"references go on above {number:04d}; {told} people with open requests will be told")
        return os.EX_OK
    finally:
        await database.close()


async def _settle(tx: Tx, renderer: Renderer, now: datetime, given: argparse.Namespace) -> tuple[int, int]:
    """Do all of it in one transaction; return the number that references go on above, and how many people are told."""
    number = await cases.skip_numbers(tx, now.year, _GAP, given.above)
    open_ = await cases.find(tx, case_table.c.state.in_(transitions.OPEN))
    withdrawn = [case for case in open_ if await _withdraw(tx, now, case)]
    for person in (people := sorted({case.person for case in open_})):
        mine = [case for case in open_ if case.person == person]
        await _tell(tx, renderer, now, mine, [case for case in withdrawn if case.person == person])
    if given.paused:
        await bot_state.set(tx, bot_state.DELIVERIES_PAUSED, now.isoformat())
        await trail.record(tx, now, "admin", "deliveries.paused")
    await trail.record(tx, now, "admin", "database.restored", None, {"number": number, "withdrawn": len(withdrawn)})
    await alerts.open(tx, key=f"restored:{now.isoformat()}", code=alerts.RESTORED, now=now)
    await origin.accept(tx)
    return number, len(people)


async def _withdraw(tx: Tx, now: datetime, case: Case) -> bool:
    """Take back an erasure that has not begun: its person may have changed their mind since the backup."""
    if case.kind is not Kind.ERASURE or not transitions.allowed(case.state, CaseState.WITHDRAWN):
        return False
    await cases.lock(tx, case.id)
    if await service.has_begun(tx, case.id):
        return False
    await service.move(tx, now, case, CaseState.WITHDRAWN, "admin", "case.withdrawn")
    await service.stop_work(tx, now, case)
    return True


async def _tell(tx: Tx, renderer: Renderer, now: datetime, mine: Sequence[Case], withdrawn: Sequence[Case]) -> None:
    values = {"references": [case.reference for case in withdrawn], "open": len(mine) - len(withdrawn)}
    person = mine[0].person
    await post(tx, renderer, now, Address(person), Reply("restored", values), key("restored", person, now.isoformat()))
