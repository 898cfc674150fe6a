"""`dpobot rotate-keys`: new keys for what is encrypted at rest, and for receipts, while the bot runs.

The new key is written first and the old ones stay, so at any moment everything opens; whoever is interrupted runs it
again. Old keys go only when nothing needs them any more.
"""

import argparse
import os
from pathlib import Path

from dpobot import app
from dpobot.clock import Clock
from dpobot.config import Config
from dpobot.errors import ConfigurationError
from dpobot.receipt import key
from dpobot.store import bot_state, key_file, resealing
from dpobot.store.database import Database, Tx
from dpobot.store.key_file import Keys

DESCRIPTION = (
    "Makes a new key for what is encrypted at rest, and closes everything in the database anew with it. The bot may be"
    " running: it takes the new key from the file. The former keys stay in the file, because backups need them, until"
    " --drop-old. Interrupted, it is simply run again. With more machines: first --prepare, copy the key file to every"
    " machine, then rotate-keys, copy it again; and before --drop-old, too. --receipt: a new key for receipts; what was"
    " signed with the former one stays valid, and both are published."
)
DONE, REFUSED = 0, 1


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--prepare", action="store_true", help="make the next key, which is not used yet")
    which.add_argument("--drop-old", action="store_true", help="remove former keys that nothing is closed with")
    which.add_argument("--receipt", action="store_true", help="a new key for receipts instead; then restart the bot")


async def run(given: argparse.Namespace, config: Config, clock: Clock) -> int:
    """Do what the options name, and say what was done; returns the exit status. Raises `ConfigurationError`."""
    file, writes = _file(config, receipt=given.receipt)
    database = await app.open_database(config, clock)
    try:
        _changeable(file, writes)
        with key_file.alone(file):
            if given.receipt:
                return await _receipt(database, config)
            if given.prepare:
                return _prepare(file)
            return await (_drop(database, file) if given.drop_old else _rotate(database, file, config))
    finally:
        await database.close()


def _file(config: Config, *, receipt: bool) -> tuple[Path, str]:
    """Return the key file that is to change, and the configuration's name for it."""
    data = config.data
    if receipt:
        return data.receipt_key_file or data.directory / key.FILE, "data.receipt_key_file"
    return data.seal_key_file or data.directory / key_file.FILE, "data.seal_key_file"


def _changeable(file: Path, name: str) -> None:
    """Refuse where the file is a copy that somebody else lays out: a credential, a read-only mount."""
    handed = os.environ.get("CREDENTIALS_DIRECTORY")
    copied = handed is not None and file.is_relative_to(handed)
    if not copied and os.access(file.resolve().parent, os.W_OK):
        return
    cure = (
        "stop the bot, copy the file to a private folder that can be written, name that copy in a copy of the"
        " configuration, run this with it, hand the changed file over in place of the old one, and start the bot"
    )
    raise ConfigurationError([f"{name}: {file} is handed over and can't be changed here; {cure}"])


def _prepare(file: Path) -> int:
    keys = key_file.read(file)
    if keys.following is None:
        keys = keys.with_next()
        key_file.put(file, keys)
    print(f"key {keys.following} is ready in {file}, and not used yet: copy the file to every machine, then rotate")
    return DONE


async def _rotate(database: Database, file: Path, config: Config) -> int:
    keys = key_file.read(file)
    if await database.read(lambda tx: _needed(tx, keys)):
        print(f"an earlier rotation was interrupted: it is finished now, with key {keys.current}")
    elif config.cluster.enabled and keys.following is None:
        raise ConfigurationError(
            [f"{file}: other machines need the new key before it is used: rotate-keys --prepare, and copy the file"]
        )
    else:
        keys = keys.moved_on()
        key_file.put(file, keys)
        print(f"key {keys.current} is the current one now; the former ones stay in {file}")
    return _told(await resealing.reseal(database))


def _told(done: resealing.Resealed) -> int:
    print(f"{done.done} values were closed anew")
    if done.closed:
        print(f"{done.closed} values can't be opened with any key in the file; they were left as they are")
    return REFUSED if done.closed else DONE


async def _drop(database: Database, file: Path) -> int:
    keys = key_file.read(file)

    async def drop(tx: Tx) -> int:  # in one transaction: on SQLite nothing is closed in between
        needed = await _needed(tx, keys)
        if not needed:
            key_file.put(file, keys.without_former())
        return needed

    if needed := await database.write(drop):
        print(f"{needed} values are still closed with former keys: nothing was removed; run dpobot rotate-keys first")
        return REFUSED
    print(f"{len(keys.former)} former keys were removed from {file}; backups from before can't be opened with it")
    return DONE


async def _needed(tx: Tx, keys: Keys) -> int:
    """Return how many values only the former keys open."""
    return sum(count for name, count in (await resealing.old_ones(tx)).items() if name in keys.former)


async def _receipt(database: Database, config: Config) -> int:
    known = await database.read(lambda tx: bot_state.get(tx, bot_state.RECEIPT_KEY))
    made = key.renew(config.data.directory, config.data.receipt_key_file, () if known is None else (known,))
    await database.write(lambda tx: bot_state.set(tx, bot_state.RECEIPT_KEY, made.public))
    print(f"{made.key_id} signs receipts after the next start; publish what dpobot receipt-key prints now")
    return DONE
