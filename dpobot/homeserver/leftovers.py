"""What is asked after an erasure: what of a person the homeserver still holds, category by category.

Whoever keeps this Protocol shares no code with what erases (`homeserver.changes`): it asks by itself and counts anew.
"""

from collections.abc import Sequence
from typing import Protocol

from dpobot.model.erasure import Residual
from dpobot.model.ids import Mxc, RoomId, UserId


class Leftovers(Protocol):
    """The independent look afterwards. Errors are those of `homeserver.api.Homeserver`; it changes nothing.

    An empty answer means: asked, and nothing is left. What can't be asked is a `Residual` with count 0 and the reason.
    """

    async def of_account(self, user: UserId) -> Sequence[Residual]:
        """Return what is left of the account: its state, and every account-level category."""
        ...

    async def of_media(self, user: UserId, *, everything: bool) -> Sequence[Residual]:
        """Return how many uploads are left; ``everything``: all were to go, else what others can see may stay."""
        ...

    async def of_file(self, url: Mxc) -> Sequence[Residual]:
        """Return one residual while the bytes of a file can be had at its address: for a sample that was noted."""
        ...

    async def of_room(self, room_id: RoomId, user: UserId, *, everything: bool) -> Sequence[Residual]:
        """Return which events of the person in a room still hold content, and why; ``everything``: not only state.

        Also what the directory of rooms still shows of theirs, and what is in threads: see the reasons.
        """
        ...

    async def of_deleted_room(self, room_id: RoomId) -> Sequence[Residual]:
        """Return what is left of a room that was to be deleted."""
        ...
