"""What a Synapse still holds of a person: `Leftovers` (facts: homeserver.md 2)."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from dpobot.clock import Clock
from dpobot.errors import Rejected
from dpobot.homeserver import puppet
from dpobot.homeserver.http import Http, Pause
from dpobot.homeserver.puppet import Lender, SynapseLender
from dpobot.homeserver.verifying import account, directory, media, personal, rooms, unaskable
from dpobot.homeserver.verifying.asking import Asking, Inquiry
from dpobot.model.erasure import Residual
from dpobot.model.ids import Mxc, RoomId, UserId

# which endpoints each method of the Protocol uses
ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "of_account": (*account.ENDPOINTS, *personal.ENDPOINTS, *puppet.ENDPOINTS),
    "of_media": (media.LIST,),
    "of_file": (media.DOWNLOAD,),
    "of_room": (rooms.EVENTS, *directory.ENDPOINTS),
    "of_deleted_room": rooms.ENDPOINTS,
}


class SynapseLeftovers:
    """Synapse, asked with the token of a server admin; a request is tried again ``retries`` times at once."""

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
        self._lender = lender or SynapseLender()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def of_account(self, user: UserId) -> Sequence[Residual]:
        """Return what is left of the account, and what can't be asked."""
        asking = Asking(user, self._http)
        found = await _put(account.INQUIRIES, asking)
        return (*found, *await self._as_person(asking), *unaskable.residuals())

    async def of_media(self, user: UserId, *, everything: bool) -> Sequence[Residual]:
        """Return how many uploads are left."""
        return await media.of_media(self._http, user, everything=everything)

    async def of_file(self, url: Mxc) -> Sequence[Residual]:
        """Return whether the bytes of a file can still be had."""
        return await media.of_file(self._http, url)

    async def of_room(self, room_id: RoomId, user: UserId, *, everything: bool) -> Sequence[Residual]:
        """Return which events of the person still hold content, and what the directory of rooms shows of them."""
        return await rooms.of_room(self._http, room_id, user, everything=everything)

    async def of_deleted_room(self, room_id: RoomId) -> Sequence[Residual]:
        """Return whether a room is still there."""
        return await rooms.of_deleted_room(self._http, room_id)

    async def _as_person(self, asking: Asking) -> Sequence[Residual]:
        async with contextlib.AsyncExitStack() as stack:
            try:
                token = await stack.enter_async_context(self._lender.lend(self._http, asking.user))
            except Rejected as refusal:
                return personal.not_lent(refusal)
            return await _put(personal.INQUIRIES, asking.speaking_as(token))


async def _put(inquiries: Iterable[Inquiry], asking: Asking) -> Sequence[Residual]:
    found: list[Residual] = []
    for inquiry in inquiries:
        found += await inquiry.put(asking)
    return found
