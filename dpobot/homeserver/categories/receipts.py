"""How far the person has read: their receipts, private ones included, and fully-read markers (spec, "Receipts")."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dpobot.homeserver.category import PLAIN, Category, Found, Params, Record, Subject, entries, object_of, records_of
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.model.ids import UserId
from dpobot.text.language import translatable

_SYNC = "GET /_matrix/client/v3/sync"
_NOTHING = {"not_types": ["*"]}
_FILTER = {
    "presence": _NOTHING,
    "account_data": _NOTHING,
    "room": {
        "include_leave": True,
        # a room without any news would be left out; the event itself is not looked at
        "timeline": {"limit": 1},
        "state": _NOTHING,
        "ephemeral": {"types": ["m.receipt"]},
        "account_data": {"types": ["m.fully_read"]},
    },
}


async def _ask(subject: Subject) -> Found:
    params: Params = {"filter": json.dumps(_FILTER), "set_presence": "offline", "timeout": 0}
    async with subject.acting() as person:
        rooms = object_of((await person.ask(_SYNC, params=params)).get("rooms", {}))
    return Found(
        tuple(
            record
            for section in ("join", "leave")
            for room, content in entries(rooms.get(section, {}))
            for record in _of_room(room, content, subject.user)
        )
    )


def _of_room(room: str, content: Any, user: UserId) -> Iterator[Record]:
    for event in _events(content, "ephemeral"):
        for event_id, types in _members(event.get("content")):
            for type_, readers in _members(types):
                # everybody's receipts come in one event: only the person's own entry is taken
                own = readers.get(user) if isinstance(readers, Mapping) else None
                if isinstance(own, Mapping):
                    yield {
                        "ts": own.get("ts"),
                        "thread_id": own.get("thread_id"),
                        "room_id": room,
                        "type": type_,
                        "event_id": event_id,
                    }
    for event in _events(content, "account_data"):
        marker = event.get("content")
        if event.get("type") == "m.fully_read" and isinstance(marker, Mapping):
            yield {"room_id": room, "type": "m.fully_read", "event_id": marker.get("event_id")}


def _events(content: Any, section: str) -> tuple[Record, ...]:
    return records_of(object_of(object_of(content).get(section, {})).get("events", []))


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    # other servers fill these in: what one of them wrote wrongly must not stop anybody's copy
    return value.items() if isinstance(value, Mapping) else ()


CATEGORY = Category(
    name="receipts",
    title=translatable("Read receipts"),
    purpose="Needed to count unread messages and to show others what was read, if the person wishes (Art. 6(1)(b)).",
    endpoints=(_SYNC, *PUPPET),
    fields=dict.fromkeys(("room_id", "type", "event_id", "thread_id", "ts"), PLAIN),
    ask=_ask,
)
