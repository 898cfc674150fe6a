"""Which server had somebody in a room, and when: member events in, times out. The people stay in here. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dpobot.homeserver.api import Stay
from dpobot.model.ids import UserId, server_of

Event = Mapping[str, Any]
Span = tuple[int, int | None]  # milliseconds since the epoch; None: still

# A server name as the specification's appendix "Server Name" allows it. What looks otherwise can't be reached.
_SERVER = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")


def server_name(user: object) -> str | None:
    """Return the server of a user ID, None for what is none."""
    if not isinstance(user, str) or not user.startswith("@"):
        return None
    server = server_of(UserId(user))
    return server if _SERVER.fullmatch(server) else None


def moment(event: Event) -> int:
    """Return when an event was sent, as its server says; 0 if that can't be read."""
    value = event.get("origin_server_ts")
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


class Stays:
    """A room's members, event by event in the server's order; for ``own`` users it is kept when each was there.

    The times are what the servers themselves say, so a stay is never made shorter than any of its events says: an event
    that is late or early by its clock makes it longer. One server too many is told, never one too few.
    """

    def __init__(self, own: str) -> None:
        self._own = own
        self._inside: dict[str, set[str]] = {}
        self._times: dict[str, tuple[int, int]] = {}  # of the stay that a server has begun: first and last moment told
        self._ended: list[Stay] = []
        self._known: set[str] = set()
        self._local: dict[str, Span] = {}

    def note(self, event: Event) -> None:
        """Take in a member event (spec, ``m.room.member``); anything else is passed over."""
        content, who = event.get("content"), event.get("state_key")
        server = server_name(who)
        if event.get("type") != "m.room.member" or not isinstance(content, Mapping) or server is None:
            return
        user, at = str(who), moment(event)
        if content.get("membership") == "join":
            self._came(server, user, at)
        elif user in self._inside.get(server, ()) or (user not in self._known and _was_in(event)):
            self._went(server, user, at)
        self._known.add(user)

    def is_in(self, user: str) -> bool:
        """Tell whether somebody is in the room now."""
        return user in self._inside.get(server_name(user) or "", ())

    @property
    def alone(self) -> bool:
        """Whether nobody of any other server was ever there."""
        return all(server_name(user) == self._own for user in self._known)

    def all(self) -> Iterator[Stay]:
        """Yield all stays; several of a server don't overlap but by its own clock."""
        yield from self._ended
        for server, (since, _) in self._times.items():
            yield Stay(server, since, None)

    def local(self) -> Mapping[str, Span]:
        """Return from when to when each user of the own server was there, the first time to the last."""
        return self._local

    def _came(self, server: str, user: str, at: int) -> None:
        self._inside.setdefault(server, set()).add(user)
        first, last = self._times.get(server, (at, at))
        self._times[server] = min(first, at), max(last, at)
        if server == self._own:
            self._local[user] = min(self._local.get(user, (at, None))[0], at), None

    def _went(self, server: str, user: str, at: int) -> None:
        first, last = self._times.get(server, (0, at))  # nothing is known of when they came: from the beginning on
        self._times[server] = min(first, at), max(last, at)
        if server == self._own:
            self._local[user] = min(self._local.get(user, (0, None))[0], at), at
        inside = self._inside.setdefault(server, set())
        inside.discard(user)
        if not inside:
            since, until = self._times.pop(server)
            self._ended.append(Stay(server, since, until))


def _was_in(event: Event) -> bool:
    """Tell whether a member event says that its user was in the room before it."""
    unsigned = event.get("unsigned")
    before = unsigned.get("prev_content") if isinstance(unsigned, Mapping) else None
    return isinstance(before, Mapping) and before.get("membership") == "join"
