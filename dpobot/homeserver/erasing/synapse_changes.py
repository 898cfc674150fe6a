"""What dpobot changes at a Synapse: a `Changes` (facts: homeserver.md 2; floor: Synapse 1.157 for left rooms)."""

import asyncio
from collections.abc import Callable, Mapping

from dpobot.clock import Clock
from dpobot.homeserver import media, puppet
from dpobot.homeserver import rooms as rooms_of
from dpobot.homeserver.category import Subject
from dpobot.homeserver.changes import Depth, OwnEvents, Redacted, RoomPeople
from dpobot.homeserver.erasing import (
    account,
    left_rooms,
    links,
    pages,
    people,
    profile,
    room_deletion,
    uploads,
    windows,
)
from dpobot.homeserver.http import Http, Pause
from dpobot.homeserver.puppet import Lender, SynapseLender
from dpobot.model.ids import Mxc, RoomId, UserId

# which endpoints each method of the Protocol uses
ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "people": people.ENDPOINTS,
    "own_counts": pages.ENDPOINTS,
    "direct_rooms": (account.ACCOUNT_DATA,),
    "media_in": pages.ENDPOINTS,
    "prepare_erasure": (links.ACCOUNT, links.CHANGE, account.SUSPEND, account.LIMIT),
    "redact": (*pages.ENDPOINTS, *windows.ENDPOINTS, *puppet.ENDPOINTS),
    "redact_left": (*pages.ENDPOINTS, *left_rooms.ENDPOINTS),
    "delete_all_media": uploads.ENDPOINTS,
    "delete_links": (*links.ENDPOINTS, *rooms_of.ENDPOINTS, *puppet.ENDPOINTS),
    "clear_profile": (profile.PROFILE, profile.DELETE_FIELD),
    "delete_room": room_deletion.ENDPOINTS,
    "deactivate": (account.DEACTIVATE,),
    "finish_erasure": (account.NO_LIMIT, links.ACCOUNT, windows.JOINED_ROOMS),
    "suspend": (account.SUSPEND,),
    "set_display_name": (profile.SET_FIELD,),
    "set_avatar": (profile.SET_FIELD, profile.UPLOAD, media.DELETE, *puppet.ENDPOINTS),
    "set_email": (links.ACCOUNT, links.CHANGE),
}


class SynapseChanges:
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
        self._pause = pause
        self._lender: Lender = lender or SynapseLender()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    # what is looked at first

    async def people(self, room_id: RoomId, user: UserId) -> RoomPeople:
        """Return who else is, or was, in a room; works for rooms that the server has left."""
        return await people.people(self._http, room_id, user)

    async def own_counts(self, room_id: RoomId, user: UserId) -> OwnEvents:
        """Return how many of the person's events in a room still hold content."""
        return await pages.counted(self._http, room_id, user)

    async def direct_rooms(self, user: UserId) -> frozenset[RoomId]:
        """Return the rooms that the person's account data names as direct messages (``m.direct``)."""
        return await account.direct_rooms(self._subject(user))

    async def media_in(self, room_id: RoomId, user: UserId) -> frozenset[Mxc] | None:
        """Return the local media that the person's events in a room name; None if encrypted events may name more."""
        return await uploads.media_in(self._http, room_id, user)

    # erasure

    async def prepare_erasure(self, user: UserId) -> None:
        """Unlock and unsuspend the account and lift its rate limit, so that what follows can act as the person."""
        await account.prepared(self._subject(user))

    async def redact(self, room_id: RoomId, user: UserId, depth: Depth, start: str | None, at_once: int) -> Redacted:
        """Redact one page of the person's events as the person, oldest first; see `windows`."""
        return await windows.redact(self._subject(user), room_id, depth, start, at_once)

    async def redact_left(self, room_id: RoomId, user: UserId, depth: Depth) -> Redacted:
        """Redact what can be in a room that the person is no longer in; see `left_rooms`."""
        return await left_rooms.redact_left(self._subject(user), room_id, depth, self._pause)

    async def delete_all_media(self, user: UserId) -> int:
        """Delete a batch of the person's uploads; return how many went, 0 when nothing is left."""
        return await uploads.delete_all(self._subject(user))

    async def delete_links(self, user: UserId) -> int:
        """Remove single-sign-on links, room addresses, tags and the status message; return how many went."""
        subject = self._subject(user)
        return await links.own_settings(subject) + await links.sso_links(subject)

    async def clear_profile(self, user: UserId) -> None:
        """Remove every custom field; display name and picture go with `deactivate`, see `profile`."""
        await profile.cleared(self._subject(user))

    async def delete_room(self, room_id: RoomId) -> bool:
        """Begin or follow the deletion of a room with all its events; True once it is gone."""
        return await room_deletion.deleted(self._http, room_id, self._pause)

    async def deactivate(self, user: UserId) -> None:
        """Deactivate the account and erase it (spec: ``erase``, MSC4025)."""
        await account.deactivated(self._subject(user))

    async def finish_erasure(self, user: UserId) -> bool:
        """Take back the lifted rate limit; True once the account has left every room and counts as erased."""
        return await account.finished(self._subject(user))

    # restriction and rectification

    async def suspend(self, user: UserId, on: bool) -> None:
        """Suspend an account, or end that (Synapse admin API, MSC3823)."""
        await account.suspended(self._subject(user), on=on)

    async def set_display_name(self, user: UserId, name: str | None) -> None:
        """Set or remove the display name."""
        await profile.display_name(self._subject(user), name)

    async def set_avatar(self, user: UserId, picture: bytes | None, media_type: str | None) -> None:
        """Upload a picture as the person and show it in their profile; None removes the one there is."""
        await profile.avatar(self._subject(user), picture, media_type)

    async def set_email(self, user: UserId, old: str | None, new: str | None) -> None:
        """Replace, add (``old`` None) or remove (``new`` None) an e-mail address. Gone("no_such_email") for ``old``."""
        await account.email(self._subject(user), old, new)

    def _subject(self, user: UserId) -> Subject:
        return Subject(user, self._http, lender=self._lender)
