"""Which events of a room are edited, answered, reacted to: found in a first pass, so that pages show it in place.

Only events that others refer to are remembered (some 400 bytes each), of one room at a time, and at most `MOST` of
them: what is beyond that stands on its own line. (Client-Server API, "Forming relationships between events".)
"""

import json
import struct
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, BinaryIO, NamedTuple

MOST = 100_000  # events of a room that are referred to
_MOST_WEIGHT = 60_000  # bytes of edits that a page shows of one event, about
_SIGNS = (b'"m.relates_to"', b'"m.room.redaction"')  # of an event that may refer to another
_HOW = {"m.replace": "edit", "m.annotation": "reaction", "m.thread": "thread"}
_PLACE = struct.Struct("<IIIQ")
_ENCRYPTED = b'"m.room.encrypted"'


class Place(NamedTuple):
    """Where an event is shown: its number in the room, its page's, its volume's."""

    number: int
    page: int
    volume: int
    start: int  # in the room's file of the spool, bytes


class Related(NamedTuple):
    """What an event refers to. ``how``: edit, reaction, thread, reply, other."""

    how: str
    target: str


def relations_of(event: Mapping[str, Any]) -> list[Related]:
    """Return what an event refers to; never raises, whatever it holds."""
    content = _mapping(event.get("content"))
    if event.get("type") == "m.room.redaction":
        target = event.get("redacts") or content.get("redacts")
        return [Related("other", target)] if isinstance(target, str) else []
    relation = _mapping(content.get("m.relates_to"))
    found = []
    target, how = relation.get("event_id"), relation.get("rel_type")
    if isinstance(target, str):
        found.append(Related(_HOW.get(how, "other") if isinstance(how, str) else "other", target))
    answered = _mapping(relation.get("m.in_reply_to")).get("event_id")
    if isinstance(answered, str) and not relation.get("is_falling_back"):
        found.append(Related("reply", answered))
    return found


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


class Relations:
    """What refers to what in one room, whose events ``file`` holds, one a line (`Spool.reading`)."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.encrypted = False  # whether the room holds an encrypted event
        self._edits: dict[int, list[int]] = {}  # of what refers to an event: where it begins in the file
        self._reactions: dict[int, list[int]] = {}
        self._wanted: set[int] = set()
        self._placed: dict[int, bytes] = {}
        start = 0
        for line in file:
            self._scan(start, line)
            start += len(line)

    def _scan(self, start: int, line: bytes) -> None:
        encrypted = not self.encrypted and _ENCRYPTED in line
        if not encrypted and not any(sign in line for sign in _SIGNS):
            return
        event = json.loads(line)
        self.encrypted |= event.get("type") == "m.room.encrypted"
        if "redacted_because" in _mapping(event.get("unsigned")):
            return
        for how, target in relations_of(event):
            key = _key(target)
            if key not in self._wanted and len(self._wanted) >= MOST:
                continue
            self._wanted.add(key)
            if how == "edit":
                self._edits.setdefault(key, []).append(start)
            elif how == "reaction":
                self._reactions.setdefault(key, []).append(start)

    def edits(self, event_id: str) -> list[dict[str, Any]]:
        """Return the events that say they edit this one."""
        return [self.read(start) for start in self._edits.get(_key(event_id), ())] if self._edits else []

    def reactions(self, event_id: str) -> list[dict[str, Any]]:
        """Return the events that react to this one."""
        return [self.read(start) for start in self._reactions.get(_key(event_id), ())] if self._reactions else []

    def knows(self, event_id: str) -> bool:
        """Whether what refers to this event is remembered."""
        return _key(event_id) in self._wanted

    @property
    def none(self) -> bool:
        """Whether no event of this room refers to another."""
        return not self._wanted

    def weight(self, event_id: str) -> int:
        """Return bytes that an event's page needs for its edits, about."""
        if not self._edits:
            return 0
        weight = 0
        for start in self._edits.get(_key(event_id), ()):
            weight += len(self._line(start))
            if weight > _MOST_WEIGHT:
                return _MOST_WEIGHT
        return weight

    def place(self, event_id: str, place: Place) -> None:
        """Remember where an event is shown, if another refers to it."""
        if self._wanted and (key := _key(event_id)) in self._wanted:
            self._placed[key] = _PLACE.pack(*place)

    def where(self, event_id: str) -> Place | None:
        """Return where an event is shown; None if it isn't yet, or not at all."""
        packed = self._placed.get(_key(event_id))
        return Place(*_PLACE.unpack(packed)) if packed else None

    def read(self, start: int) -> dict[str, Any]:
        """Return the event that begins there in the room's file."""
        return dict(json.loads(self._line(start)))

    def _line(self, start: int) -> bytes:
        self._file.seek(start)
        return self._file.readline()


def _key(event_id: str) -> int:
    return int.from_bytes(blake2b(event_id.encode(errors="replace"), digest_size=8).digest())
