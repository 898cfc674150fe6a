"""The second part of `dpobot init`: the bot's account, its device, and its cryptographic identity."""

import secrets as random
from collections.abc import Awaitable, Callable
from pathlib import Path

from dpobot.config import Config, bot_password
from dpobot.errors import ConfigurationError, Gone
from dpobot.homeserver.http import Http
from dpobot.matrix import adopting
from dpobot.matrix.folder import Folder
from dpobot.matrix.identity import SEEDS
from dpobot.matrix.login import kept_device
from dpobot.matrix.session import Session
from dpobot.model.ids import UserId
from dpobot.setup import homeserver, questions
from dpobot.setup.answers import Answers
from dpobot.setup.secret_files import SecretFiles
from dpobot.setup.server import Server

PASSWORD = "bot-password"  # noqa: S105 - the name of a file
DISPLAYED = "GET /_matrix/client/v3/profile/{user}/displayname"
DISPLAY = "PUT /_matrix/client/v3/profile/{user}/displayname"
_DEVICE = "dpobot"
_PASSWORD_BYTES = 32
_LOGINS = {
    "password": questions.BOT_PASSWORD,
    "access-token": questions.BOT_ACCESS_TOKEN,
    "login-token": questions.BOT_LOGIN_TOKEN,
}


async def ask(answers: Answers, server: Server, secrets: SecretFiles) -> UserId:
    """Ask which account it is, and make it if there is none. Raises `ConfigurationError` where nobody can be asked."""
    answers.say("\n2. The bot's account")
    async with homeserver.administration(server.admin_url, server.admin_token) as http:

        async def is_ordinary(user_id: str) -> None:
            await homeserver.require_ordinary(http, server.admin, user_id)

        user_id = await answers.of(questions.USER_ID, default=f"@dpo:{server.name}", check=is_ordinary)
        if await homeserver.account(http, user_id) is None:
            await _make(answers, server, secrets, http, user_id)
    return UserId(user_id)


async def _make(answers: Answers, server: Server, secrets: SecretFiles, http: Http, user_id: str) -> None:
    if server.service is not None:
        raise ConfigurationError(
            [f"init: there is no account {user_id}; make it at the authentication service, with a password, and repeat"]
        )
    if await answers.of(questions.CREATE_ACCOUNT) == "no":
        raise ConfigurationError([f"init: there is no account {user_id}; make it, and run init again"])
    password = answers.early(questions.BOT_PASSWORD) or secrets.read(PASSWORD) or random.token_urlsafe(_PASSWORD_BYTES)
    secrets.write(PASSWORD, password)  # before it is the account's: a password that nobody knows would lock it
    await homeserver.make_account(http, user_id, password, await answers.of(questions.DISPLAY_NAME))
    answers.say(f"  {user_id} is made; its password is in {secrets.path(PASSWORD)}.")


async def log_in(answers: Answers, secrets: SecretFiles, url: str, user_id: UserId, folder: Path) -> None:
    """See to it that the account has a device here. Raises `ConfigurationError` where nobody can be asked."""
    known = kept_device(Folder(folder))
    if known is not None and known.user_id != user_id:
        raise ConfigurationError([f"init: {folder} holds the keys of {known.user_id}; give another data folder"])
    if known is not None:
        answers.say(f"  {user_id} has its device here already.")
        return
    way = await _way(answers, secrets)
    check = _ways(url, user_id, folder)[way]
    if way == "password":
        await answers.secret(questions.BOT_PASSWORD, secrets, PASSWORD, check=check)
    else:
        await answers.of(_LOGINS[way], check=check)
    answers.say(f"  {user_id} is logged in.")


async def _way(answers: Answers, secrets: SecretFiles) -> str:
    """Return how the bot logs in: as was answered beforehand, else as somebody says."""
    given = [way for way, question in _LOGINS.items() if answers.has(question)]
    if given or secrets.read(PASSWORD) is not None:
        return given[0] if given else "password"
    if not answers.guided:
        ways = ", ".join(question.option for question in _LOGINS.values())
        raise ConfigurationError([f"init: the bot's account exists and has to log in; give one of: {ways}"])
    return await answers.of(questions.LOGIN)


def _ways(url: str, user_id: UserId, folder: Path) -> dict[str, Callable[[str], Awaitable[None]]]:
    """Return how each way is tried: what is right has logged the device in."""

    async def password(secret: str) -> None:
        await adopting.log_in(url, folder, user_id, adopting.password(user_id, secret), _DEVICE)

    async def access_token(secret: str) -> None:
        await adopting.take_over(url, folder, user_id, secret)

    async def login_token(secret: str) -> None:
        await adopting.log_in(url, folder, user_id, adopting.token(secret), _DEVICE)

    return {"password": password, "access-token": access_token, "login-token": login_token}


async def recovery_key(answers: Answers, server: Server, user_id: UserId, folder: Path) -> str | None:
    """Return the key of an identity that the account has already and that is not kept here; None where none is needed.

    Raises `ConfigurationError` where nobody can be asked.
    """
    if (folder / SEEDS).exists():
        return None
    async with homeserver.administration(server.admin_url, server.admin_token) as http:
        if not await homeserver.has_identity(http, user_id):
            return None

    async def opens(key: str) -> None:
        await adopting.require_recovery(server.url, folder, key)

    return await answers.of(questions.RECOVERY_KEY, check=opens)


async def open_session(config: Config, key: str | None) -> Session:
    """Open the account: its cross-signing identity is made, or found. The caller closes it.

    Raises `ConfigurationError` for what an admin must mend, `Unavailable`, `Rejected`.
    """
    return await Session.open(
        homeserver_url=config.matrix.homeserver_url,
        user_id=UserId(config.matrix.user_id),
        password=lambda: bot_password(config),
        device_name=config.matrix.device_name,
        folder=config.data.directory / "matrix",
        recovery_key=None if key is None else lambda: key,
    )


async def show_name(answers: Answers, config: Config) -> None:
    """Give the account a display name, if it has none but its own local part."""
    own = kept_device(Folder(config.data.directory / "matrix"))
    if own is None:
        return
    http = Http(config.matrix.homeserver_url, own.access_token, 1)
    try:
        if await _displayed(http, own.user_id) in ("", own.user_id.removeprefix("@").partition(":")[0]):
            name = await answers.of(questions.DISPLAY_NAME)
            await http.call(DISPLAY, path={"user": own.user_id}, body={"displayname": name})
    finally:
        await http.close()


async def _displayed(http: Http, user_id: UserId) -> str:
    try:
        name = (await http.call(DISPLAYED, path={"user": user_id})).get("displayname")
    except Gone:
        return ""
    return name if isinstance(name, str) else ""
