"""How the look afterwards reads answers, and refusals: what can't be understood must not look like nothing left."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aiohttp import web

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver import categories
from dpobot.homeserver.http import Http
from dpobot.homeserver.leftovers import Leftovers
from dpobot.homeserver.verifying import account, directory, personal, unaskable
from dpobot.homeserver.verifying.content import Holding
from dpobot.homeserver.verifying.synapse_leftovers import ENDPOINTS, SynapseLeftovers
from dpobot.model.erasure import Residual
from dpobot.model.ids import Mxc, RoomId, UserId
from dpobot.receipt import reasons
from tests.unit.homeserver.conftest import Script, script

__all__ = ["script"]  # a fixture

ANNA = UserId("@anna:dpobot.test")
ROOM = RoomId("!room:dpobot.test")
UNKNOWN = {"errcode": "M_NOT_FOUND"}

# what a Synapse answers for an account that was erased; the end of a path decides
ERASED: Mapping[str, Any] = {
    "v2/users/@anna:dpobot.test": {"deactivated": True, "erased": True, "threepids": [], "external_ids": []},
    "devices": {"devices": [], "total": 0},
    "pushers": {"pushers": [], "total": 0},
    "accountdata": {"account_data": {"global": {}, "rooms": {}}},
    "joined_rooms": {"joined_rooms": [], "total": 0},
    "memberships": {"memberships": {ROOM: "leave"}},
    "whois/@anna:dpobot.test": {"user_id": ANNA, "devices": {}},
    "override_ratelimit": {},
    "experimental_features/@anna:dpobot.test": {"features": {}},
    "event_reports": {"event_reports": [], "total": 0},
    "user_reports": {"user_reports": [], "total": 0},
    "profile/@anna:dpobot.test": (404, "M_NOT_FOUND"),
    "username_available": (400, "M_USER_IN_USE"),
    "keys/query": {"device_keys": {ANNA: {}}, "failures": {}},
    "login": {"access_token": "lent"},
    "logout": {},
    "tags": {"tags": {}},
    "status": {"presence": "offline"},
    "filter/0": (404, "M_NOT_FOUND"),
    "pushrules/": {"global": {"content": [{"rule_id": ".m.rule.x", "default": True}]}},
    "room_keys/version": (404, "M_NOT_FOUND"),
    "dehydrated_device": (404, "M_NOT_FOUND"),
    "delayed_events": (404, "M_UNRECOGNIZED"),
    "thread_subscriptions": (404, "M_UNRECOGNIZED"),
}


def answering(script: Script, **changed: Any) -> Script:
    """Let the server answer as after an erasure, but for ``changed`` (an end of a path, ``/`` written ``_of_``)."""
    known = {**ERASED, **{name.replace("_of_", "/"): value for name, value in changed.items()}}

    async def answer(request: web.Request) -> web.StreamResponse:
        path = request.path
        end = max((name for name in known if path.endswith("/" + name)), key=len)
        value = known[end]
        if isinstance(value, tuple):
            return web.json_response({"errcode": value[1], "error": "no"}, status=value[0])
        return web.json_response(value)

    return script.does(answer)


@pytest.fixture
async def leftovers(script: Script) -> AsyncIterator[SynapseLeftovers]:
    made = SynapseLeftovers(script.url, "the-admin-token", 0, pause=script.pause)
    yield made
    await made.close()


async def asked(leftovers: SynapseLeftovers) -> list[Residual]:
    """Return what is left of Anna's account, without what can't be asked of anybody."""
    found = await leftovers.of_account(ANNA)
    assert [each for each in found if each.category in unaskable.TABLES] == unaskable.residuals()
    return [each for each in found if each.category not in unaskable.TABLES]


async def test_an_erased_account_leaves_its_name(script: Script, leftovers: SynapseLeftovers) -> None:
    """And what this server can't be asked."""
    answering(script)
    assert await asked(leftovers) == [
        Residual("account", 1, "name_reserved"),
        Residual("delayed_events", 0, "not_offered"),
        Residual("thread_subscriptions", 0, "not_offered"),
    ]
    assert script.asked[-1] == ("POST", "/_matrix/client/v3/logout")
    assert {method for method, path in script.asked if not path.endswith(("/login", "/logout", "/query"))} == {"GET"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"devices": {"devices": [{"device_id": "A"}, {"device_id": "B"}]}}, Residual("devices", 2, "still_there")),
        ({"pushers": {"pushers": [{}]}}, Residual("pushers", 1, "still_there")),
        (
            {"accountdata": {"account_data": {"global": {"m.direct": {}}, "rooms": {ROOM: {"m.x": {}, "m.y": {}}}}}},
            Residual("account_data", 3, "still_there"),
        ),
        ({"joined_rooms": {"joined_rooms": [ROOM]}}, Residual("joined_rooms", 1, "still_there")),
        ({"memberships": {"memberships": {ROOM: "invite", "!k": "knock"}}}, Residual("invitations", 2, "still_there")),
        ({"override_ratelimit": {"messages_per_second": 0}}, Residual("limits", 1, "still_there")),
        ({"event_reports": {"total": 2}}, Residual("reports", 4, "reports_kept")),
        ({"user_reports": (404, "M_UNRECOGNIZED")}, Residual("reports", 0, "not_offered")),
        ({"username_available": {"available": True}}, Residual("account", 1, "name_free")),
        ({"tags": {"tags": {"u.work": {}}}}, Residual("tags", 1, "still_there")),
        ({"status": {"presence": "offline", "status_msg": "away"}}, Residual("presence", 1, "still_there")),
        (
            {"filter_of_0": {"room": {}}, "filter_of_1": (404, "M_NOT_FOUND")},
            Residual("filters", 1, "no_way_to_delete"),
        ),
        ({"pushrules_of_": {"global": {"content": [{"default": False}]}}}, Residual("push_rules", 1, "still_there")),
        ({"room_keys_of_version": {"version": "1"}}, Residual("key_backup", 1, "still_there")),
        ({"dehydrated_device": {"device_id": "D"}}, Residual("dehydrated_device", 1, "still_there")),
        ({"delayed_events": {"delayed_events": [{}]}}, Residual("delayed_events", 1, "still_there")),
        (
            {"thread_subscriptions": {"subscribed": {ROOM: {"$1": {}, "$2": {}}}}},
            Residual("thread_subscriptions", 2, "still_there"),
        ),
        (
            {"keys_of_query": {"device_keys": {ANNA: {"A": {}}}, "master_keys": {ANNA: {}}}},
            Residual("device_keys", 1, "still_there"),
        ),
        (
            {"keys_of_query": {"device_keys": {}, "master_keys": {ANNA: {}}, "self_signing_keys": {ANNA: {}}}},
            Residual("identity_keys", 2, "no_way_to_delete"),
        ),
        ({"tags": (403, "M_FORBIDDEN")}, Residual("tags", 0, "not_askable")),
        ({"login": (404, "M_UNRECOGNIZED")}, Residual("push_rules", 0, "not_askable")),
    ],
)
async def test_each_thing_that_is_left_is_told(
    script: Script, leftovers: SynapseLeftovers, changed: dict[str, Any], expected: Residual
) -> None:
    """Counted, with why; one that can't be asked is told without a number."""
    answering(script, **changed)
    assert expected in await asked(leftovers)


async def test_what_the_account_itself_still_says_is_told(script: Script, leftovers: SynapseLeftovers) -> None:
    """An account that lives, with name, picture, address and a link to another service."""
    record = {"displayname": "Anna", "avatar_url": "mxc://a/b", "threepids": [{}], "external_ids": [{}, {}]}
    connections: dict[str, Any] = {"devices": {"": {"sessions": [{"connections": [{}, {}, {}]}]}}}
    changed = {"v2/users/@anna:dpobot.test": record, "whois/@anna:dpobot.test": connections}
    answering(script, **changed)
    found = await asked(leftovers)
    assert found[:6] == [
        Residual("account", 1, "not_deactivated"),
        Residual("account", 1, "not_erased"),
        Residual("profile", 2, "still_there"),
        Residual("addresses", 1, "still_there"),
        Residual("sso_links", 2, "still_there"),
        Residual("account", 1, "name_reserved"),
    ]
    assert Residual("connections", 3, "expires_by_itself") in found


@pytest.mark.parametrize("name", ["devices", "pushers", "accountdata", "joined_rooms", "event_reports", "tags"])
async def test_an_answer_of_another_shape_is_no_answer(script: Script, leftovers: SynapseLeftovers, name: str) -> None:
    """It is asked again later."""
    answering(script, **{name: {name: "?", "total": "?", "account_data": "?"}})
    with pytest.raises(Unavailable):
        await asked(leftovers)


@pytest.mark.parametrize("name", ["v2/users/@anna:dpobot.test", "devices", "whois/@anna:dpobot.test", "login"])
async def test_a_refusal_because_of_our_own_token_is_a_fault(
    script: Script, leftovers: SynapseLeftovers, name: str
) -> None:
    """Nothing may look gone because we may no longer ask."""
    answering(script, **{name: (401, "M_UNKNOWN_TOKEN")})
    with pytest.raises(Rejected) as error:
        await asked(leftovers)
    assert error.value.code == "M_UNKNOWN_TOKEN"


async def test_a_lender_that_lends_nothing_leaves_it_open(script: Script) -> None:
    """Where accounts are kept elsewhere nobody may act as somebody whose account is over."""

    class Refusing:
        transactions = True

        def lend(self, http: Http, user: UserId) -> AbstractAsyncContextManager[str | None]:
            raise Rejected("acting_refused")

    answering(script)
    leftovers = SynapseLeftovers(script.url, "the-admin-token", 0, pause=script.pause, lender=Refusing())
    found = await asked(leftovers)
    await leftovers.close()
    open_ = [each.category for each in found if each == Residual(each.category, 0, "not_askable")]
    assert open_ == [inquiry.category for inquiry in personal.INQUIRIES]


async def test_a_room_is_read_page_by_page_to_its_end(script: Script, leftovers: SynapseLeftovers) -> None:
    """Only what is the person's counts, whatever a filter lets through."""
    mine = {"type": "m.room.message", "sender": ANNA, "content": {"body": "x"}}
    script.json({"chunk": [mine, {**mine, "sender": "@bob:dpobot.test"}], "end": "t1"})
    script.json({"chunk": [mine, {**mine, "type": "m.reaction"}], "end": "t2"})
    script.json({"chunk": []}).json(UNKNOWN, 404)
    found = await leftovers.of_room(ROOM, ANNA, everything=True)
    assert found == [Residual("messages", 2, "still_there"), Residual("other_events", 1, "still_there")]
    assert [query.get("from") for query in script.queries[:3]] == [None, "t1", "t2"]
    assert json.loads(script.queries[0]["filter"]) == {"senders": [ANNA]}


async def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(
    script: Script, leftovers: SynapseLeftovers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many large events must not end the look."""
    monkeypatch.setattr("dpobot.homeserver.verifying.rooms._PAGE_BYTES", 100)
    script.raw(b'{"chunk": [' + b" " * 200 + b"]}").json({"chunk": []}).json(UNKNOWN, 404)
    assert await leftovers.of_room(ROOM, ANNA, everything=True) == []
    assert [query["limit"] for query in script.queries[:2]] == ["1000", "125"]


EMPTY = {"type": "m.room.topic", "state_key": "", "sender": ANNA, "content": {}}


@pytest.mark.parametrize(
    ("in_force", "expected"),
    [
        ([EMPTY], [Residual("state_in_directory", 1, "directory_keeps_it")]),
        ([{**EMPTY, "content": {"topic": "Anna's"}}], [Residual("state_in_directory", 1, "still_there")]),
        ([{**EMPTY, "sender": "@bob:dpobot.test"}], []),
        ([{**EMPTY, "state_key": "of another key"}], [Residual("state_in_directory", 0, "directory_keeps_it")]),
        ([], [Residual("state_in_directory", 0, "directory_keeps_it")]),
    ],
)
async def test_what_the_directory_shows_is_of_whoever_set_what_is_in_force(
    script: Script, leftovers: SynapseLeftovers, in_force: list[Any], expected: list[Residual]
) -> None:
    """Without an event in force nobody can tell whose it was: told, and not counted."""
    script.json({"chunk": []}).json({"name": None, "topic": "Anna's", "avatar": ""}).json({"state": in_force})
    assert await leftovers.of_room(ROOM, ANNA, everything=True) == expected
    assert script.queries[2:] == [{"type": "m.room.topic"}]


async def test_a_room_that_can_not_be_asked_for_is_no_room_that_is_unknown(
    script: Script, leftovers: SynapseLeftovers
) -> None:
    """A proxy's 404 does not say that the directory shows nothing."""
    script.json({"chunk": []}).json({"errcode": "M_UNRECOGNIZED"}, 404)
    with pytest.raises(Rejected):
        await leftovers.of_room(ROOM, ANNA, everything=True)


async def test_a_room_that_is_no_longer_known_but_whose_events_are_there_is_told(
    script: Script, leftovers: SynapseLeftovers
) -> None:
    """Either alone proves nothing."""
    script.json({"errcode": "M_NOT_FOUND"}, 404).json({"chunk": [{"type": "m.room.message"}]})
    assert await leftovers.of_deleted_room(ROOM) == [Residual("rooms", 1, "still_there")]


async def test_an_admin_interface_that_is_out_of_reach_is_a_fault(script: Script, leftovers: SynapseLeftovers) -> None:
    """A proxy's 404 does not say that a room, or a file, is gone."""
    script.json({"errcode": "M_UNRECOGNIZED"}, 404)
    with pytest.raises(Rejected):
        await leftovers.of_deleted_room(ROOM)
    with pytest.raises(Rejected):
        await leftovers.of_file(Mxc("mxc://dpobot.test/file"))
    with pytest.raises(Rejected) as error:
        await leftovers.of_file(Mxc("https://elsewhere.test/file"))
    assert error.value.code == "bad_mxc"


def test_whatever_is_reported_has_a_name_and_a_reason_that_receipts_know() -> None:
    """Else nobody could be told in words what is left."""
    emitted = {inquiry.category for inquiry in (*account.INQUIRIES, *personal.INQUIRIES)}
    emitted |= {each.value for each in Holding} - {Holding.NOTHING.value} | unaskable.TABLES.keys()
    emitted |= {
        "addresses",
        "sso_links",
        "identity_keys",
        "media",
        "rooms",
        "other_servers",
        "thread_messages",
        directory.CATEGORY,
    }
    assert emitted <= reasons.CATEGORIES
    assert {reason for reason, _ in unaskable.TABLES.values()} <= reasons.EXPECTED
    opened = {reason for inquiry in (*account.INQUIRIES, *personal.INQUIRIES) for reason in inquiry.open.values()}
    assert opened <= reasons.EXPECTED


# each category of personal data that an archive knows -> where the look afterwards finds what is left of it
FOUND_IN = {
    "account": "account",
    "account_data": "account_data",
    "activity_counts": "visits",
    "connections": "connections",
    "cross_signing": "identity_keys",
    "dehydrated_device": "dehydrated_device",
    "delayed_events": "delayed_events",
    "devices": "devices",
    "event_reports_made": "reports",
    "event_reports_received": "reports",
    "filters": "filters",
    "key_backup": "key_backup",
    "rate_limit": "limits",
    "experimental_features": "limits",
    "notifications": "words_of_others",
    "presence": "presence",
    "profile": "profile",
    "push_rules": "push_rules",
    "pushers": "pushers",
    "receipts": "read_receipts",
    "room_account_data": "account_data",
    "rooms": "joined_rooms",
    "sso_links": "sso_links",
    "tags": "tags",
    "third_party_ids": "addresses",
    "thread_subscriptions": "thread_subscriptions",
    "user_reports_made": "reports",
    "user_reports_received": "reports",
    "room_reports": "room_reports",
    "room_aliases": "room_aliases",
    "one_time_keys": "device_keys",
    "identity_signatures": "identity_signatures",
    "to_device_messages": "to_device_messages",
    "user_daily_visits": "visits",
    "deleted_pushers": "deleted_pushers",
    "identity_server_bindings": "identity_server_bindings",
    "validation_sessions": "identity_server_bindings",
    "scheduled_tasks": "scheduled_tasks",
    "sync_positions": "sync_positions",
    "user_directory": "profile",
    "search_index": "search_index",
    "password": "account",
    "access_tokens": "tokens",
    "server_logs": "server_logs",
}


def test_no_category_of_personal_data_is_forgotten() -> None:
    """Whatever an archive can hold, or says it can't, is looked for after an erasure, or named as out of sight."""
    assert FOUND_IN.keys() == categories.CATEGORIES.keys()
    assert set(FOUND_IN.values()) <= reasons.CATEGORIES


def test_the_endpoints_of_each_method_are_declared() -> None:
    """And none of them changes anything, but for the token that is lent and given back."""
    methods = {name for name in vars(Leftovers) if name.startswith("of_")}
    assert ENDPOINTS.keys() == methods
    posts = {endpoint for endpoints in ENDPOINTS.values() for endpoint in endpoints if not endpoint.startswith("GET ")}
    assert posts == {
        "POST /_synapse/admin/v1/users/{user}/login",
        "POST /_matrix/client/v3/logout",
        "POST /_matrix/client/v3/keys/query",
    }
