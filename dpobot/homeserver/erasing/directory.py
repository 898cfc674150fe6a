"""Name, topic and picture of a room as the directory of rooms shows them: set to nothing after they were redacted.

Synapse keeps a copy of all three for the directory, for spaces and for previews. It follows new state, but no redaction
(measured on 1.163): what is only redacted is shown there for ever. Not the other way round: the new event tells what it
replaces, and Synapse goes on telling that from its cache if somebody has asked before the redaction.
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

# for which a room counts as one without (spec, ``m.room.name``); no name and no topic is accepted without a text
NOTHING: Mapping[str, Event] = {
    "m.room.avatar": {"url": ""},
    "m.room.name": {"name": ""},
    "m.room.topic": {"topic": ""},
}


def shown(own: Iterable[Event]) -> Mapping[str, str]:
    """Return what the directory may show of somebody's events (oldest first): type -> ID of the newest.

    What is redacted already counts, too: the run that did it may not have come further. Nothing is none.
    """
    newest = {
        str(event["type"]): event for event in own if event.get("type") in NOTHING and event.get("state_key") == ""
    }
    return {kind: str(event["event_id"]) for kind, event in newest.items() if event.get("content") != NOTHING[kind]}


async def taken_down(person: Subject, room_id: RoomId, events: Mapping[str, str]) -> None:
    """Set to nothing what is in force of these events (type -> ID).

    Where the person may not set it, it stays. Raises `Unavailable`.
    """
    for kind, event in events.items():
        try:
            found = await person.ask(IN_FORCE, params={"format": "event"}, room=room_id, type=kind)
            if found.get("event_id") == event:  # else somebody has set another since, which is theirs
                await person.ask(SET, body=NOTHING[kind], room=room_id, type=kind)
        except Rejected as error:
            if error.status == 401:  # the key to the account has ended
                raise Unavailable("acting_ended") from error
