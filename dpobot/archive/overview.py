"""The pictures of the first volume's index: what they count."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dpobot.archive.charts import Picture, Seen, columns, media_kind, moment, record_name, rows, timeline
from dpobot.archive.facts import PackageFacts
from dpobot.archive.media import Media
from dpobot.archive.messages import safe
from dpobot.archive.months import Months
from dpobot.archive.rooms import RoomTotal
from dpobot.archive.spool import Spool

# category -> its kind, the members that name an entry, when it was first and last used
_USED = {
    "devices": ("device", ("display_name", "device_id"), "", "last_seen_ts"),
    "sign_in_browsers": ("session", ("user_agent", "id"), "created_at", "last_active_at"),
    "sign_in_apps": ("session", ("human_name", "user_agent", "client_id"), "created_at", "last_active_at"),
    "sign_in_legacy_apps": ("session", ("human_name", "device_id"), "created_at", "last_active_at"),
    "connections": ("connection", ("user_agent", "ip"), "", "last_seen"),
}


@dataclass(frozen=True, slots=True)
class Pictures:
    """Each is None where there is nothing to show."""

    months: Picture | None
    busiest: Picture | None
    media: Picture | None
    devices: Picture | None
    used: Sequence[Seen]


def pictures(
    spool: Spool, facts: PackageFacts, months: Months | None, rooms: Iterable[RoomTotal], media: Media
) -> Pictures:
    """Return the pictures of a whole archive."""
    line = None if facts.only_statement else timeline(_seen(spool))
    held = {} if facts.only_statement else _by_kind(media)
    return Pictures(
        columns(months.counts, facts.created_at) if months else None,
        rows((safe(total.room.name, 80), total.events, 0) for total in rooms if total.events),
        rows((kind, count, size) for kind, (count, size) in held.items()),
        line[0] if line else None,
        line[1] if line else (),
    )


def _by_kind(media: Media) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for medium in media.all_held():
        kind = media_kind(medium.media_type)
        count, size = counts.get(kind, (0, 0))
        counts[kind] = (count + 1, size + medium.size)
    return counts


def _seen(spool: Spool) -> Iterator[Seen]:
    held = spool.categories()
    for name, (kind, names, first, last) in _USED.items():
        for record in spool.category(name).records if name in held else ():
            yield _used(record, kind, names, first, last)


def _used(record: Any, kind: str, names: tuple[str, ...], first: str, last: str) -> Seen:
    began = moment(record.get(first)) if first else ""
    ended = moment(record.get(last)) or began
    return Seen(record_name(record, *names), kind, min(began, ended), ended)
