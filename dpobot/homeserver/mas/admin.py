"""MAS's admin API: users, sessions, addresses and links; JSON:API with cursors (MAS docs, "Admin API")."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dpobot.clock import Clock
from dpobot.errors import Gone, Unavailable
from dpobot.homeserver.category import Params, following, object_of, records_of
from dpobot.homeserver.http import JSON_API, Http, Pause
from dpobot.homeserver.mas.credentials import ClientCredentials
from dpobot.model.ids import UserId, server_of

SITE = "GET /api/admin/v1/site-config"
NAMED = "GET /api/admin/v1/users/by-username/{username}"

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Resource:
    """An object of MAS: its ID (a ULID) and what MAS says of it."""

    id: str
    attributes: Mapping[str, Any]

    def has(self, attribute: str) -> bool:
        """Tell whether something is said of it, such as a moment at which something happened."""
        return self.attributes.get(attribute) is not None


class MasAdmin:
    """MAS, spoken to as the bot's own client; a request is tried again ``retries`` times at once.

    The client has to be in MAS's ``policy.data.admin_clients``. Each method raises `Unavailable`, `Gone` or `Rejected`.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: str,
        retries: int = 4,
        *,
        pause: Pause = asyncio.sleep,
        clock: Clock | None = None,
    ) -> None:
        self._credentials = ClientCredentials(url, client_id, secret, retries, pause=pause, clock=clock)
        self.http = Http(url, self._credentials, retries, pause=pause, clock=clock)
        self._server_name: str | None = None

    async def close(self) -> None:
        """Close the connections."""
        await self.http.close()
        await self._credentials.close()

    async def server_name(self) -> str:
        """Return the name of the homeserver whose accounts MAS keeps."""
        if self._server_name is None:
            name = (await self.http.call(SITE)).get("server_name")
            if not isinstance(name, str) or not name:
                raise Unavailable("bad_answer")
            self._server_name = name
        return self._server_name

    async def user(self, user: UserId) -> Resource | None:
        """Return what MAS calls a person; None if it has nobody of that name, or the account is another server's."""
        if server_of(user) != await self.server_name():
            return None  # MAS knows local parts only: the same name elsewhere is somebody else
        username = user.removeprefix("@").partition(":")[0]
        try:
            answer = await self.http.call(NAMED, path={"username": username})
        except Gone as error:
            if error.code == JSON_API:
                return None
            raise  # whatever answered there is not MAS's administration: that says nothing about the account
        person = single(answer)
        # MAS also finds a name written in other letters; to Synapse that can be another account
        return person if person.attributes.get("username") == username else None


async def listed(http: Http, endpoint: str, params: Params) -> tuple[Resource, ...]:
    """Return every object of a list, page by page."""
    found: list[Resource] = []
    after: Params = {}
    while True:
        answer = await http.call(endpoint, params={**params, "page[first]": _PAGE, **after})
        page = records_of(answer.get("data"))
        found += [_resource(each) for each in page]
        if following(object_of(answer.get("links")), "next", str) is None:
            return tuple(found)
        cursor = _cursor(page[-1]) if page else None
        if cursor is None or after == {"page[after]": cursor}:
            raise Unavailable("bad_answer")  # a next page that can't be asked for: not a complete list
        after = {"page[after]": cursor}


def single(answer: Mapping[str, Any]) -> Resource:
    """Return the object that an answer holds. Raises `Unavailable` ``bad_answer`` for anything else."""
    return _resource(object_of(answer.get("data")))


def _resource(data: Mapping[str, Any]) -> Resource:
    identity = data.get("id")
    if not isinstance(identity, str) or not identity:
        raise Unavailable("bad_answer")
    return Resource(identity, object_of(data.get("attributes")))


def _cursor(data: Mapping[str, Any]) -> str | None:
    """Return where a list goes on after an object; older versions use its ID without saying so."""
    meta = data.get("meta")
    page = meta.get("page") if isinstance(meta, Mapping) else None
    cursor = page.get("cursor") if isinstance(page, Mapping) else data.get("id")
    return cursor if isinstance(cursor, str) else None
