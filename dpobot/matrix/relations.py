"""What the account itself has said about an event: in its thread, as its edits."""

from collections.abc import Mapping
from typing import Any

from dpobot.matrix.http import Http, path
from dpobot.model.ids import EventId, RoomId, UserId

_RELATIONS = "/_matrix/client/v1"
_PAGE = "100"


async def own(http: Http, me: UserId, room_id: RoomId, event_id: EventId) -> list[EventId]:
    """Return the account's events that relate to another, whatever the relation, newest first; none that is redacted.

    Spec 11.28 "Relationships API", ``GET .../relations/{eventId}``; paged as MSC3856 and the history are.
    """
    endpoint = path("rooms", room_id, "relations", event_id, base=_RELATIONS)
    found: list[EventId] = []
    token: str | None = None
    while True:
        params = {"limit": _PAGE} | ({"from": token} if token else {})
        answer = await http.call("GET", endpoint, params=params)
        chunk = answer.get("chunk")
        found += [EventId(str(event["event_id"])) for event in chunk or () if _is_ours(event, me)]
        before, token = token, answer.get("next_batch")
        if not isinstance(token, str) or token == before:
            return found


def _is_ours(event: Any, me: UserId) -> bool:
    if not isinstance(event, Mapping) or event.get("sender") != me or "event_id" not in event:
        return False
    unsigned = event.get("unsigned")
    return not (isinstance(unsigned, Mapping) and "redacted_because" in unsigned)
