"""Which room is safe for a person's data: encrypted, and holding exactly that person and the bot."""

from collections.abc import Collection

from dpobot.errors import Rejected, Unavailable
from dpobot.matrix.api import Courier, RoomFacts
from dpobot.model.ids import RoomId, UserId

ROOM_NOT_SAFE = "room_not_safe"  # why a delivery waits


def is_safe(facts: RoomFacts, person: UserId, bot: UserId) -> bool:
    """Say whether personal data may enter this room now (product: Identity)."""
    return facts.encrypted and facts.is_exactly(person, bot)


async def check(matrix: Courier, room_id: RoomId, person: UserId) -> bool:
    """Ask the server, now, whether a room is safe; a room that is gone or closed to us is not."""
    facts = await look(matrix, room_id)
    return facts is not None and is_safe(facts, person, matrix.user_id)


async def look(matrix: Courier, room_id: RoomId) -> RoomFacts | None:
    """Ask the server, now, who is in a room; None if it is gone or closed to us.

    Raises `Unavailable` also when the server no longer knows our token: that says nothing about the room.
    """
    try:
        return await matrix.room(room_id)
    except Rejected as refusal:
        if refusal.status == 401:
            raise Unavailable(refusal.code) from refusal
        return None


async def find(matrix: Courier, person: UserId, *preferred: RoomId | None, never: Collection[RoomId]) -> RoomId | None:
    """Return a safe room for a person: the first preferred one that is safe, else any other direct message.

    ``never``: the staff room (`staff_rooms.ever`), which with a single member in it looks like one.
    """
    for room_id in preferred:
        if room_id is not None and room_id not in never and await check(matrix, room_id, person):
            return room_id
    for room_id in await matrix.direct_rooms(person):
        if room_id not in (*preferred, *never) and await check(matrix, room_id, person):
            return room_id
    return None


async def pending(matrix: Courier, person: UserId, never: Collection[RoomId]) -> RoomId | None:
    """Return an encrypted room that waits for the person to accept our invitation, so that no second one is made."""
    for room_id in await matrix.direct_rooms(person):
        if room_id in never:
            continue
        facts = await look(matrix, room_id)
        if facts is not None and facts.encrypted and facts.joined == {matrix.user_id} and facts.invited == {person}:
            return room_id
    return None


async def find_or_open(matrix: Courier, person: UserId, *preferred: RoomId | None, never: Collection[RoomId]) -> RoomId:
    """Return a safe room, or a new encrypted direct message in which only the person is invited."""
    found = await find(matrix, person, *preferred, never=never)
    if found is not None:
        return found
    waiting = await pending(matrix, person, never)
    return waiting if waiting is not None else await matrix.create_direct(person)
