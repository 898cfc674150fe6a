"""All items of a parcel in the order in which they are carried over, and what a dry run foresees. Pure."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dpobot.moving import direct, profile, push_rules, rooms, settings
from dpobot.moving.item import SECTIONS, Item, Standing, Verdict
from dpobot.moving.parcel import Parcel
from dpobot.moving.present import Present

STAYS = (
    "Messages and files stay where they are: your archive has yours, and rooms show a new member what they show any.",
    "What was written in encrypted rooms before stays unreadable for the new account: its keys do not come along.",
    "Rights in a room (its power levels) belong to the old account; give them to the new one with the old one.",
    "Nothing is taken from the old account, and nobody is told that it was moved.",
)


@dataclass(frozen=True, slots=True)
class Line:
    """An item with how it stands."""

    item: Item
    standing: Standing


def items(parcel: Parcel, only: Iterable[str] = (), *, anew: bool = False) -> list[Item]:
    """Return what there is to move; ``only``: these sections; ``anew``: direct messages are begun anew.

    Rooms come before what can only be set in rooms that the account is in.
    """
    wanted = frozenset(only) or frozenset(SECTIONS)
    return [item for item in _all(parcel, anew=anew) if item.section in wanted]


def _all(parcel: Parcel, *, anew: bool) -> Iterator[Item]:
    yield from profile.items(parcel.profile)
    yield from settings.ignored(parcel)
    yield from rooms.items(parcel)
    yield from direct.items(parcel, anew=anew)
    yield from push_rules.items(parcel)
    yield from settings.settings(parcel)
    yield from settings.tags(parcel)
    yield from settings.room_settings(parcel)


def foreseen(moving: Sequence[Item], present: Present, done: frozenset[str] = frozenset()) -> list[Line]:
    """Return how each item stands, and would stand when its turn comes: joins that are planned count as made."""
    later = copy.deepcopy(present)
    lines = []
    for item in moving:
        standing = Standing(Verdict.DONE) if item.key in done else item.foresee(later)
        if standing.verdict is Verdict.WILL:
            item.assume(later)
        lines.append(Line(item, standing))
    return lines
