"""What a homeserver holds of a person, added up: for the plan of an erasure, and for what its receipt counts."""

from collections.abc import Mapping, Sequence

from dpobot.engine.api import StepResult, Steps
from dpobot.homeserver.api import Homeserver
from dpobot.jobs.counting import Counted, CountedRoom, Counting
from dpobot.jobs.parts import Parts
from dpobot.jobs.private_media import Uploads, look_through
from dpobot.model.erasure import ErasureOptions, Fate, Survey
from dpobot.model.ids import RoomId, UserId

# what a survey counts -> the categories of the homeserver that hold it
_ACCOUNT: Mapping[str, tuple[str, ...]] = {
    "devices": ("devices",),
    "addresses": ("third_party_ids",),
    "account_data": ("account_data", "room_account_data"),
    "sso_links": ("sso_links",),
}


class Holdings:
    """Counts in steps; what a person said to the bot itself is left out."""

    def __init__(self, parts: Parts, steps: Steps, person: UserId, options: ErasureOptions) -> None:
        self._parts = parts
        self._steps = steps
        self._person = person
        self._options = options

    async def survey(self) -> Survey:
        """Return what there is now."""
        counted = await Counting(self._parts, self._steps, self._person, self._options).rooms()
        uploads = await look_through(self._parts.homeserver, self._steps, self._person, counted.named)
        account = await self.account([room.room_id for room in counted.of(Fate.OURS)])
        return _survey(counted, uploads, account)

    async def account(self, ours: Sequence[RoomId]) -> Mapping[str, int]:
        """Return how many devices, addresses and so on there are."""
        return await self._steps.step("account", lambda: self._account(ours))

    async def _account(self, ours: Sequence[RoomId]) -> StepResult:
        homeserver = self._parts.homeserver
        return {
            name: sum([await _count(homeserver, category, self._person, ours) for category in categories])
            for name, categories in _ACCOUNT.items()
        }


async def _count(homeserver: Homeserver, category: str, person: UserId, ours: Sequence[RoomId]) -> int:
    if category not in homeserver.categories:
        return 0
    collected = await homeserver.collect(category, person)
    return sum(record.get("room_id") not in ours for record in collected.records)


def _survey(counted: Counted, uploads: Uploads, account: Mapping[str, int]) -> Survey:
    shared, sole = counted.of(Fate.REDACT), counted.of(Fate.PURGE)
    lonely = [room for room in counted.rooms if room.lonely]
    return Survey(
        messages=_sum(shared, "messages"),
        state=_sum(shared, "state"),
        state_kept=_sum(shared, "kept"),
        shared_rooms=len(shared),
        left_rooms=sum(room.membership != "join" for room in shared),
        sole_rooms=sum(not room.lonely for room in sole),
        direct_rooms=len(lonely),
        media=uploads.count,
        media_bytes=uploads.size,
        media_private=len(uploads.private),
        servers=tuple(sorted(counted.servers)),
        **account,
    )


def _sum(rooms: Sequence[CountedRoom], what: str) -> int:
    return sum(int(getattr(room, what)) for room in rooms)
