"""What a real Synapse keeps of an account after it was erased, and that the look afterwards finds each bit of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Rejected
from dpobot.homeserver.changes import Depth
from dpobot.homeserver.erasing.synapse_changes import SynapseChanges
from dpobot.homeserver.verifying.synapse_leftovers import SynapseLeftovers
from dpobot.homeserver.verifying.unaskable import TABLES
from dpobot.model.erasure import Residual
from dpobot.model.ids import Mxc, RoomId, UserId
from dpobot.receipt.reasons import STILL_THERE, unexpected
from tests.live.conftest import Register
from tests.live.http import Client, clients

pytestmark = pytest.mark.live


@pytest.fixture
async def leftovers(synapse: Synapse, admin: Credentials) -> AsyncIterator[SynapseLeftovers]:
    made = SynapseLeftovers(synapse.url, admin.access_token, retries=0)
    yield made
    await made.close()


async def found(leftovers: SynapseLeftovers, user: str) -> dict[tuple[str, str], int]:
    """Return what can be asked for, by category and reason."""
    residuals = await leftovers.of_account(UserId(user))
    return {(each.category, each.reason): each.count for each in residuals if each.category not in TABLES}


async def parted(owner: Client, user: str) -> None:
    """Wait until an account has left every room."""
    while (await owner.admin("GET", "v1", "users", user, "joined_rooms"))["total"]:
        await asyncio.sleep(0.05)


async def lived(person: Client, owner: Client) -> str:
    """Let a person use an account in every way that leaves something behind; return a room that they were in.

    Presence is switched off on this server (see the unit tests).
    """
    room = await person.create(preset="public_chat", name="Theirs")
    event = await person.say(room, "hello")
    await owner.member(room, "join")
    me = person.user_id
    await person.put("profile", me, "displayname", body={"displayname": "Planted"})
    await person.put("user", me, "account_data", "org.example.planted", body={"a": 1})
    await person.put("user", me, "rooms", room, "account_data", "org.example.planted", body={"a": 1})
    await person.put("user", me, "rooms", room, "tags", "u.planted", body={"order": 0.1})
    await person.put("pushrules", "global", "content", "planted", body={"pattern": "planted", "actions": ["notify"]})
    await person.post("user", me, "filter", body={"room": {"timeline": {"limit": 3}}})
    await person.post(
        "room_keys", "version", body={"algorithm": "m.megolm_backup.v1.curve25519-aes-sha2", "auth_data": {"x": "y"}}
    )
    await person.post(
        "pushers",
        "set",
        body={
            "app_id": "org.example", "pushkey": "planted", "kind": "http", "lang": "en",
            "app_display_name": "x", "device_display_name": "y", "data": {"url": "https://push.example.org/_matrix/push/v1/notify"},
        },
    )  # fmt: skip
    await person.post("rooms", room, "report", event, body={"reason": "planted", "score": -1})
    await owner.admin(
        "POST", "v1", "users", me, "override_ratelimit", body={"messages_per_second": 5, "burst_count": 5}
    )
    identities = [{"auth_provider": "oidc", "external_id": f"ext-{me}"}]
    address = f"{me[1:].partition(':')[0]}@example.org"
    body = {"threepids": [{"medium": "email", "address": address}], "external_ids": identities}
    await owner.admin("PUT", "v2", "users", me, body=body)
    return room


async def test_of_a_living_account_everything_planted_is_found(
    synapse: Synapse, admin: Credentials, register: Register, leftovers: SynapseLeftovers
) -> None:
    """Nothing that can be asked is missed, so that an empty answer later means something."""
    async with clients(synapse, await register("verified"), admin) as (person, owner):
        await lived(person, owner)
        held = await found(leftovers, person.user_id)
    still = {category for category, reason in held if reason == "still_there"}
    assert still == {
        "account_data", "addresses", "devices", "joined_rooms", "key_backup", "limits", "profile",
        "push_rules", "pushers", "sso_links", "tags",
    }  # fmt: skip
    assert held["tags", "still_there"] == held["pushers", "still_there"] == held["push_rules", "still_there"] == 1
    assert held["reports", "reports_kept"] == 2  # it is both who reported and who was reported
    assert held["filters", "no_way_to_delete"] >= 1
    assert ("account", "not_deactivated") in held


async def test_deactivation_with_erase_leaves_exactly_this(
    synapse: Synapse, admin: Credentials, register: Register, leftovers: SynapseLeftovers
) -> None:
    """What the homeserver's own call forgets is found: an erasure must take these away by itself."""
    async with clients(synapse, await register("verified"), admin) as (person, owner):
        await lived(person, owner)
        await owner.admin("POST", "v1", "deactivate", person.user_id, body={"erase": True})
        await parted(owner, person.user_id)
        held = await found(leftovers, person.user_id)
        assert {category for category, reason in held if reason == "still_there"} == {
            "limits", "sso_links", "tags",
        }  # fmt: skip
        assert held["account", "name_reserved"] == 1
        assert held["reports", "reports_kept"] == 2
        assert not {"not_deactivated", "not_erased", "name_free", "not_askable"} & {reason for _, reason in held}


async def test_after_the_bots_own_erasure_nothing_is_left_that_should_not_be(
    synapse: Synapse, admin: Credentials, register: Register, leftovers: SynapseLeftovers
) -> None:
    """What erases and what looks afterwards were written apart, and agree on a real server."""
    changes = SynapseChanges(synapse.url, admin.access_token, retries=0)
    async with clients(synapse, await register("verified"), admin) as (person, owner):
        user, room = UserId(person.user_id), RoomId(await lived(person, owner))
        await person.send(room, {"m.relates_to": {"key": "x"}}, "m.reaction")
        await person.state(room, "m.room.topic", {"topic": "planted"})
        url = Mxc(await person.upload(b"planted", "text/plain", "planted.txt"))
        assert {each.reason for each in await leftovers.of_room(room, user, everything=True)} >= {STILL_THERE}
        await changes.prepare_erasure(user)
        while (await changes.redact(room, user, Depth.ALL, None, 4)).count:
            pass
        while await changes.delete_all_media(user):
            pass
        await changes.delete_links(user)
        await changes.clear_profile(user)
        await changes.deactivate(user)
        while not await changes.finish_erasure(user):
            await asyncio.sleep(0.05)
        found = [
            *await leftovers.of_account(user),
            *await leftovers.of_media(user, everything=True),
            *await leftovers.of_file(url),
            *await leftovers.of_room(room, user, everything=True),
        ]
    await changes.close()
    assert unexpected(found) == ()
    assert Residual("account", 1, "name_reserved") in found
    assert "state_kept" in {each.category for each in found}


async def test_the_look_leaves_no_key_to_the_account_behind(
    synapse: Synapse, admin: Credentials, register: Register, leftovers: SynapseLeftovers
) -> None:
    """What was asked as the person used a token that is ended; no device of it is listed."""
    async with clients(synapse, await register("verified"), admin) as (person, owner):
        await owner.admin("POST", "v1", "deactivate", person.user_id, body={"erase": True})
        await found(leftovers, person.user_id)
        assert (await owner.admin("GET", "v2", "users", person.user_id, "devices"))["total"] == 0
        assert (await owner.admin("GET", "v2", "users", person.user_id))["deactivated"] is True


async def test_without_the_rights_of_an_admin_nothing_looks_gone(synapse: Synapse, register: Register) -> None:
    """A token that is no admin's (any more) is a fault, not an empty answer."""
    somebody, other = await register("verified"), await register("verified")
    made = SynapseLeftovers(synapse.url, somebody.access_token, retries=0)
    with pytest.raises(Rejected):
        await made.of_account(UserId(other.user_id))
    with pytest.raises(Rejected):
        await made.of_media(UserId(other.user_id), everything=True)
    await made.close()
