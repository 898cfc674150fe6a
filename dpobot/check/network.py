"""What others must reach: the support file, the downloads, the monitoring port, the authentication service."""

from urllib.parse import urlsplit

import aiohttp

from dpobot import app
from dpobot.check.finding import Answer, Check, Place, failed, ok, unseen, warning
from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.federation.addresses import anywhere, is_public
from dpobot.homeserver.federation.fetching import Fetcher
from dpobot.homeserver.federation.support import WELL_KNOWN, Support
from dpobot.model.ids import UserId, server_of

_SECONDS = aiohttp.ClientTimeout(total=10)
_RETRIES = 1
_ADMIN = "m.role.admin"
_NOBODY = "no-such-link"  # of the form of no token: whoever asks for it gets the page of a link that is over


async def _support(place: Place) -> Answer:
    me = UserId(place.config.matrix.user_id)
    notices = place.config.notices
    cure = f"dpobot support prints what belongs there; {_WHY[notices.send]}"
    permitted = anywhere if notices.private_addresses else is_public
    try:
        fetcher = Fetcher(float(notices.timeout_seconds), notices.ca_file, permitted)
        contacts = await Support(fetcher).contacts(server_of(me))
    except OSError as error:
        return failed(f"notices.ca_file can't be read ({error.strerror})", "name the file with the certificates")
    except (Rejected, Unavailable) as error:
        return warning(f"https://{server_of(me)}{WELL_KNOWN} can't be fetched ({error})", cure)
    if not any(each.user_id == me and each.role != _ADMIN for each in contacts.contacts):
        return warning(f"https://{server_of(me)}{WELL_KNOWN} does not name {me} for data protection", cure)
    return ok(f"{WELL_KNOWN} names {me}")


_WHY = {
    "never": "people and other servers find the contact there",
    "staff": "other servers believe a notice of ours only if it comes from there",
}


async def _downloads(place: Place) -> Answer:
    config = place.config.download
    if config.url is None:
        return ok("archives go into the room: [download] names no address")
    here = f"http://{config.host}:{config.port}{urlsplit(config.url).path.rstrip('/')}/{_NOBODY}"
    inside, outside = await _page(here), await _page(f"{config.url.rstrip('/')}/{_NOBODY}")
    if inside is None:
        return unseen(f"nobody listens on {config.host}:{config.port}", "start dpobot, and check again")
    if outside is None:
        cure = "its name, its certificate, its proxy; this machine may see it otherwise than people do"
        return warning(f"{config.url} does not answer", cure)
    if outside != inside:
        cure = f"let the proxy pass it on to {config.host}:{config.port}, and nothing else (docs/operating.md)"
        return failed(f"{config.url} answers, but not with dpobot's page", cure)
    return ok(f"{config.url} leads to dpobot")


async def _monitoring(place: Place) -> Answer:
    config = place.config.monitoring
    if config.port is None:
        return warning("nobody watches whether dpobot runs", "[monitoring] port, and docs/monitoring.md")
    where = f"{config.host}:{config.port}"
    found = await _page(f"http://{where}/readyz")
    if found is None:
        return warning(f"nobody listens on {where}", "is dpobot running? Its log says why not")
    status, _ = found
    if status == 200:
        return ok(f"dpobot runs, and {where}/readyz says that it is well")
    if status == 503:
        return failed(f"dpobot runs, but {where}/readyz says that it is not well", "look there, and at the log")
    return failed(f"another program listens on {where} (it answers {status})", "[monitoring] port: choose another")


async def _delegated(place: Place) -> Answer:
    service = app.delegated(place.config, _RETRIES)
    if service is None:
        return ok("the homeserver keeps its accounts itself")
    try:
        name = await service.server_name()
    except Rejected as error:
        cure = "is the client of [homeserver] mas in policy.data.admin_clients, its secret right, and adminapi offered?"
        return failed(f"the authentication service refuses dpobot's client ({error})", cure)
    finally:
        await service.close()
    own = server_of(UserId(place.config.matrix.user_id))
    if name != own:
        return failed(f"the authentication service keeps the accounts of {name}, not those of {own}", "its url?")
    return ok(f"the authentication service lets dpobot's client administer the accounts of {name}")


async def _page(url: str) -> tuple[int, bytes] | None:
    """Return what is answered at an address, None if nobody answers."""
    try:
        async with (
            aiohttp.ClientSession(timeout=_SECONDS) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            return answer.status, await answer.content.read(65536)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


CHECKS = (
    Check("support file", "Do people and other servers find the contact?", _support),
    Check("downloads", "Do links lead to dpobot?", _downloads),
    Check("monitoring", "Is somebody told if dpobot stops?", _monitoring),
    Check("authentication service", "May dpobot administer the accounts there?", _delegated),
)
