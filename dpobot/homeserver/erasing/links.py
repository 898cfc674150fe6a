"""What ties an account to other things: single sign-on, room addresses, tags, the status message."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dpobot.errors import Rejected
from dpobot.homeserver.category import Subject, entries, object_of, records_of
from dpobot.homeserver.erasing.power import may_send
from dpobot.homeserver.erasing.windows import STATE
from dpobot.homeserver.rooms import find_rooms, gathered
from dpobot.model.ids import RoomId

ACCOUNT = "GET /_synapse/admin/v2/users/{user}"
CHANGE = "PUT /_synapse/admin/v2/users/{user}"
TAGS = "GET /_matrix/client/v3/user/{user}/rooms/{room}/tags"
TAG = "DELETE /_matrix/client/v3/user/{user}/rooms/{room}/tags/{tag}"
ALIASES = "GET /_matrix/client/v3/rooms/{room}/aliases"
ALIAS = "DELETE /_matrix/client/v3/directory/room/{alias}"
STATUS = "GET /_matrix/client/v3/presence/{user}/status"
SET_STATUS = "PUT /_matrix/client/v3/presence/{user}/status"
ENDPOINTS = (ACCOUNT, CHANGE, TAGS, TAG, ALIASES, ALIAS, STATUS, SET_STATUS, STATE)

_CANONICAL = "m.room.canonical_alias"

Event = Mapping[str, Any]


async def sso_links(subject: Subject) -> int:
    """Remove every link to a provider of single sign-on; return how many there were."""
    held = records_of((await subject.ask(ACCOUNT)).get("external_ids", []))
    if held:
        await subject.ask(CHANGE, body={"external_ids": []})
    return len(held)


async def own_settings(subject: Subject) -> int:
    """Remove tags, the status message and room addresses, acting as the person; return how many went."""
    rooms = (await find_rooms(subject)).rooms
    joined = [room.room_id for room in rooms if room.membership == "join"]
    async with subject.acting() as person:
        tags = await gathered(lambda room: _untagged(person, room), [room.room_id for room in rooms])
        addresses = await gathered(lambda room: _unaddressed(person, room), joined)
        return sum(tags) + sum(addresses) + await _silent(person)


async def _untagged(person: Subject, room: RoomId) -> int:
    tags = [tag for tag, _ in entries((await person.ask(TAGS, room=room)).get("tags", {}))]
    for tag in tags:
        await person.ask(TAG, room=room, tag=tag)
    return len(tags)


async def _unaddressed(person: Subject, room: RoomId) -> int:
    """Remove the addresses that the person alone made: who has no power over a room can remove no others.

    An address that the room is published under belongs to the room; and where the person has power over all of them,
    only the database knows who made one. Those stay.
    """
    try:
        aliases = (await person.ask(ALIASES, room=room)).get("aliases")
    except Rejected as error:
        if error.status not in {403, 404}:
            raise
        return 0  # a room that was just deleted: the server goes on naming it to the person for a while
    if not isinstance(aliases, list) or not aliases:
        return 0
    state = records_of((await replace(person, token=None).ask(STATE, room=room)).get("state"))
    if may_send(state, person.user, _CANONICAL, is_state=True):
        return 0
    published = _published(state)
    return sum([await _removed(person, str(alias)) for alias in aliases if alias not in published])


def _published(state: Sequence[Event]) -> frozenset[str]:
    content = next((object_of(event.get("content")) for event in state if event.get("type") == _CANONICAL), {})
    others = content.get("alt_aliases")
    return frozenset(str(alias) for alias in [content.get("alias"), *(others if isinstance(others, list) else [])])


async def _removed(person: Subject, alias: str) -> bool:
    try:
        await person.ask(ALIAS, alias=alias)
    except Rejected as error:
        if error.status not in {403, 404}:
            raise
        return False  # somebody else's
    return True


async def _silent(person: Subject) -> int:
    """Take the status message away where the server has presence at all."""
    try:
        message = (await person.ask(STATUS)).get("status_msg")
    except Rejected:
        return 0
    if not message:
        return 0
    await person.ask(SET_STATUS, body={"presence": "offline", "status_msg": ""})
    return 1
