"""What the bot's own account may do: it should be an ordinary one, and the log says so if it is not."""

from dpobot import log
from dpobot.config import Config
from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.http import Http
from dpobot.workshop.administration import admin_token

ACCOUNT = "GET /_synapse/admin/v2/users/{user}"
_logger = log.get(__name__)


async def look(config: Config) -> bool:
    """Warn if the bot's account is a server admin; True if it is. A homeserver that is away is not waited for."""
    http = Http(config.homeserver.url, admin_token(config), 0)
    try:
        found = await http.call(ACCOUNT, path={"user": config.matrix.user_id})
    except (Rejected, Unavailable):  # whatever needs it says so
        return False
    finally:
        await http.close()
    powerful = bool(found.get("admin"))
    if powerful:
        _logger.warning("account.is_server_admin")  # dpobot check says what to do
    return powerful
