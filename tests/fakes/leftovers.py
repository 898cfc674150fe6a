"""What the homeserver in memory still holds of somebody: `Leftovers`, for the tests of what asks."""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from typing import Any

from dpobot.errors import DpobotError, Gone
from dpobot.homeserver.verifying.asking import left
from dpobot.homeserver.verifying.content import Holding, holding, threaded
from dpobot.homeserver.verifying.directory import judged
from dpobot.model.erasure import Residual
from dpobot.model.ids import Mxc, RoomId, UserId
from tests.fakes.homeserver import FakeHomeserver, FakeRoom


class FakeLeftovers:
    """Looks into a `FakeHomeserver`; ``fault`` lets the next calls of a method fail, one error each."""

    def __init__(self, fake: FakeHomeserver) -> None:
        self._fake = fake
        self._faults: defaultdict[str, deque[DpobotError]] = defaultdict(deque)
        self.calls: list[str] = []

    def fault(self, method: str, *errors: DpobotError) -> None:
        """Let the next calls of a method fail."""
        self._faults[method].extend(errors)

    async def of_account(self, user: UserId) -> Sequence[Residual]:
        """Return what is left of the account: records arranged with `hold`, and what never goes."""
        self._called("of_account")
        account = self._fake.accounts.get(user)
        if account is None:
            raise Gone("M_NOT_FOUND", 404)
        joined = sum(room.members.get(user) == "join" for room in self._fake.rooms_held.values())
        records = [
            residual
            for (category, owner), collected in self._fake._collected.items()
            if owner == user and category != "account"
            for residual in left(category, len(collected.records))
        ]
        return (
            *left("account", not account.deactivated, "not_deactivated"),
            *left("account", not account.erased, "not_erased"),
            Residual("account", 1, "name_reserved"),
            *left("joined_rooms", joined),
            *records,
            Residual("search_index", 0, "search_index"),
            Residual("server_logs", 0, "log_files"),
        )

    async def of_media(self, user: UserId, *, everything: bool) -> Sequence[Residual]:
        """Return how many uploads are left."""
        self._called("of_media")
        count = sum(owner == user for owner, _, _ in self._fake._media.values())
        return left("media", count, "still_there" if everything else "others_can_see")

    async def of_file(self, url: Mxc) -> Sequence[Residual]:
        """Return whether the bytes of a file are left."""
        self._called("of_file")
        return left("media", url in self._fake._media and self._fake._media[url][2] is not None)

    async def of_room(self, room_id: RoomId, user: UserId, *, everything: bool) -> Sequence[Residual]:
        """Return which events of the person still hold content, and what the directory shows of them."""
        self._called("of_room")
        room = self._fake.rooms_held.get(room_id)
        own = [event for event in (room.events if room else ()) if event["sender"] == user]
        held = Counter(holding(event) for event in own)
        sent = "still_there" if everything else "others_have_copy"
        return [
            *left("messages", held[Holding.MESSAGE], sent),
            *left("other_events", held[Holding.OTHER], sent),
            *left("state", held[Holding.STATE]),
            *left("state_kept", held[Holding.KEPT], "keeps_room_working"),
            *left("redaction_reasons", held[Holding.REASON], "keeps_it_taken_back"),
            *left("thread_messages", 0 if everything else sum(map(threaded, own)), "thread_summary"),
            *(residual for event in _shown(room) for residual in judged(event, user)),
        ]

    async def of_deleted_room(self, room_id: RoomId) -> Sequence[Residual]:
        """Return whether a room is still there."""
        self._called("of_deleted_room")
        return left("rooms", room_id in self._fake.rooms_held)

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self._faults[method]:
            raise self._faults[method].popleft()


def _shown(room: FakeRoom | None) -> list[dict[str, Any]]:
    """Return the state in force of whatever the directory of rooms shows something of."""
    if room is None:
        return []
    state = {event["type"]: event for event in room.events if event.get("state_key") == ""}
    return [state[kind] for kind, value in room.shown.items() if value]
