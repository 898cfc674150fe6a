"""What is really held of a person, category by category: counts, kinds and names of fields, never a value."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dpobot.archive import layout
from dpobot.archive.facts import Holding
from dpobot.archive.messages import safe
from dpobot.archive.spool import Spool
from dpobot.archive.statement.law import Facts, facts
from dpobot.archive.telling import Telling

_MESSAGES, _MEDIA = "messages", "media"
_KEPT_BACK = frozenset({"secret", "copy_of_other_data", "log_files"})  # there, and not handed out
_FIELDS = 16  # of a category that are named
_NAME = 60  # characters of such a name, and of a kind
_KINDS = 12  # of messages or files that are named
_DIFFERENT = 5_000  # kinds that are told apart: anybody can send events of as many types as they like


class State(StrEnum):
    """What can be said of a category."""

    HELD = "held"
    NOTHING = "nothing"
    KEPT_BACK = "kept_back"  # held, but not handed out
    UNKNOWN = "unknown"  # could not be had
    NOT_ASKED = "not_asked"  # left out of what was asked for


@dataclass(frozen=True, slots=True)
class Held:
    """One category. ``fields``: what its entries are made of; ``kinds``: how many there are of each, the most first.

    ``size`` bytes of files, 0 for other categories. ``facts`` is None for a category that nobody described.
    """

    category: str
    title: str
    state: State
    count: int
    truncated: bool
    missing: str | None
    incomplete: Mapping[str, int]
    fields: Sequence[str]
    kinds: Mapping[str, int]
    size: int
    facts: Facts | None


def held(telling: Telling) -> list[Held]:
    """Return all categories in the order of the holdings."""
    return [_held(telling.spool, holding) for holding in telling.holdings]


def state_of(holding: Holding) -> State:
    """Return what can be said of a holding."""
    if holding.missing == "not_asked":
        return State.NOT_ASKED
    if holding.missing in _KEPT_BACK:
        return State.KEPT_BACK
    if holding.missing is not None:
        return State.UNKNOWN
    return State.HELD if holding.count or holding.incomplete else State.NOTHING


def _held(spool: Spool, holding: Holding) -> Held:
    state = state_of(holding)
    kinds, fields, size = {}, [], 0
    if state is State.HELD and holding.category == _MESSAGES:
        kinds = _most(_types(spool))
    elif state is State.HELD and holding.category == _MEDIA:
        kinds = _most(layout.plain_type(medium.media_type) for medium in spool.media())
        size = sum(medium.size for medium in spool.media())
    elif state is State.HELD:
        fields = _fields(spool.category(holding.category).records)
    return Held(
        holding.category,
        holding.title,
        state,
        holding.count,
        holding.truncated,
        holding.missing,
        holding.incomplete,
        fields,
        kinds,
        size,
        facts().get(holding.category),
    )


def _types(spool: Spool) -> Iterable[str]:
    for room in spool.room_list():
        for line in spool.events(room.number):
            yield str(json.loads(line).get("type", ""))


def _most(names: Iterable[str]) -> dict[str, int]:
    """Count names; return the most frequent ones, the others together as ``…``."""
    counts: Counter[str] = Counter()
    others = 0
    for name in names:
        if name in counts or len(counts) < _DIFFERENT:
            counts[name] += 1
        else:
            others += 1
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    found: Counter[str] = Counter()
    for name, count in ranked[:_KINDS]:
        found[safe(name, _NAME) or "?"] += count
    others += sum(count for _, count in ranked[_KINDS:])
    return {**found, **({"…": others} if others else {})}


def _fields(records: Sequence[Mapping[str, object]]) -> list[str]:
    names = dict.fromkeys(key for record in records for key in record)
    shown = [safe(name, _NAME) for name in list(names)[:_FIELDS]]
    return [*shown, "…"] if len(names) > _FIELDS else shown
