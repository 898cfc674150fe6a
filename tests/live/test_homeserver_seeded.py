"""A whole life on a real Synapse, asked for with the admin API: everything of the person, nothing of anybody else."""

import asyncio
import json
import secrets
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Gone
from dpobot.homeserver.api import MediaItem, Rooms
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.model.ids import RoomId, UserId
from tests.live.seeded import Seeded, seed_account, seed_invited

pytestmark = pytest.mark.live

_NOT_HERE = {"dehydrated_device": "not_offered", "thread_subscriptions": "not_offered"}


@pytest.fixture(scope="module")
async def seeded(synapse: Synapse) -> Seeded:
    """An account that lived through everything."""
    return await seed_account(synapse, f"anna-{secrets.token_hex(3)}")


@pytest.fixture
async def homeserver(synapse: Synapse, admin: Credentials) -> AsyncIterator[SynapseHomeserver]:
    """The administration."""
    made = SynapseHomeserver(synapse.url, admin.access_token)
    yield made
    await made.close()


def query(synapse: Synapse, sql: str, *values: str) -> list[tuple[Any, ...]]:
    """Read the homeserver's database."""
    with closing(sqlite3.connect(f"file:{synapse.folder / 'homeserver.db'}?mode=ro", uri=True)) as database:
        return database.execute(sql, values).fetchall()


async def every_own_event(
    homeserver: SynapseHomeserver, rooms: Rooms, user: UserId, limit: int
) -> list[Mapping[str, Any]]:
    """Return the person's events of all rooms, page by page."""
    found: list[Mapping[str, Any]] = []
    for room in rooms.rooms:
        start: str | None = None
        while True:
            page = await homeserver.own_events(room.room_id, user, start, limit)
            found += page.events
            start = page.next
            if start is None:
                break
    return found


async def every_medium(homeserver: SynapseHomeserver, user: UserId) -> list[MediaItem]:
    """Return the list of media, page by page."""
    found: list[MediaItem] = []
    start: int | None = 0
    while start is not None:
        page = await homeserver.media(user, start, 4)
        found += page.items
        start = page.next
    return found


async def test_every_room_is_found(synapse: Synapse, homeserver: SynapseHomeserver, seeded: Seeded) -> None:
    """All rooms that the database knows a membership in; the forgotten ones and those the server left as well."""
    found = await homeserver.rooms(UserId(seeded.person.user_id))
    memberships = {str(room.room_id): room.membership for room in found.rooms}
    known = await asyncio.to_thread(
        query, synapse, "SELECT DISTINCT room_id FROM room_memberships WHERE user_id = ?", seeded.person.user_id
    )
    assert set(memberships) == {room for (room,) in known}
    told = {name: memberships[room] for name, room in seeded.rooms.items()}
    assert {name: told[name] for name in ("public", "left", "kicked", "banned", "left alone")} == {
        "public": "join",
        "left": "leave",
        "kicked": "leave",
        "banned": "ban",
        "left alone": "leave",
    }
    forgotten = ("forgotten", "forgotten alone", "forgotten by both")
    assert {told[name] for name in forgotten} == {"forgotten"}
    assert (told["declined"], told["knocked and taken back"], told["come back"]) == ("leave", "leave", "join")


async def test_rooms_have_their_names_and_encryption(homeserver: SynapseHomeserver, seeded: Seeded) -> None:
    """The name as the person knows it; encryption where it is on."""
    rooms = {room.room_id: room for room in (await homeserver.rooms(UserId(seeded.person.user_id))).rooms}
    assert rooms[RoomId(seeded.rooms["left"])].name == "left"
    assert rooms[RoomId(seeded.rooms["encrypted"])].encrypted is True
    assert rooms[RoomId(seeded.rooms["public"])].encrypted is False
    assert rooms[RoomId(seeded.rooms["forgotten"])].name is None


@pytest.mark.parametrize("limit", [2, 1000])
async def test_every_own_event_and_no_other_is_given(homeserver: SynapseHomeserver, seeded: Seeded, limit: int) -> None:
    """Exactly the events that the database holds of the person, once each, whatever the size of the pages."""
    user = UserId(seeded.person.user_id)
    events = await every_own_event(homeserver, await homeserver.rooms(user), user, limit)
    assert Counter(event["event_id"] for event in events) == Counter(list(seeded.own_events))
    assert {event["event_id"]: event["room_id"] for event in events} == seeded.own_events
    assert {event["sender"] for event in events} == {user}
    assert {event["event_id"] for event in events} & seeded.foreign_events == set()


async def test_nothing_that_others_wrote_is_in_it(homeserver: SynapseHomeserver, seeded: Seeded) -> None:
    """No planted secret in any event, room, category or medium; no token, no password, nobody who reported."""
    user = UserId(seeded.person.user_id)
    rooms = await homeserver.rooms(user)
    given: list[object] = [list(await every_own_event(homeserver, rooms, user, 1000)), str(rooms)]
    given += [(await homeserver.collect(category, user)).records for category in homeserver.categories]
    given.append(str(await every_medium(homeserver, user)))
    whole = json.dumps(given)
    planted = [*seeded.planted_secrets, seeded.person.access_token, seeded.person.password, "reported by another"]
    planted += [secret for other in seeded.others.values() for secret in (other.access_token, other.password)]
    assert [secret for secret in planted if secret in whole] == []
    assert "syt_" not in whole
    assert "$2b$" not in whole


async def test_every_category_answers_or_says_why_not(homeserver: SynapseHomeserver, seeded: Seeded) -> None:
    """On this server nothing but the declared gaps and two functions that it does not offer."""
    user = UserId(seeded.person.user_id)
    answers = {category: await homeserver.collect(category, user) for category in homeserver.categories}
    missing = {name: answer.missing for name, answer in answers.items() if answer.missing is not None}
    declared = {"database_only", "copy_of_other_data", "secret", "log_files"}
    assert {name: reason for name, reason in missing.items() if reason not in declared} == _NOT_HERE
    assert [name for name, answer in answers.items() if answer.truncated] == []
    empty = {name for name, answer in answers.items() if answer.missing is None and not answer.records}
    nothing_seeded = {"cross_signing", "delayed_events", "experimental_features", "rate_limit", "sso_links"}
    assert empty == nothing_seeded | {"third_party_ids", "user_reports_received"}


async def test_what_categories_hold_is_what_was_seeded(homeserver: SynapseHomeserver, seeded: Seeded) -> None:
    """One look into each: the person finds what they left."""
    user = UserId(seeded.person.user_id)
    held = {category: (await homeserver.collect(category, user)).records for category in homeserver.categories}
    (account,) = held["account"]
    assert (account["name"], account["displayname"], account["admin"]) == (user, "Alice <b>Fox</b> 🦊", False)
    assert {"field": "m.tz", "value": "Europe/London"} in held["profile"]
    assert {"Phone of Alice", "🦊"} <= {device["display_name"] for device in held["devices"]}
    assert {connection["ip"] for connection in held["connections"]} == {"127.0.0.1"}
    settings = {record["type"]: record["content"] for record in held["account_data"]}
    assert settings["org.example.settings"] == {"theme": "dark", "list": [1, "two", None]}
    assert {"m.cross_signing.master", "m.megolm_backup.v1", "m.secret_storage.default_key"} <= set(settings)
    colour = {"room_id": seeded.rooms["public"], "type": "org.example.room", "content": {"colour": "orange"}}
    assert colour in held["room_account_data"]
    tags = {(record["room_id"], record["tag"]) for record in held["tags"]}
    assert tags == {(seeded.rooms["public"], "m.favourite"), (seeded.rooms["left"], "u.memories")}
    assert "foxes" in {rule["rule_id"] for rule in held["push_rules"]}
    assert [pusher["pushkey"] for pusher in held["pushers"]] == ["pushkey-of-the-person"]
    assert [record["filter"] for record in held["filters"]] == [{"room": {"timeline": {"limit": 7}}}]
    receipts = {(record["room_id"], record["type"]) for record in held["receipts"]}
    assert {(seeded.rooms["public"], "m.read"), (seeded.rooms["private v6"], "m.read.private")} <= receipts
    assert (seeded.rooms["public"], "m.fully_read") in receipts
    version, session = held["key_backup"]
    assert (version["kind"], version["version"], version["count"]) == ("version", "1", 1)
    assert session["session_data"] == {"ciphertext": "encrypted-session", "ephemeral": "e", "mac": "m"}
    assert [report["reason"] for report in held["event_reports_made"]] == ["a test"]
    assert [set(report) for report in held["event_reports_received"]] == [
        {"id", "received_ts", "room_id", "event_id", "score"}
    ] * len(held["event_reports_received"])
    assert [report["reason"] for report in held["user_reports_made"]] == ["noise"]


async def test_nobody_is_logged_out_and_no_borrowed_token_is_left(
    synapse: Synapse, homeserver: SynapseHomeserver, seeded: Seeded
) -> None:
    """After everything was collected the person's sessions and devices are as before."""
    user = UserId(seeded.person.user_id)
    before = await homeserver.collect("devices", user)
    for category in homeserver.categories:
        await homeserver.collect(category, user)
    after = await homeserver.collect("devices", user)
    assert [device["device_id"] for device in after.records] == [device["device_id"] for device in before.records]
    whoami = await synapse.request("GET", "/_matrix/client/v3/account/whoami", seeded.person.access_token)
    assert whoami["user_id"] == user
    left = "SELECT count(*) FROM access_tokens WHERE user_id = ? AND puppets_user_id IS NOT NULL"
    puppets = "SELECT count(*) FROM access_tokens WHERE puppets_user_id = ?"
    counts = [await asyncio.to_thread(query, synapse, sql, user) for sql in (left, puppets)]
    assert counts == [[(0,)], [(0,)]]


async def test_media_are_listed_and_given_as_uploaded(homeserver: SynapseHomeserver, seeded: Seeded) -> None:
    """Held media byte by byte; deleted ones are no longer listed, quarantined ones are, but not given out."""
    listed = {item.url: item for item in await every_medium(homeserver, UserId(seeded.person.user_id))}
    by_state = {state: {str(m.url) for m in seeded.media if m.state == state} for state in ("held", "quarantined")}
    assert set(listed) == by_state["held"] | by_state["quarantined"]
    assert {url for url, item in listed.items() if item.quarantined} == by_state["quarantined"]
    for medium in seeded.held_media:
        item = next(item for url, item in listed.items() if url == medium.url)
        assert (item.name, item.media_type, item.size) == (medium.name, medium.media_type, len(medium.data))
        assert b"".join([block async for block in homeserver.media_bytes(item)]) == medium.data
    for url in by_state["quarantined"]:
        with pytest.raises(Gone) as error:
            await anext(aiter(homeserver.media_bytes(next(item for item in listed.values() if item.url == url))))
        assert error.value.code == "quarantined"


async def test_pending_invitations_and_knocks_are_no_obstacle(synapse: Synapse, homeserver: SynapseHomeserver) -> None:
    """The account for which Synapse's own export breaks is served whole, without a word of the rooms' inside."""
    seeded = await seed_invited(synapse, f"ines-{secrets.token_hex(3)}")
    user = UserId(seeded.person.user_id)
    rooms = await homeserver.rooms(user)
    memberships = {str(room.room_id): room.membership for room in rooms.rooms}
    expected = {"private": "join", "invited": "invite", "knocked": "knock"}
    assert memberships == {seeded.rooms[name]: membership for name, membership in expected.items()}
    events = await every_own_event(homeserver, rooms, user, 3)
    assert {event["event_id"]: event["room_id"] for event in events} == seeded.own_events
    whole = json.dumps([list(events), str(rooms)])
    whole += json.dumps([(await homeserver.collect(name, user)).records for name in homeserver.categories])
    assert [secret for secret in seeded.planted_secrets if secret in whole] == []
