"""What the configuration names is opened here for the checks: the homeserver's settings and API, our database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from dpobot import app
from dpobot.check import settings
from dpobot.check.finding import Answer, Place, unseen
from dpobot.check.settings import Settings, SettingsError
from dpobot.clock import Clock
from dpobot.config import Config, secret
from dpobot.homeserver.http import Http

_RETRIES = 1  # somebody waits


@asynccontextmanager
async def place(config: Config, clock: Clock) -> AsyncIterator[Place]:
    """Open what is looked at, and close it again. Raises as `app.open_database`, and `ConfigurationError`."""
    async with AsyncExitStack() as stack:
        database = await app.open_database(config, clock)
        stack.push_async_callback(database.close)
        http = Http(config.homeserver.url, secret(config.homeserver.admin_token_file), _RETRIES, clock=clock)
        stack.push_async_callback(http.close)
        yield Place(config, seen(config), http, database, clock.now())


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
