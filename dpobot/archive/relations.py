"""Which events of a room are edited, answered, reacted to: found in a first pass, so that pages show it in place.

Only events that others refer to are remembered (some 400 bytes each), of one room at a time, and at most `MOST` of
them: what is beyond that stands on its own line. (Client-Server API, "Forming relationships between events".)
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from dpobot.archive.spool import Spool

MOST = 100_000  # events of a room that are referred to
_MOST_WEIGHT = 60_000  # bytes of edits that a page shows of one event, about
_SIGNS = (b'"m.relates_to"', b'"m.room.redaction"')  # of an event that may refer to another
_HOW = {"m.replace": "edit", "m.annotation": "reaction", "m.thread": "thread"}
_ENCRYPTED = b'"m.room.encrypted"'


class Span(NamedTuple):
    """Where an event lies in its room's file of the spool, bytes."""

    start: int
    length: int


class Place(NamedTuple):
    """Where an event is shown: its number in the room, its page's, its volume's."""

    number: int
    page: int
    volume: int
    span: Span


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
    """What refers to what in one room."""

    def __init__(self, spool: Spool, room: int) -> None:
        self._spool, self._room = spool, room
        self.encrypted = False  # whether the room holds an encrypted event
        self._edits: dict[int, list[Span]] = {}
        self._reactions: dict[int, list[Span]] = {}
        self._wanted: set[int] = set()
        self._placed: dict[int, Place] = {}
        for span, line in _spans(spool, room):
            self._scan(span, line)

    def _scan(self, span: Span, line: bytes) -> None:
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
                self._edits.setdefault(key, []).append(span)
            elif how == "reaction":
                self._reactions.setdefault(key, []).append(span)

    def edits(self, event_id: str) -> list[dict[str, Any]]:
        """Return the events that say they edit this one."""
        return [self.read(span) for span in self._edits.get(_key(event_id), ())] if self._edits else []

    def reactions(self, event_id: str) -> list[dict[str, Any]]:
        """Return the events that react to this one."""
        return [self.read(span) for span in self._reactions.get(_key(event_id), ())] if self._reactions else []

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
        return min(sum(span.length for span in self._edits.get(_key(event_id), ())), _MOST_WEIGHT)

    def place(self, event_id: str, place: Place) -> None:
        """Remember where an event is shown, if another refers to it."""
        if self._wanted and (key := _key(event_id)) in self._wanted:
            self._placed[key] = place

    def where(self, event_id: str) -> Place | None:
        """Return where an event is shown; None if it isn't yet, or not at all."""
        return self._placed.get(_key(event_id))

    def read(self, span: Span) -> dict[str, Any]:
        """Return an event."""
        return dict(json.loads(self._spool.event_at(self._room, span.start, span.length)))


def _spans(spool: Spool, room: int) -> Iterator[tuple[Span, bytes]]:
    start = 0
    for line in spool.events(room):
        yield Span(start, len(line)), line
        start += len(line)


def _key(event_id: str) -> int:
    return int.from_bytes(blake2b(event_id.encode(errors="replace"), digest_size=8).digest())
