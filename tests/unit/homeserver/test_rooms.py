"""The search for rooms costs what it must and no more."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from dpobot.homeserver.api import RoomSeen
from dpobot.homeserver.category import Subject
from dpobot.homeserver.http import Http
from dpobot.homeserver.rooms import find_rooms
from dpobot.model.ids import RoomId, UserId
from tests.unit.homeserver.conftest import Script

_ANNA = UserId("@anna:dpobot.test")


def server(
    memberships: dict[str, str], synced: dict[str, Any], joined_ever: int | None, own: dict[str, list[str]]
) -> Callable[[web.Request], Any]:
    """Return a handler for a Synapse with these answers; ``own`` are the memberships that Anna set, by room."""

    def messages(room: str) -> list[dict[str, Any]]:
        return [
            {"type": "m.room.member", "sender": _ANNA, "state_key": _ANNA, "content": {"membership": membership}}
            for membership in own.get(room, [])
        ]

    async def handle(request: web.Request) -> web.StreamResponse:
        path = unquote(request.raw_path.split("?")[0])
        if path.endswith("/memberships"):
            return web.json_response({"memberships": memberships})
        if path.endswith("/sync"):
            return web.json_response({"rooms": synced})
        if path.endswith("/cumulative_joined_room_count"):
            if joined_ever is None:
                return web.json_response({"errcode": "M_UNRECOGNIZED"}, status=404)
            return web.json_response({"cumulative_joined_room_count": joined_ever})
        if path.endswith("/messages"):
            return web.json_response({"chunk": messages(path.split("/")[-2])})
        if path == "/_synapse/admin/v1/rooms":
            start = int(request.query["from"])
            every = [{"room_id": f"!empty{number}", "joined_local_members": 0} for number in range(20)]
            every.append({"room_id": "!busy", "joined_local_members": 3})
            later = {"next_batch": start + 5} if start + 5 < len(every) else {}
            return web.json_response({"rooms": every[start : start + 5], **later})
        detail = {"name": "now", "encryption": None, "canonical_alias": "#now:dpobot.test", "join_rules": "public"}
        return web.json_response({"access_token": "the-puppet-token", **detail})

    return handle


def probed(script: Script) -> list[str]:
    """Return the abandoned rooms that were asked for an event."""
    asked = [unquote(path).split("/")[-2] for _, path in script.asked if path.endswith("/messages")]
    return sorted({room for room in asked if room.startswith("!empty")})


async def test_nothing_is_searched_when_the_count_is_reached(script: Script, http: Http) -> None:
    """Two joined rooms of two: no abandoned room is looked at."""
    script.does(server({"!a": "join", "!b": "join"}, {"join": {"!a": {}, "!b": {}}}, 2, {}))
    found = await find_rooms(Subject(_ANNA, http))
    assert [room.room_id for room in found.rooms] == ["!a", "!b"]
    assert not any(path == "/_synapse/admin/v1/rooms" for _, path in script.asked)


async def test_a_declined_invitation_does_not_count_as_joined(script: Script, http: Http) -> None:
    """Left is not joined: the room that is really missing is still searched for, and the search then ends."""
    own = {"!declined": ["leave"], "!empty3": ["join", "leave"]}
    script.does(server({"!a": "join", "!declined": "leave"}, {"leave": {"!declined": {}}}, 2, own))
    found = await find_rooms(Subject(_ANNA, http))
    assert {room.room_id: room.membership for room in found.rooms} == {
        "!a": "join",
        "!declined": "leave",
        "!empty3": "forgotten",
    }
    assert set(probed(script)) <= {f"!empty{number}" for number in range(5)}


async def test_all_abandoned_rooms_are_asked_if_the_server_can_t_count(script: Script, http: Http) -> None:
    """Without a count every page is read; a room with local members is never asked."""
    script.does(server({}, {}, None, {"!empty19": ["join"]}))
    found = await find_rooms(Subject(_ANNA, http))
    assert [room.room_id for room in found.rooms] == ["!empty19"]
    assert found.joined_ever is None
    assert probed(script) == sorted(f"!empty{number}" for number in range(20))
    assert not any("busy" in path for _, path in script.asked)


async def test_names_are_told_as_the_person_last_saw_them(script: Script, http: Http) -> None:
    """A left room has name, address and rule of then, an invitation none; a forgotten one is not looked up for now."""

    def state(name: str) -> dict[str, Any]:
        events = [
            {"type": "m.room.create", "content": {}},
            {"type": "m.room.name", "content": {"name": name}},
            {"type": "m.room.canonical_alias", "content": {"alias": f"#{name}:dpobot.test"}},
            {"type": "m.room.join_rules", "content": {"join_rule": "knock"}},
        ]
        return {"state": {"events": events}, "timeline": {"events": [{"type": "m.room.encryption", "content": {}}]}}

    memberships = {"!f": "leave", "!i": "invite", "!j": "join", "!l": "leave"}
    synced = {"join": {"!j": {}}, "leave": {"!l": state("then")}, "invite": {"!i": {"invite_state": {"events": []}}}}
    script.does(server(memberships, synced, 0, {}))
    found = await find_rooms(Subject(_ANNA, http))
    assert found.rooms == (
        RoomSeen(RoomId("!f"), "forgotten", None, encrypted=False),
        RoomSeen(RoomId("!i"), "invite", None, encrypted=False),
        RoomSeen(RoomId("!j"), "join", "now", encrypted=False, alias="#now:dpobot.test", join_rule="public"),
        RoomSeen(RoomId("!l"), "leave", "then", encrypted=True, alias="#then:dpobot.test", join_rule="knock"),
    )


async def test_the_sync_is_the_persons_and_leaves_no_trace(script: Script, http: Http) -> None:
    """Asked with the borrowed token, without setting anybody online, and the token is ended after it."""
    script.does(server({}, {}, 0, {}))
    await find_rooms(Subject(_ANNA, http))
    calls = list(zip(script.asked, script.queries, script.tokens, strict=True))
    ((_, query, token),) = [call for call in calls if call[0][1].endswith("/sync")]
    assert (query["set_presence"], token) == ("offline", "Bearer the-puppet-token")
    assert json.loads(query["filter"])["room"]["include_leave"] is True
    assert [token for (_, path), _, token in calls if path.endswith("/logout")] == ["Bearer the-puppet-token"]
