"""The data folder, the database, and the keys that every machine of an installation must have alike."""

from typing import TYPE_CHECKING

from dpobot.clock import Clock
from dpobot.errors import ConfigurationError
from dpobot.receipt import key
from dpobot.store import bot_state, seal
from dpobot.store.database import Database

if TYPE_CHECKING:
    from dpobot.config import Config


async def open_database(config: "Config", clock: Clock) -> Database:
    """Make the data folder, the key file and the database if they are missing, and bring the tables up to date."""
    folder = config.data.directory
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError([f"data.directory: {folder} can't be made ({error.strerror})"]) from error
    if folder.stat().st_mode & 0o077:
        raise ConfigurationError([f"data.directory: others may read {folder}; chmod 700 {folder}"])
    database = Database(config.database_url, seal.of(folder, config.data.seal_key_file))
    await database.open()
    await database.write(lambda tx: bot_state.be_born(tx, clock.now()))
    return database


async def take_in_receipt_key(config: "Config", database: Database) -> None:
    """Let the database know the key that receipts are signed with here, made if there is none.

    Raises `ConfigurationError` if it knows another one that this one does not follow: receipts would be signed with a
    key that nobody has published.
    """
    own = key.load_or_create(config.data.directory, config.data.receipt_key_file)
    known = await database.write(lambda tx: bot_state.settle(tx, bot_state.RECEIPT_KEY, own.public))
    if known not in own.publics.values():
        cure = "copy the one that this installation signs with; if it is lost for good: dpobot rotate-keys --receipt"
        raise ConfigurationError(
            [f"the key of receipts here is not {key.key_id_of(known)}, which is published; {cure}"]
        )
    if known != own.public:
        await database.write(lambda tx: bot_state.set(tx, bot_state.RECEIPT_KEY, own.public))
