"""What another device of the account has said already: it must not be said again under another transaction.

Transaction IDs count for one device (spec, "Transaction identifiers"). A device that goes on with another one's work
can't know by them what that one sent in the moment before it ended and never noted. So each message carries the hash of
its transaction ID inside its encrypted content, and whoever takes over reads the account's newest messages of a room
before it says anything there.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from dpobot import log
from dpobot.errors import Gone
from dpobot.matrix import events
from dpobot.matrix.decryption import Decryption
from dpobot.matrix.http import Http, path
from dpobot.model.ids import EventId, RoomId, UserId

FIELD = "org.dpobot.key"
_PAGE = 50  # own messages of a room: far more than can be under way there at one time
_ROOMS = 1000
_log = log.get(__name__)


def marked(content: Mapping[str, Any], txn_id: str) -> dict[str, Any]:
    """Return a message's content with what makes it known again."""
    return {**content, FIELD: _hash(txn_id)}


class Repeats:
    """The newest messages of the account in the rooms where it is about to speak, for ``seconds`` from now on."""

    def __init__(self, http: Http, me: UserId, decryption: Decryption, seconds: float) -> None:
        self._http = http
        self._me = me
        self._decryption = decryption
        self._until = time.monotonic() + seconds
        self._said: OrderedDict[RoomId, Mapping[str, EventId]] = OrderedDict()

    async def find(self, room_id: RoomId, txn_id: str) -> EventId | None:
        """Return the event that a transaction has become before, by whichever device; None if there is none.

        Raises `Unavailable`, `Rejected`.
        """
        if time.monotonic() > self._until:
            self._said.clear()
            return None
        if room_id not in self._said:
            self._said[room_id] = await self._newest(room_id)
            while len(self._said) > _ROOMS:
                self._said.popitem(last=False)
        found = self._said[room_id].get(_hash(txn_id))
        if found is not None:
            _log.info("send_known", room=room_id, event_id=found)
        return found

    async def _newest(self, room_id: RoomId) -> dict[str, EventId]:
        wanted = {"senders": [self._me], "types": ["m.room.encrypted", "m.room.message"]}
        params = {"dir": "b", "limit": str(_PAGE), "filter": json.dumps(wanted)}
        try:
            page = await self._http.call("GET", path("rooms", room_id, "messages"), params=params)
        except Gone:
            return {}
        chunk = page.get("chunk")
        said: dict[str, EventId] = {}
        for raw in chunk if isinstance(chunk, list) else []:
            event = events.received(room_id, raw)
            if event is None or event.sender != self._me:
                continue
            opened = self._decryption.open(event) if event.encrypted else event
            mark = opened.content.get(FIELD)
            if isinstance(mark, str):
                said[mark] = opened.event_id
            elif opened.undecryptable is not None:
                _log.warning("own_message_unreadable", event_id=event.event_id, reason_code=opened.undecryptable)
        return said


def _hash(txn_id: str) -> str:
    return sha256(f"dpobot message {txn_id}".encode()).hexdigest()[:32]
