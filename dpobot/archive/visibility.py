"""Who may read an event: the rules of the specification, walked through a room's story. Pure.

Source: Client-Server API, "Room history visibility", server behaviour. It knows nothing of how events are fetched: it
is the second opinion on what the homeserver has given. Where the order of a room's story is not certain (servers that
wrote at the same time), it rather says no.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

_KNOWN = frozenset({"world_readable", "shared", "invited", "joined"})
_MEANT = "shared"  # before the first such event, and where it says something unknown


class Told(Protocol):
    """What decides about one event: what it sets of two states, None where it doesn't (`homeserver.api.Told`)."""

    @property
    def event_id(self) -> str:
        """Its ID."""
        ...

    @property
    def visibility(self) -> str | None:
        """The history visibility from here on."""
        ...

    @property
    def membership(self) -> str | None:
        """The membership of the person from here on."""
        ...

    @property
    def before(self) -> str | None:
        """What that state was until then; None if it wasn't set, or isn't known."""
        ...


class Verdict(Enum):
    """Whether the person may read an event."""

    ALLOWED = "allowed"
    # Synapse shows shared history also to those who never joined, up to their last membership (a declined invitation,
    # the end of a ban); the specification only to those who joined later. No fault of ours, and not theirs to have.
    GENEROUS = "generous"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Outline:
    """What must be known of a whole story before its events can be judged.

    ``visibility`` and ``membership`` are in force before its first event; ``joined`` and ``changed`` are the places,
    from 0, where the person joined for the last time and where their membership last changed; -1: nowhere.
    """

    visibility: str = _MEANT
    membership: str = "leave"
    joined: int = -1
    changed: int = -1


def outline(story: Iterable[Told], visibility_now: str | None, membership_now: str) -> Outline:
    """Return the outline of a story.

    It may begin late. Then the first event that changes a state says what it was before, or, if none ever does, it is
    what it is now. An invitation from before the story counts for nothing: nobody knows how long before.
    """
    opening: dict[str, str] = {}
    joined = changed = -1
    for place, told in enumerate(story):
        if told.visibility is not None:
            opening.setdefault("visibility", told.before or _MEANT)
        if told.membership is not None:
            opening.setdefault("membership", told.before or "leave")
            changed = place
            joined = place if told.membership == "join" else joined
    visibility = opening.get("visibility", visibility_now or _MEANT)
    membership = opening.get("membership", membership_now)
    return Outline(_meant(visibility), "join" if membership == "join" else "leave", joined, changed)


def verdicts(story: Iterable[Told], known: Outline) -> Iterator[tuple[str, Verdict]]:
    """Yield each event's ID with the verdict, in the story's order; ``known``: `outline` of the same story."""
    visibility, membership = known.visibility, known.membership
    for place, told in enumerate(story):
        before = (visibility, membership)
        visibility = visibility if told.visibility is None else _meant(told.visibility)
        membership = membership if told.membership is None else told.membership
        yield told.event_id, _verdict(told, before, (visibility, membership), place, known)


def _meant(visibility: str) -> str:
    return visibility if visibility in _KNOWN else _MEANT


def _verdict(told: Told, before: tuple[str, str], after: tuple[str, str], place: int, known: Outline) -> Verdict:
    # what changes one of the two states may be read if the state before or after it allows that; for every other event
    # both are the same
    states = {after} if told.visibility is None and told.membership is None else {before, after}
    joins_later = place < known.joined
    if any(_allows(visibility, membership, joins_later) for visibility, membership in states):
        return Verdict.ALLOWED
    if told.membership == "leave" and before[1] in ("invite", "knock"):
        return Verdict.ALLOWED  # about the person themselves: what they were invited to, or asked for, is over
    shared = any(visibility == "shared" for visibility, _ in states)
    return Verdict.GENEROUS if shared and place <= known.changed else Verdict.DENIED


def _allows(visibility: str, membership: str, joins_later: bool) -> bool:
    """Rules 1 to 5 of the specification."""
    return (
        visibility == "world_readable"
        or membership == "join"
        or (visibility == "shared" and joins_later)
        or (visibility == "invited" and membership == "invite")
    )
