"""Name, topic and picture of a room as the directory of rooms shows them: taken down before they are redacted.

Synapse keeps a copy of all three for the directory, for spaces and for previews. It follows new state, but no redaction
(measured on 1.163): what is only redacted is shown there for ever. So it is first set to nothing, for which a room
counts as one without (spec, ``m.room.name``), and then what was set before is redacted.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.category import Subject
from dpobot.model.ids import RoomId

IN_FORCE = "GET /_matrix/client/v3/rooms/{room}/state/{type}"
SET = "PUT /_matrix/client/v3/rooms/{room}/state/{type}"
ENDPOINTS = (IN_FORCE, SET)

Event = Mapping[str, Any]

# what nothing is, of each: Synapse accepts no name and no topic without a text
NOTHING: Mapping[str, Event] = {"m.room.avatar": {}, "m.room.name": {"name": ""}, "m.room.topic": {"topic": ""}}


async def taken_down(person: Subject, room_id: RoomId, going: Iterable[Event]) -> None:
    """Set what the directory shows to nothing, if it is in force and among the events that are about to go.

    ``going``: events of the person's that hold content, oldest first; nothing is none.
    Where the person may not set it, it stays. Raises `Unavailable`.
    """
    for kind, event in {str(event["type"]): event["event_id"] for event in going if is_shown(event)}.items():
        try:
            found = await person.ask(IN_FORCE, params={"format": "event"}, room=room_id, type=kind)
            if found.get("event_id") == event:  # else somebody has set another since, which is theirs
                await person.ask(SET, body=NOTHING[kind], room=room_id, type=kind)
        except Rejected as error:
            if error.status == 401:  # the key to the account has ended
                raise Unavailable("acting_ended") from error


def is_shown(event: Event) -> bool:
    """Tell whether an event is what the directory takes a name, a topic or a picture from."""
    return event.get("type") in NOTHING and event.get("state_key") == ""
