"""What the configuration names is opened here for the checks: homeserver, database, the bot's account.

Nothing is changed, so that it can be asked while the bot runs, and before it ever ran.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from dpobot import app
from dpobot.check import settings
from dpobot.check.finding import Answer, Bot, Place, failed, unseen, warning
from dpobot.check.settings import Settings, SettingsError
from dpobot.clock import Clock
from dpobot.config import Config
from dpobot.errors import ConfigurationError, Unavailable
from dpobot.homeserver.http import Http
from dpobot.matrix.folder import Folder
from dpobot.matrix.http import Http as Client
from dpobot.matrix.login import kept_device
from dpobot.model.ids import UserId
from dpobot.store import bot_state, inspection
from dpobot.store.database import Database
from dpobot.store.inspection import Age
from dpobot.store.schema import HEAD

_RETRIES = 1  # somebody waits


@asynccontextmanager
async def place(config: Config, clock: Clock) -> AsyncIterator[Place]:
    """Open what is looked at, and close it again. Raises `ConfigurationError` if the admin's token can't be read."""
    async with AsyncExitStack() as stack:
        http = Http(config.homeserver.url, app.admin_token(config), _RETRIES, clock=clock)
        stack.push_async_callback(http.close)
        database = await opened(config, clock)
        if isinstance(database, Database):
            stack.push_async_callback(database.close)
        bot = await account(config, database)
        if isinstance(bot, Bot):
            stack.push_async_callback(bot.http.close)
        yield Place(config, seen(config), http, database, clock, bot)


async def opened(config: Config, clock: Clock) -> Database | Answer:
    """Return the database, or why there is none to look at: it is neither made nor brought up to date here."""
    try:
        tables = await inspection.tables(config.database_url)
    except Unavailable as trouble:
        return failed(f"the database does not answer ({trouble.code})", "is it up, and data.database_url right?")
    if tables.age is Age.NONE:
        return warning("dpobot has not run here yet", "start it: dpobot run")
    if tables.age is Age.OLDER:
        cure = "start dpobot, or dpobot migrate: both bring it up to date; make a backup before"
        return warning(f"the database is at revision {tables.revision}, this dpobot brings {HEAD}", cure)
    if tables.age is Age.NEWER:
        cure = f"install the dpobot that revision {tables.revision} belongs to"
        return failed(f"the database is at revision {tables.revision}, newer than this dpobot's {HEAD}", cure)
    keys = config.data.seal_key_file or config.data.directory / "seal.keys"
    if not keys.exists():
        return failed(
            f"{keys} is not there: nothing in the database can be read without it", "restore it from a backup"
        )
    try:
        return await app.open_database(config, clock)
    except ConfigurationError as error:
        return failed(error.problems[0], "as it says; docs/operating.md, Backups")
    except Unavailable as trouble:
        return failed(f"the database does not answer ({trouble.code})", "is it up, and is there room on its disk?")


async def account(config: Config, database: Database | Answer) -> Bot | Answer:
    """Return the bot's account with the token of its device, or with the one that it lends to other machines."""
    user_id = UserId(config.matrix.user_id)
    try:
        own = kept_device(Folder(config.data.directory / "matrix"))
    except (ConfigurationError, OSError) as error:
        return failed(f"the bot's device can't be read: {error}", "run dpobot check as the bot's user")
    if own is not None and own.user_id != user_id:
        return failed(
            f"the device here is that of {own.user_id}", "matrix.user_id, or data.directory, is another bot's"
        )
    token = own.access_token if own is not None else await _lent(database)
    if token is None:
        return warning(f"{user_id} has no device here yet", "dpobot init makes one, or dpobot run with a password")
    http = Client(config.matrix.homeserver_url)
    http.token = token
    return Bot(user_id, http)


async def _lent(database: Database | Answer) -> str | None:
    if not isinstance(database, Database):
        return None
    return await database.read(lambda tx: bot_state.get_sealed(tx, bot_state.MATRIX_TOKEN))


def seen(config: Config) -> Settings | Answer:
    """Return the homeserver's settings, or why they can't be seen."""
    if not config.homeserver.config_files:
        return unseen(
            "the homeserver's configuration is not named",
            "If it is on this machine, name it in homeserver.config_files, and let dpobot's user read it",
        )
    try:
        return settings.read(config.homeserver.config_files)
    except SettingsError as error:
        return unseen(str(error), "Let dpobot's user read it")
