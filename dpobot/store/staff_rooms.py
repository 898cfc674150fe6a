"""Which rooms are or were the staff room, and whom the bot has let into the one that it made."""

import json
from collections.abc import Collection

from dpobot.model.ids import RoomId, UserId
from dpobot.store import bot_state
from dpobot.store.tx import Tx

_MADE = "staff.made"  # the room that the bot made itself: also remembered while nobody can work in it
_EVER = "staff.rooms"  # all there have been: JSON
_LET_IN = "staff.let_in"  # members for whom the door of the made room has been opened: JSON


async def made(tx: Tx) -> RoomId | None:
    """Return the room that the bot made, None if it has made none."""
    found = await bot_state.get(tx, _MADE)
    return None if found is None else RoomId(found)


async def note_made(tx: Tx, room_id: RoomId, members: Collection[UserId]) -> None:
    """Remember the room that the bot has made, and who was invited there."""
    await bot_state.set(tx, _MADE, room_id)
    await note(tx, room_id)
    await note_let_in(tx, members)


async def note(tx: Tx, room_id: RoomId) -> None:
    """Remember that a room is the staff room; that it was counts for good."""
    known = await _list(tx, _EVER, lock=True)
    if room_id not in known:
        await bot_state.set(tx, _EVER, json.dumps([*known, room_id]))


async def ever(tx: Tx) -> frozenset[RoomId]:
    """Return all rooms that are or were the staff room: nothing meant for one person goes there, whoever is inside."""
    known = await bot_state.several(tx, bot_state.STAFF_ROOM, _MADE, _EVER)
    return frozenset(RoomId(room_id) for room_id in [*json.loads(known.pop(_EVER, "[]")), *known.values()])


async def let_in(tx: Tx) -> frozenset[UserId]:
    """Return the members for whom the door of the made room has been opened, whatever they have done since."""
    return frozenset(UserId(user_id) for user_id in await _list(tx, _LET_IN))


async def note_let_in(tx: Tx, members: Collection[UserId]) -> None:
    """Remember for whom the door has been opened; who is not named any more is forgotten."""
    await bot_state.set(tx, _LET_IN, json.dumps(sorted(members)))


async def _list(tx: Tx, key: str, *, lock: bool = False) -> list[str]:
    found = await bot_state.get(tx, key, lock=lock)
    return [] if found is None else [str(each) for each in json.loads(found)]
