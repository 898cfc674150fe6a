"""Received: what each room's company heard, put together into who received how much of what a person sent. Pure.

What `room_note` makes of a room holds names of servers and services, counts and times; `together` makes the form that
`archive.recipients` and the job `copies` tell.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dpobot.homeserver.api import RoomCompany
from dpobot.jobs.hearers import NOTHING, Heard, Hearers

HISTORY_PARTIAL = "history_partial"  # why a room is incomplete: the server no longer knows who had been there before
SERVICES_PARTIAL = "services_partial"  # more accounts than could be asked about
_MOST_VIA = 5  # servers to join a room through

Note = Mapping[str, Any]


@dataclass(slots=True)
class _Total:
    """What a recipient got in all rooms; ``late_rooms``: where it only came later."""

    heard: Heard = NOTHING
    rooms: int = 0
    late_rooms: int = 0

    def add(self, events: int, first: int | None, last: int | None) -> None:
        self.heard = self.heard.with_(Heard(events, first, last))
        self.rooms += events > 0
        self.late_rooms += events == 0


def room_note(hearers: Hearers, company: RoomCompany) -> Note:
    """Return what is kept of a room, as JSON."""
    why = {HISTORY_PARTIAL: company.whole, SERVICES_PARTIAL: company.all_services}
    return {
        "events": hearers.events,
        "servers": [[server, each.events, each.first, each.last] for server, each in hearers.servers().items()],
        "services": [
            [service.user_id, service.kind, service.network, each.events, each.first, each.last]
            for service, each in hearers.services()
        ],
        "incomplete": [code for code, complete in why.items() if not complete],
        "via": list(dict.fromkeys(stay.server for stay in company.stays if stay.until is None))[:_MOST_VIA],
    }


def refused_note(code: str) -> Note:
    """Return what is kept of a room that the homeserver tells nothing of."""
    return {"events": 0, "servers": [], "services": [], "incomplete": [code], "via": []}


def together(notes: Iterable[Note], own: str, push: Iterable[Note], identity: Iterable[Note]) -> Note:
    """Return all recipients, those of most events first; ``own``: the person's own server."""
    servers: dict[str, _Total] = {}
    services: dict[tuple[str, str, str | None], _Total] = {}
    incomplete: dict[str, int] = {}
    rooms = events = 0
    for note in notes:
        rooms += note["events"] > 0
        events += note["events"]
        for server, *heard in note["servers"]:
            servers.setdefault(server, _Total()).add(*heard)
        for user_id, kind, network, *heard in note["services"]:
            services.setdefault((user_id, kind, network), _Total()).add(*heard)
        for code in note["incomplete"]:
            incomplete[code] = incomplete.get(code, 0) + 1
    return {
        "servers": sorted((_server(*each, own) for each in servers.items()), key=_by_events),
        "services": sorted((_service(*each) for each in services.items()), key=lambda each: str(each["user_id"])),
        "push": list(push),
        "identity": list(identity),
        "incomplete": dict(sorted(incomplete.items())),
        "rooms": rooms,
        "events": events,
    }


def _server(server: str, total: _Total, own: str) -> dict[str, Any]:
    heard = total.heard
    return {
        "server": server,
        "own": server == own,
        "rooms": total.rooms or total.late_rooms,
        "events": heard.events,
        "first": heard.first,
        "last": heard.last,
        "later": heard.events == 0,
    }


def _service(key: tuple[str, str, str | None], total: _Total) -> dict[str, Any]:
    user_id, kind, network = key
    return {
        "user_id": user_id,
        "kind": kind,
        "network": network,
        "rooms": total.rooms or total.late_rooms,
        "first": total.heard.first,
        "last": total.heard.last,
    }


def _by_events(server: Mapping[str, Any]) -> tuple[int, str]:
    return -server["events"], str(server["server"])
