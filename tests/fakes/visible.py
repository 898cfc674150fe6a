"""What somebody may read in a room of the homeserver in memory, as Synapse has it, and the room's story."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dpobot.homeserver.api import EventPage, StoryPage, Told
from dpobot.model.ids import UserId

if TYPE_CHECKING:
    from tests.fakes.homeserver import FakeRoom

_LAXEST_FIRST = ("world_readable", "shared", "invited", "joined")
_VISIBILITY, _MEMBER = "m.room.history_visibility", "m.room.member"


def visible_events(room: "FakeRoom", user: UserId, start: str | None, limit: int) -> EventPage:
    """Return a page of what somebody may read; ``room.leaks`` gives everything, as a broken server would."""
    events = room.events if room.leaks else list(_readable(room, user))
    first = int(start or 0)
    page = tuple(dict(event) for event in events[first : first + limit])
    return EventPage(page, str(first + limit) if first + limit < len(events) else None)


def story(room: "FakeRoom", user: UserId, start: str | None, limit: int) -> StoryPage:
    """Return a page of the room's story."""
    told = list(_told(room, user))
    first, now = int(start or 0), None
    if not first:
        said = [each.visibility for each in told if each.visibility is not None]
        now = said[-1] if said else None
    page = tuple(told[first : first + limit])
    return StoryPage(page, str(first + limit) if first + limit < len(told) else None, now)


def _told(room: "FakeRoom", user: UserId) -> Iterator[Told]:
    visibility: str | None = None
    membership: str | None = None
    for event in room.events:
        sets = _sets(event, user)
        if "visibility" in sets:
            yield Told(event["event_id"], visibility=sets["visibility"], before=visibility)
            visibility = sets["visibility"]
        elif "membership" in sets:
            yield Told(event["event_id"], membership=sets["membership"], before=membership)
            membership = sets["membership"]
        else:
            yield Told(event["event_id"])


def _sets(event: Mapping[str, Any], user: UserId) -> dict[str, str]:
    if event["type"] == _VISIBILITY and event.get("state_key") == "":
        return {"visibility": str(event["content"].get("history_visibility", "shared"))}
    if event["type"] == _MEMBER and event.get("state_key") == user:
        return {"membership": str(event["content"]["membership"])}
    return {}


def _readable(room: "FakeRoom", user: UserId) -> Iterator[dict[str, Any]]:
    """Yield what Synapse's ``/messages`` gives backwards, in the room's order."""
    states = list(_states(room, user))
    now = room.members.get(user)
    peeking = now not in ("join", "leave")
    if peeking and not (states and states[-1][0] == "world_readable"):
        return  # 403
    ends = [place for place, event in enumerate(room.events) if _sets(event, user).get("membership")]
    last = ends[-1] if now == "leave" and ends else len(room.events) - 1
    before = ("shared", "leave")
    for event, after in zip(room.events[: last + 1], states, strict=False):
        if _shown(event, user, before, after, peeking):
            yield event
        before = after


def _states(room: "FakeRoom", user: UserId) -> Iterator[tuple[str, str]]:
    """Yield visibility and membership after each event."""
    visibility, membership = "shared", "leave"
    for event in room.events:
        sets = _sets(event, user)
        visibility = sets.get("visibility", visibility)
        membership = sets.get("membership", membership)
        yield visibility, membership


def _shown(
    event: Mapping[str, Any], user: UserId, before: tuple[str, str], after: tuple[str, str], peeking: bool
) -> bool:
    visibility, membership = after
    sets = _sets(event, user)
    if "visibility" in sets:
        visibility = min(before[0], after[0], key=_LAXEST_FIRST.index)
    if sets.get("membership") == "leave" and before[1] in ("join", "invite"):
        return True
    if "membership" in sets and before[1] == "join":
        membership = "join"
    lax = visibility == "world_readable" or (visibility == "shared" and not peeking)
    return lax or membership == "join" or (visibility == "invited" and membership == "invite")
