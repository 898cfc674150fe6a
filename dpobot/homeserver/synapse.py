"""Synapse's administration as a `Homeserver` (facts: homeserver.md; floor: Synapse 1.150)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dpobot.clock import Clock
from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.homeserver import company as company_of
from dpobot.homeserver import events, media, puppet, visible
from dpobot.homeserver import rooms as rooms_of
from dpobot.homeserver.api import (
    Account,
    Collected,
    EventPage,
    MediaItem,
    MediaPage,
    RoomCompany,
    Rooms,
    ServerVersion,
    StoryPage,
)
from dpobot.homeserver.categories import CATEGORIES
from dpobot.homeserver.category import Subject
from dpobot.homeserver.http import Http, Pause
from dpobot.homeserver.loans import Loans
from dpobot.homeserver.puppet import Lender, SynapseLender
from dpobot.model.ids import Mxc, RoomId, UserId, server_of

ACCOUNT = "GET /_synapse/admin/v2/users/{user}"
VERSION = "GET /_matrix/federation/v1/version"
ADMIN_VERSION = "GET /_synapse/admin/v1/server_version"

# which endpoints each method of the Protocol uses; those of `collect` are declared by the categories
ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "version": (VERSION, ADMIN_VERSION),
    "account": (ACCOUNT, puppet.WHOAMI),
    "rooms": (*rooms_of.ENDPOINTS, *puppet.ENDPOINTS),
    "own_events": (rooms_of.MESSAGES,),
    "company": company_of.ENDPOINTS,
    "visible_events": (*visible.VISIBLE_ENDPOINTS, *puppet.ENDPOINTS),
    "story": visible.STORY_ENDPOINTS,
    "media": (media.LIST,),
    "media_bytes": (media.DOWNLOAD,),
    "delete_media": (media.DELETE,),
}


class SynapseHomeserver:
    """Synapse, spoken to with the token of a server admin; a request is tried again ``retries`` times at once.

    ``lender`` gives the tokens that act as a person; by default the homeserver itself does.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], str] | str,
        retries: int = 4,
        *,
        pause: Pause = asyncio.sleep,
        clock: Clock | None = None,
        lender: Lender | None = None,
    ) -> None:
        self._http = Http(url, token, retries, pause=pause, clock=clock)
        self._lender: Lender = lender or SynapseLender()
        self._loans = Loans(self._lender)
        self._server_name: str | None = None

    async def close(self) -> None:
        """Give back what was lent, and close the connections."""
        await self._loans.close()
        await self._http.close()

    @property
    def categories(self) -> Sequence[str]:
        """Names of the account-level categories, in the order of the archive."""
        return tuple(CATEGORIES)

    async def version(self) -> ServerVersion:
        """Return what software this is; where the federation API is not reachable, what the admin API says."""
        try:
            server = (await self._http.call(VERSION)).get("server")
        except Rejected:
            number = (await self._http.call(ADMIN_VERSION)).get("server_version")
            return ServerVersion("Synapse", str(number).split(" ", 1)[0])  # a build from source adds its branch
        if not isinstance(server, Mapping):
            raise Unavailable("bad_answer")
        return ServerVersion(str(server.get("name")), str(server.get("version")))

    async def account(self, user: UserId) -> Account | None:
        """Return the account, or None if this server has none of that name (also for remote users)."""
        if not await self._is_local(user):
            return None
        try:
            answer = await self._http.call(ACCOUNT, path={"user": user})
        except Gone as error:
            if error.code == "M_NOT_FOUND":
                return None
            raise  # the admin API is not reachable here: that says nothing about the account
        return _account(user, answer)

    async def collect(self, category: str, user: UserId) -> Collected:
        """Return what one category holds: allow-listed fields only. Raises `KeyError` for an unknown name."""
        chosen = CATEGORIES[category]
        if chosen.ask is not None and not chosen.remote and not await self._is_local(user):
            return Collected(category, (), missing="account_remote", title=chosen.title)
        return replace(await chosen.collect(self._subject(user)), title=chosen.title)

    async def rooms(self, user: UserId) -> Rooms:
        """Return every room ever joined, invited to or knocked at, forgotten and server-left ones included."""
        return await rooms_of.find_rooms(self._subject(user))

    async def own_events(self, room_id: RoomId, user: UserId, start: str | None, limit: int = 1000) -> EventPage:
        """Return a page of the events that ``user`` sent in a room, oldest first; `Tripwire` for anybody else's."""
        return await events.own_events(self._http, room_id, user, start, limit)

    async def company(self, room_id: RoomId, user: UserId) -> RoomCompany:
        """Return which servers and services were in a room with ``user``, their own server included."""
        return await company_of.company(self._subject(user), room_id)

    async def visible_events(self, room_id: RoomId, user: UserId, start: str | None, limit: int = 500) -> EventPage:
        """Return a page of what ``user`` may read in a room, oldest first, as the server decides it for them."""
        subject = Subject(user, self._http, lender=self._loans)  # page after page: one key for all of them
        return await visible.visible_events(subject, room_id, start, limit)

    async def story(self, room_id: RoomId, user: UserId, start: str | None, limit: int = 1000) -> StoryPage:
        """Return a page of a room's whole story, reduced to what decides what ``user`` may read."""
        return await visible.story(self._subject(user), room_id, start, limit)

    async def media(self, user: UserId, start: int = 0, limit: int = 500) -> MediaPage:
        """Return a page of the media that ``user`` uploaded; remote users upload nothing here."""
        if not await self._is_local(user):
            return MediaPage((), None)
        return await media.listed(self._http, user, start, limit)

    def media_bytes(self, item: MediaItem) -> AsyncIterator[bytes]:
        """Yield the bytes of a medium in blocks; `Gone` if the server no longer has them or withholds them."""
        return media.downloaded(self._http, item)

    async def delete_media(self, url: Mxc) -> bool:
        """Delete one local medium; False if it was gone already."""
        return await media.deleted(self._http, url)

    def _subject(self, user: UserId) -> Subject:
        return Subject(user, self._http, lender=self._lender)

    async def _is_local(self, user: UserId) -> bool:
        if self._server_name is None:
            own = (await self._http.call(puppet.WHOAMI)).get("user_id")
            if not isinstance(own, str):
                raise Unavailable("bad_answer")
            self._server_name = server_of(UserId(own))
        return server_of(user) == self._server_name


def _account(user: UserId, answer: Mapping[str, Any]) -> Account:
    created = answer.get("creation_ts")
    return Account(
        user_id=user,
        created_at=datetime.fromtimestamp(created, UTC) if isinstance(created, int) else None,  # seconds here
        deactivated=bool(answer.get("deactivated")),
        locked=bool(answer.get("locked")),
        suspended=bool(answer.get("suspended")),
        erased=bool(answer.get("erased")),
    )
