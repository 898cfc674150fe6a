"""What is left of a person in a room, and whether a room that was to be deleted is gone."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.homeserver.http import Http
from dpobot.homeserver.verifying.asking import STILL_THERE, left, listed
from dpobot.homeserver.verifying.content import Holding, holding, threaded
from dpobot.homeserver.verifying.directory import of_directory
from dpobot.model.erasure import Residual
from dpobot.model.ids import RoomId, UserId

EVENTS = "GET /_synapse/admin/v1/rooms/{room}/messages"
ROOM = "GET /_synapse/admin/v1/rooms/{room}"
ENDPOINTS = (EVENTS, ROOM)

_PAGE = 1000
_PAGE_BYTES = 16 * 1024 * 1024


async def of_room(http: Http, room_id: RoomId, user: UserId, *, everything: bool) -> list[Residual]:
    """Return which of the person's events hold content, and what the directory shows; an unknown room has none."""
    held: Counter[Holding] = Counter()
    threads = 0
    start: str | None = None
    while True:
        page = await _page(http, room_id, user, start)
        own = [event for event in listed(page, "chunk") if event.get("sender") == user]
        held.update(holding(event) for event in own)
        threads += sum(threaded(event) for event in own)
        end = page.get("end")
        if end is None or end == start:
            break
        start = str(end)
    sent = STILL_THERE if everything else "others_have_copy"
    return [
        *left(Holding.MESSAGE.value, held[Holding.MESSAGE], sent),
        *left(Holding.OTHER.value, held[Holding.OTHER], sent),
        *left(Holding.STATE.value, held[Holding.STATE]),
        *left(Holding.KEPT.value, held[Holding.KEPT], "keeps_room_working"),
        *left(Holding.REASON.value, held[Holding.REASON], "keeps_it_taken_back"),
        # the same messages once more: of some of them not only who was there has a copy
        *left("thread_messages", 0 if everything else threads, "thread_summary"),
        *await of_directory(http, room_id, user),
    ]


async def of_deleted_room(http: Http, room_id: RoomId) -> list[Residual]:
    """Return one residual while the room is known, or any event of it: either alone proves nothing.

    The events of a room that never was are an empty list with status 200 (homeserver.md 1.3).
    """
    try:
        await http.call(ROOM, path={"room": room_id})
    except Gone as gone:
        if gone.code != "M_NOT_FOUND":
            raise
        events = await http.call(EVENTS, path={"room": room_id}, params={"dir": "f", "limit": 1})
        return left("rooms", bool(listed(events, "chunk")))
    return left("rooms", 1)


async def _page(http: Http, room_id: RoomId, user: UserId, start: str | None) -> Mapping[str, Any]:
    """Ask for a page, oldest first (newest first could fetch more from other servers), smaller if it is too large."""
    limit = _PAGE
    chosen = {"dir": "f", "filter": json.dumps({"senders": [user]})} | ({} if start is None else {"from": start})
    while True:
        params: dict[str, str | int] = {**chosen, "limit": limit}
        try:
            page = await http.call(EVENTS, path={"room": room_id}, params=params, max_bytes=_PAGE_BYTES)
        except Rejected as refusal:
            if refusal.code != "answer_too_large" or limit == 1:
                raise
            limit = max(limit // 8, 1)
            continue
        if not all(isinstance(event, Mapping) for event in listed(page, "chunk")):
            raise Unavailable("bad_answer")
        return page
