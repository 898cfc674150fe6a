"""The half of an account that needs no keys of its device: rooms, media, redactions. Whoever has its token can do it.

It imports nothing that encrypts messages, so that a process which only runs jobs stays small.
"""

from collections.abc import Sequence
from pathlib import Path

from dpobot.matrix import relations
from dpobot.matrix.api import RoomFacts
from dpobot.matrix.http import Http, path
from dpobot.matrix.media import Media
from dpobot.matrix.rooms import Rooms
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.model.records import EncryptedFile

_A_WHILE = 600.0  # seconds that members of a room are remembered by who is not told when they change


class Desk:
    """An account's requests; every method is described in `dpobot.matrix.api.Courier`.

    ``hears``: whether /sync tells it of changes; else `direct_rooms` may be ten minutes behind with what it has seen.
    """

    def __init__(self, http: Http, user_id: UserId, *, hears: bool = True) -> None:
        self._http = http
        self._user_id = user_id
        self._rooms = Rooms(http, user_id) if hears else Rooms(http, user_id, _A_WHILE)
        self._media = Media(http)

    @property
    def user_id(self) -> UserId:
        """The account's full user ID."""
        return self._user_id

    async def redact(self, room_id: RoomId, event_id: EventId, *, txn_id: str) -> None:
        """See `Courier.redact`."""
        await self._http.call("PUT", path("rooms", room_id, "redact", event_id, txn_id), {})

    async def own_relations(self, room_id: RoomId, event_id: EventId) -> Sequence[EventId]:
        """See `Courier.own_relations`."""
        return await relations.own(self._http, self._user_id, room_id, event_id)

    async def leave(self, room_id: RoomId) -> None:
        """See `Courier.leave`."""
        await self._rooms.leave(room_id)

    async def room(self, room_id: RoomId) -> RoomFacts:
        """See `Courier.room`."""
        return await self._rooms.facts(room_id)

    async def create_direct(self, user_id: UserId) -> RoomId:
        """See `Courier.create_direct`."""
        return await self._rooms.create_direct(user_id)

    async def direct_rooms(self, user_id: UserId) -> Sequence[RoomId]:
        """See `Courier.direct_rooms`."""
        return await self._rooms.direct(user_id)

    async def upload_encrypted(self, path: Path, media_type: str) -> EncryptedFile:
        """See `Courier.upload_encrypted`; ``media_type`` is for the encrypted event, the server does not see it."""
        return await self._media.upload(path)

    async def upload_limit(self) -> int:
        """See `Courier.upload_limit`."""
        return await self._media.limit()

    async def download_encrypted(self, file: EncryptedFile, target: Path, *, most: int | None = None) -> None:
        """See `Courier.download_encrypted`."""
        await self._media.download(file, target, most)

    async def media_exists(self, url: Mxc) -> bool:
        """See `Courier.media_exists`."""
        return await self._media.exists(url)
