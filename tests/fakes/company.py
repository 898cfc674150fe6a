"""Who was in a room of the homeserver in memory: servers and services."""

from typing import TYPE_CHECKING, Any

from dpobot.homeserver.api import RoomCompany, Service, Stay
from dpobot.model.ids import UserId, server_of

if TYPE_CHECKING:
    from tests.fakes.homeserver import FakeRoom


def company(room: "FakeRoom", user: UserId) -> RoomCompany:
    """Return who was there with somebody: from the member events, and whoever is a member without one, all the time.

    A room that nobody has ever heard of is not known from its beginning on.
    """
    told = [event for event in room.events if event["type"] == "m.room.member"]
    silent = {who for who, now in room.members.items() if now == "join"} - {event["state_key"] for event in told}
    stays = {Stay(server_of(UserId(who)), 0, None) for who in silent}
    inside: dict[str, dict[str, int]] = {}
    for event in told:
        who, at = UserId(event["state_key"]), int(event["origin_server_ts"])
        there = inside.setdefault(server_of(who), {})
        if event["content"]["membership"] == "join":
            there.setdefault(who, at)
        elif who in there:
            since = there.pop(who)
            stays |= {Stay(server_of(who), since, at)} if not there else set()
    stays |= {Stay(server, min(there.values()), None) for server, there in inside.items() if there}
    return RoomCompany(tuple(sorted(stays, key=str)), _bridges(room), whole=bool(room.events or room.members))


def _bridges(room: "FakeRoom") -> tuple[Service, ...]:
    """Return the bridges that say who they are."""
    events: list[dict[str, Any]] = [event for event in room.events if event["type"] == "m.bridge"]
    return tuple(
        Service(UserId(event["sender"]), "bridge", event["content"]["protocol"]["id"], event["origin_server_ts"], None)
        for event in events
        if event["content"].get("bridgebot") == event["sender"]
    )
