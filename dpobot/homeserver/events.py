"""A person's own events of a room, from the admin API, and the first check that nobody else's are among them."""

import json
from collections.abc import Mapping
from typing import Any

from dpobot.errors import Rejected, Tripwire
from dpobot.homeserver.api import EventPage
from dpobot.homeserver.category import following, records_of
from dpobot.homeserver.http import Http
from dpobot.homeserver.rooms import MESSAGES
from dpobot.model.ids import RoomId, UserId

_PAGE_BYTES = 16 * 1024 * 1024  # a page of many large events must not decide how much memory the bot needs

# Synapse repeats some of "unsigned" at the top, in the format of the first client API; those copies stay out, too
_OWN_KEYS = ("event_id", "type", "room_id", "sender", "state_key", "origin_server_ts", "content", "redacts")
_REDACTION = ("event_id", "type", "origin_server_ts")
_OWN_REDACTION = (*_REDACTION, "sender", "content")
_OWN_UNSIGNED = ("transaction_id", "membership")


async def own_events(http: Http, room_id: RoomId, user: UserId, start: str | None, limit: int) -> EventPage:
    """Return a page of the events that ``user`` sent, oldest first (Synapse admin API, "Room messages API").

    Asks for less at a time where a page would be too large. Raises `Tripwire` ``foreign_sender`` if the server's filter
    let somebody else's event through.
    """
    params = {"dir": "f", "filter": json.dumps({"senders": [user]})}
    if start is not None:
        params["from"] = start
    while True:
        try:
            answer = await http.call(
                MESSAGES, path={"room": room_id}, params={**params, "limit": limit}, max_bytes=_PAGE_BYTES
            )
            break
        except Rejected as error:
            if error.code != "answer_too_large" or limit <= 1:
                raise
            limit = max(limit // 4, 1)
    return _page(answer, user, start)


def _page(answer: Mapping[str, Any], user: UserId, start: str | None) -> EventPage:
    events = tuple(own_copy(event, user) for event in records_of(answer.get("chunk")))
    end = following(answer, "end", str)
    return EventPage(events, end if end != start else None)


def own_copy(event: Mapping[str, Any], user: UserId) -> dict[str, Any]:
    """Return the event without what the server adds of others: replies in a thread, earlier content, who redacted.

    Raises `Tripwire` if it is not the person's.
    """
    if event.get("sender") != user:
        raise Tripwire("foreign_sender")
    copy = {key: event[key] for key in _OWN_KEYS if key in event}
    unsigned = event.get("unsigned")
    kept = _own_unsigned(unsigned, user) if isinstance(unsigned, Mapping) else {}
    return {**copy, "unsigned": kept} if kept else copy


def _own_unsigned(unsigned: Mapping[str, Any], user: UserId) -> dict[str, Any]:
    kept = {key: unsigned[key] for key in _OWN_UNSIGNED if key in unsigned}
    because = unsigned.get("redacted_because")
    if isinstance(because, Mapping):
        # that it was redacted, when and by which event is theirs to know; a moderator's name and words are not
        names = _OWN_REDACTION if because.get("sender") == user else _REDACTION
        kept["redacted_because"] = {key: because[key] for key in names if key in because}
    if "prev_content" in unsigned and unsigned.get("prev_sender") == user:
        kept["prev_content"] = unsigned["prev_content"]
    return kept
