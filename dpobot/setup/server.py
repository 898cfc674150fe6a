"""The first part of `dpobot init`: which homeserver, with whose authority, and who keeps its accounts."""

from dataclasses import dataclass, field

from dpobot import app
from dpobot.errors import ConfigurationError, Rejected
from dpobot.model.ids import UserId, server_of
from dpobot.setup import homeserver, questions
from dpobot.setup.answers import Answers
from dpobot.setup.secret_files import SecretFiles

ADMIN_TOKEN = "admin-token"  # noqa: S105 - the name of a file
MAS_SECRET = "mas-client-secret"  # noqa: S105 - the name of a file
_RETRIES = 1  # somebody waits


@dataclass(frozen=True, slots=True)
class Service:
    """The Matrix Authentication Service, where it keeps the accounts."""

    url: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Server:
    """The homeserver: its addresses, and the admin whose token we have."""

    url: str
    admin_url: str
    admin: UserId
    admin_token: str = field(repr=False)
    service: Service | None = None

    @property
    def name(self) -> str:
        """The server's name."""
        return server_of(self.admin)


async def ask(answers: Answers, secrets: SecretFiles) -> Server:
    """Ask until it is known and has proved true. Raises `ConfigurationError` where nobody can be asked."""
    answers.say("1. The homeserver")
    url = await homeserver.base_url(await answers.of(questions.HOMESERVER_URL, check=_is_homeserver))
    admin_url = await answers.of(questions.ADMIN_URL, default=url, check=homeserver.require_homeserver)

    async def is_admins(token: str) -> None:
        await homeserver.administrator(admin_url, token)

    token = await answers.secret(questions.ADMIN_TOKEN, secrets, ADMIN_TOKEN, check=is_admins)
    admin = await homeserver.administrator(admin_url, token)
    answers.say(f"  {admin} is a server admin.")
    service = await _service(answers, secrets, server_of(admin)) if await homeserver.is_delegated(url) else None
    return Server(url, admin_url.rstrip("/"), admin, token, service)


async def _is_homeserver(answer: str) -> None:
    await homeserver.require_homeserver(await homeserver.base_url(answer))


async def _service(answers: Answers, secrets: SecretFiles, name: str) -> Service:
    answers.say("  An authentication service keeps its accounts.")
    answers.require(questions.MAS_URL, questions.MAS_CLIENT_ID, questions.MAS_CLIENT_SECRET)
    url = await answers.of(questions.MAS_URL)
    client_id = await answers.of(questions.MAS_CLIENT_ID)

    async def is_clients(secret: str) -> None:
        await _require_client(url, client_id, secret, name)

    await answers.secret(questions.MAS_CLIENT_SECRET, secrets, MAS_SECRET, check=is_clients)
    return Service(url, client_id)


async def _require_client(url: str, client_id: str, secret: str, name: str) -> None:
    """Make sure that the client may use the admin API, and that it keeps this homeserver's accounts."""
    service = app.authentication_service(url, client_id, secret, _RETRIES)
    try:
        found = await service.server_name()
    except Rejected as error:
        cure = "is the client in policy.data.admin_clients, and adminapi offered there?"
        raise ConfigurationError([f"the authentication service refuses the client ({error}); {cure}"]) from error
    finally:
        await service.close()
    if found != name:
        raise ConfigurationError([f"the authentication service keeps the accounts of {found}, not those of {name}"])
