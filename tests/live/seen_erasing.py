"""An erasure in the right order, step by step at the homeserver alone: what dpobot's job does, without the bot."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

from dpobot.homeserver.api import Homeserver
from dpobot.homeserver.changes import Changes, Depth
from dpobot.model.ids import Mxc, RoomId, UserId

AT_ONCE = 8
_PATIENCE = 200  # how often something that goes on in the background is asked for


async def erase(homeserver: Homeserver, changes: Changes, person: UserId, *, everything: bool) -> None:
    """Erase a person; ``everything``: with the options ``redact`` and ``media``, else only what everybody gets."""
    rooms = {room.room_id: room.membership for room in (await homeserver.rooms(person)).rooms}
    sole = {room for room in rooms if (await changes.people(room, person)).ever == 0}
    shared = {room: membership for room, membership in rooms.items() if room not in sole}
    private = await _private_media(homeserver, changes, person, list(shared), sole)
    depth = Depth.ALL if everything else Depth.STATE
    await changes.prepare_erasure(person)
    for room, membership in shared.items():
        if membership == "join":
            await _redact(changes, room, person, depth)
        else:
            await changes.redact_left(room, person, depth)
    if everything:
        while await changes.delete_all_media(person):
            pass
    else:
        for url in private:
            await homeserver.delete_media(url)
    await changes.delete_links(person)
    for room in sole:
        await _until(partial(changes.delete_room, room))
    await changes.clear_profile(person)
    await changes.deactivate(person)
    await _until(partial(changes.finish_erasure, person))


async def _redact(changes: Changes, room: RoomId, person: UserId, depth: Depth) -> None:
    """Redact window by window until a whole pass redacts nothing."""
    for _ in range(_PATIENCE):
        done, start = 0, None
        while True:
            window = await changes.redact(room, person, depth, start, AT_ONCE)
            done, start = done + window.count, window.next
            if start is None:
                break
        if done == 0:
            return
    raise AssertionError("there is no end of redactions")


async def _private_media(
    homeserver: Homeserver, changes: Changes, person: UserId, shared: Sequence[RoomId], sole: Iterable[RoomId]
) -> frozenset[Mxc]:
    """Return the uploads that no room with others names; where encrypted events may: that a sole room names."""
    named = [await changes.media_in(room, person) for room in shared]
    known = frozenset[Mxc]().union(*(part for part in named if part is not None))
    if None in named:
        alone = [await changes.media_in(room, person) for room in sole]
        return frozenset[Mxc]().union(*(part for part in alone if part is not None)) - known
    return frozenset(item.url for item in (await homeserver.media(person)).items) - known


async def _until(done: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(_PATIENCE):
        if await done():
            return
        await asyncio.sleep(0.05)  # what goes on in the server has no other sign
    raise AssertionError("it never ended")
