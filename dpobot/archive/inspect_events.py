"""What the last look asks of each event: is it the person's, or one that our own check has let pass, and only that?"""

import json
import re
from collections.abc import Iterator
from typing import Any

from dpobot.archive.permits import Permits, digest
from dpobot.errors import Tripwire
from dpobot.model.ids import UserId

_OF_OTHERS = frozenset({"latest_event", "chunk", "invite_room_state", "knock_room_state", "stripped_state"})
# federation's fields and the old v1 copies have no place in client format: they could carry anything
_NO_CLIENT_FORMAT = frozenset({"prev_content", "redacted_because", "auth_events", "signatures", "user_id"})
_PSEUDONYM = re.compile(r"Person [1-9][0-9]*")


class Judge:
    """Looks at every event of an archive. ``permits`` None: only the person's own may be in it."""

    def __init__(self, person: UserId, permits: Permits | None) -> None:
        self._person = person
        self._permits = permits
        self._places: dict[str, int] = {}  # room ID -> how many of its events were seen

    def events(self, lines: Iterator[bytes], room_id: str) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Yield the events of a part of a room beside their lines, each one looked at.

        Raises `Tripwire`: ``not_an_event``, ``foreign_sender``, ``wrong_room``, ``foreign_nested``, ``not_permitted``.
        """
        place = self._places.get(room_id, 0)
        permitted = None if self._permits is None else self._permits.of(room_id, place)
        for line in lines:
            event = _parsed(line)
            self._look(event, room_id)
            # one after the other: nothing else, nothing twice, and none left out in between
            if permitted is not None and next(permitted, None) != digest(room_id, event["event_id"]):
                raise Tripwire("not_permitted")
            place += 1
            yield line, event
        self._places[room_id] = place

    def seen(self, room_id: str) -> int:
        """Return how many events of a room have been looked at."""
        return self._places.get(room_id, 0)

    def whole(self) -> None:
        """Raise `Tripwire` ``counts`` if the archive lacks an event that was let pass."""
        if self._permits is not None and sum(self._places.values()) != self._permits.total():
            raise Tripwire("counts")

    def _look(self, event: dict[str, Any], room_id: str) -> None:
        if not self._may_have_sent(event.get("sender")):
            raise Tripwire("foreign_sender")
        if event.get("room_id") != room_id:
            raise Tripwire("wrong_room")
        unsigned = event.get("unsigned")
        if unsigned is not None:
            self._nested(unsigned)
        if _NO_CLIENT_FORMAT & event.keys():
            raise Tripwire("foreign_nested")

    def _may_have_sent(self, sender: object) -> bool:
        if self._permits is None or sender == self._person or not isinstance(sender, str):
            return sender == self._person
        return not self._permits.pseudonyms or _PSEUDONYM.fullmatch(sender) is not None

    def _nested(self, value: object) -> None:
        """Raise if something under ``unsigned`` was, or may have been, written by somebody else."""
        if isinstance(value, list):
            for item in value:
                self._nested(item)
        if not isinstance(value, dict):
            return
        because = value.get("redacted_because")
        if (
            ("sender" in value and value["sender"] != self._person)
            or _OF_OTHERS & value.keys()
            or ("content" in value and "sender" not in value)
            or ("prev_content" in value and value.get("prev_sender") != self._person)
            or (isinstance(because, dict) and "sender" not in because and because.keys() - {"event_id", "type"})
        ):
            raise Tripwire("foreign_nested")
        for key, item in value.items():
            if key not in ("content", "prev_content"):  # the person's own words, whatever they quote
                self._nested(item)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Tripwire("not_an_event") from error
    if not isinstance(event, dict) or not isinstance(event.get("event_id"), str):
        raise Tripwire("not_an_event")
    return event
