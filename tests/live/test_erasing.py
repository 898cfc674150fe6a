"""What erases, on a real Synapse: every kind of event, rooms of old and new versions, and what others still see."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from benchmarks.seed import seed
from benchmarks.world import Load, reopen
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Rejected
from dpobot.homeserver.changes import Depth, OwnEvents, Redacted
from dpobot.homeserver.erasing.synapse_changes import SynapseChanges
from dpobot.model.ids import RoomId, UserId
from tests.live.conftest import Register
from tests.live.http import Client

pytestmark = pytest.mark.live


@pytest.fixture
async def changes(synapse: Synapse, admin: Credentials) -> AsyncIterator[SynapseChanges]:
    """What changes the shared server."""
    made = SynapseChanges(synapse.url, admin.access_token)
    yield made
    await made.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Connections for clients."""
    async with aiohttp.ClientSession() as session:
        yield session


async def redact_all(changes: SynapseChanges, room: RoomId, user: UserId, depth: Depth = Depth.ALL) -> Redacted:
    """Redact in windows until a whole pass redacts nothing; return the sum."""
    total, refused = 0, dict[str, int]()
    while True:
        passed, start = 0, None
        while True:
            window = await changes.redact(room, user, depth, start, 28)
            passed, start, refused = passed + window.count, window.next, {**refused, **window.refused}
            if start is None:
                break
        if not passed:
            return Redacted(total, refused)
        total += passed


@pytest.mark.timeout(900)  # two thousand of anything take their time where the machine is busy
async def test_more_than_two_thousand_events_in_one_room_are_all_redacted(tmp_path: Path) -> None:
    """The homeserver's own call stops at 1,000 and leaves an end of the history for each; this leaves at most ten."""
    await seed(tmp_path / "synapse", [Load("prolific", own=2_010, total=2_020, rooms=1, senders=2)])
    synapse, world = reopen(tmp_path / "synapse")
    person = world.people["prolific"]
    user, room = UserId(person.credentials.user_id), RoomId(person.rooms[0])
    await synapse.start()
    changes = SynapseChanges(synapse.url, world.admin.access_token)
    try:
        await changes.prepare_erasure(user)
        assert (await changes.own_counts(room, user)).messages == 2_011
        done = await redact_all(changes, room, user)
        assert (done.count > 2_011, done.refused) == (True, {})
        left = await changes.own_counts(room, user)
        assert (left.messages, left.state) == (0, 0)
        path = f"/_synapse/admin/v1/rooms/{room}/forward_extremities"
        assert (await synapse.request("GET", path, world.admin.access_token))["count"] <= 10
        assert redactions(synapse, room, user) == done.count
    finally:
        await changes.close()
        await synapse.stop()


def redactions(synapse: Synapse, room: str, user: str) -> int:
    """Count the redactions that somebody sent in a room, in the database."""
    with closing(sqlite3.connect(f"file:{synapse.folder / 'homeserver.db'}?mode=ro", uri=True)) as database:
        query = "SELECT count(*) FROM events WHERE room_id = ? AND sender = ? AND type = 'm.room.redaction'"
        return int(database.execute(query, (room, user)).fetchone()[0])


async def lived(anna: Client, bob: Client, version: str) -> RoomId:
    """Let Anna do in Bob's room whatever leaves content."""
    levels = {"state_default": 0, "invite": 0, "events": {}}
    room = await bob.create(preset="public_chat", room_version=version, power_level_content_override=levels)
    await anna.member(room, "join")
    said = await anna.say(room, "private words")
    edit = {
        "msgtype": "m.text",
        "body": "* private edit",
        "m.new_content": {"msgtype": "m.text", "body": "private edit"},
    }
    await anna.send(room, {**edit, "m.relates_to": {"rel_type": "m.replace", "event_id": said}})
    relation = {"rel_type": "m.annotation", "event_id": said, "key": "private reaction"}
    await anna.send(room, {"m.relates_to": relation}, "m.reaction")
    await anna.send(room, {"body": "private sticker", "url": "mxc://x.test/s", "info": {}}, "m.sticker")
    question = {"question": {"m.text": "private question"}, "answers": [{"id": "1", "m.text": "private answer"}]}
    poll = await anna.send(room, {"org.matrix.msc3381.poll.start": question}, "org.matrix.msc3381.poll.start")
    vote = {"m.relates_to": {"rel_type": "m.reference", "event_id": poll}, "answers": ["private vote"]}
    await anna.send(room, vote, "org.matrix.msc3381.poll.response")
    for kind in ("m.room.topic", "m.room.name", "org.example.custom"):
        await anna.state(room, kind, {kind.rsplit(".", 1)[1]: "private state"})
    await anna.state(room, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    await anna.state(room, "m.room.server_acl", {"allow": ["*"], "deny": ["evil.test"]})
    await anna.post("rooms", room, "invite", body={"user_id": f"@guest-{anna.user_id[1:]}", "reason": "private reason"})
    return RoomId(room)


async def seen(client: Client, room: str) -> str:
    """Return everything that a member of a room is shown of it: history and state."""
    history = await client.get("rooms", room, "messages", dir="b", limit="200")
    state: Any = await client.get("rooms", room, "state")
    return json.dumps([history, state])


@pytest.mark.parametrize("version", ["10", "12"])
async def test_whatever_holds_content_goes_and_the_room_stays_safe(
    version: str, synapse: Synapse, changes: SynapseChanges, http: aiohttp.ClientSession, register: Register
) -> None:
    """Somebody who joins later finds no word, and encryption and the server list still in force.

    The account was suspended: in old rooms Synapse can't redact for it then, so that ends first.
    """
    anna, bob, later = [Client(http, synapse.url, await register(name)) for name in ("anna", "bob", "later")]
    await anna.put("profile", anna.user_id, "displayname", body={"displayname": "private name"})
    room, user = await lived(anna, bob, version), UserId(anna.user_id)
    await changes.suspend(user, True)
    await changes.prepare_erasure(user)
    counts = await changes.own_counts(room, user)
    assert counts == OwnEvents(messages=6, state=5, kept=2)
    assert await redact_all(changes, room, user) == Redacted(11)
    assert await changes.own_counts(room, user) == OwnEvents(0, 0, 2)
    assert redactions(synapse, room, user) == 11
    await later.member(room, "join")
    assert "private" not in await seen(later, room)
    encryption = await later.get("rooms", room, "state", "m.room.encryption", "")
    assert encryption["algorithm"] == "m.megolm.v1.aes-sha2"
    assert (await later.get("rooms", room, "state", "m.room.server_acl", ""))["deny"] == ["evil.test"]
    # a redacted membership is still one: she is there, and may speak until she leaves
    await anna.say(room, "still here")


@pytest.mark.parametrize("version", ["10", "12"])
async def test_rooms_without_the_person_are_redacted_without_a_visit(
    version: str, synapse: Synapse, changes: SynapseChanges, http: aiohttp.ClientSession, register: Register
) -> None:
    """Left, banned, and left by everybody: messages and names go, each once, and nobody sees Anna come back."""
    anna, bob = [Client(http, synapse.url, await register(name)) for name in ("anna", "bob")]
    await anna.put("profile", anna.user_id, "displayname", body={"displayname": "private name"})
    user = UserId(anna.user_id)
    rooms = []
    for _ in range(3):
        rooms.append(RoomId(await bob.create(preset="public_chat", room_version=version)))
        await anna.member(rooms[-1], "join")
        for number in range(4):
            await anna.say(rooms[-1], f"private {number}")
    left, banned, abandoned = rooms
    await anna.member(left, "leave")
    await bob.member(banned, "ban", user_id=anna.user_id)
    for client in (anna, bob):
        await client.member(abandoned, "leave")
        await client.member(abandoned, "forget")
    for room in rooms:
        assert await changes.redact_left(room, user, Depth.ALL) == Redacted(5)
        assert await changes.redact_left(room, user, Depth.ALL) == Redacted(0)
        assert await changes.own_counts(room, user) == OwnEvents(0, 0, 0)
        assert redactions(synapse, room, user) == 5
    # not what a later event repeats of the one before it (``prev_content``): Synapse 1.163 keeps that in its memory as
    # it was when it was last shown, until the memory is needed or the server starts again
    history = (await bob.get("rooms", left, "messages", dir="b", limit="200"))["chunk"]
    assert "private" not in json.dumps([event["content"] for event in history])
    assert {event["content"]["membership"] for event in await memberships(bob, left, user)} == {"leave"}


async def memberships(client: Client, room: str, user: str) -> list[dict[str, Any]]:
    """Return somebody's current membership of a room, as the events that a member is shown."""
    members = (await client.get("rooms", room, "members"))["chunk"]
    return [event for event in members if event["state_key"] == user]


async def test_a_bulk_call_that_is_at_work_is_waited_for(
    synapse: Synapse, admin: Credentials, changes: SynapseChanges, http: aiohttp.ClientSession, register: Register
) -> None:
    """As after a crash of ours: nothing is redacted twice, though the homeserver would do so."""
    anna, bob = [Client(http, synapse.url, await register(name)) for name in ("anna", "bob")]
    room, user = RoomId(await bob.create(preset="public_chat")), UserId(anna.user_id)
    await anna.member(room, "join")
    for number in range(25):
        await anna.say(room, f"word {number}")
    await anna.member(room, "leave")
    administrator = Client(http, synapse.url, admin)
    await administrator.admin("POST", "v1", "user", user, "redact", body={"rooms": [room]})
    assert (await changes.redact_left(room, user, Depth.ALL)).refused == {}
    assert await changes.own_counts(room, user) == OwnEvents(0, 0, 0)
    assert redactions(synapse, room, user) == 26


async def test_what_the_server_forbids_is_counted_and_the_rest_goes(tmp_path: Path) -> None:
    """With ``redaction_allowed_period`` old messages stay; reactions and the name go, in the room and after leaving."""
    synapse = Synapse(tmp_path / "strict", extra={"redaction_allowed_period": 1})
    await synapse.start()
    admin = await synapse.register("admin", admin=True)
    changes = SynapseChanges(synapse.url, admin.access_token)
    try:
        async with aiohttp.ClientSession() as http:
            anna, bob = [Client(http, synapse.url, await synapse.register(name)) for name in ("anna", "bob")]
            room, user = RoomId(await bob.create(preset="public_chat")), UserId(anna.user_id)
            await anna.member(room, "join")
            said = await anna.say(room, "old words")
            relation = {"rel_type": "m.annotation", "event_id": said, "key": "👍"}
            await anna.send(room, {"m.relates_to": relation}, "m.reaction")
            assert await redact_all(changes, room, user) == Redacted(2, {"M_FORBIDDEN": 1})
            await anna.member(room, "leave")
            assert await changes.redact_left(room, user, Depth.ALL) == Redacted(0, {"M_FORBIDDEN": 1})
    finally:
        await changes.close()
        await synapse.stop()


async def test_an_erased_account_leaves_neither_files_nor_private_rooms_nor_its_name_to_others(
    synapse: Synapse, admin: Credentials, changes: SynapseChanges, http: aiohttp.ClientSession, register: Register
) -> None:
    """A file's address answers 404, the sole room is unknown, nobody can register the name again."""
    anna, bob = [Client(http, synapse.url, await register(name)) for name in ("anna", "bob")]
    user, administrator = UserId(anna.user_id), Client(http, synapse.url, admin)
    url = await anna.upload(b"private bytes", "text/plain", "private.txt")
    sole = RoomId(await anna.create(preset="private_chat", name="alone"))
    await anna.say(sole, "private words")
    file = f"/_matrix/client/v1/media/download/{url.removeprefix('mxc://')}"
    assert await status(http, synapse, bob, file) == 200
    await changes.prepare_erasure(user)
    while not await changes.delete_room(sole):
        pass
    while await changes.delete_all_media(user):
        pass
    await changes.deactivate(user)
    while not await changes.finish_erasure(user):
        pass
    assert await status(http, synapse, bob, file) == 404
    assert await status(http, synapse, administrator, f"/_synapse/admin/v1/rooms/{sole}") == 404
    with pytest.raises(Rejected) as error:
        await synapse.register(user[1:].split(":", 1)[0])
    assert error.value.code == "M_USER_IN_USE"
    assert await administrator.admin("GET", "v1", "users", user, "override_ratelimit") == {}


async def status(http: aiohttp.ClientSession, synapse: Synapse, client: Client, path: str) -> int:
    """Return the status with which somebody's GET is answered."""
    headers = {"Authorization": f"Bearer {client.credentials.access_token}"}
    async with http.get(synapse.url + path, headers=headers) as answer:
        await answer.read()
        return answer.status


async def test_links_go_and_an_address_that_others_use_stays(
    synapse: Synapse, admin: Credentials, changes: SynapseChanges, http: aiohttp.ClientSession, register: Register
) -> None:
    """Single sign-on and the address that only Anna made for herself; not Bob's, and not the one a room is known by."""
    anna, bob = [Client(http, synapse.url, await register(name)) for name in ("anna", "bob")]
    user, mark = UserId(anna.user_id), anna.user_id[1:].split(":", 1)[0]
    room = await bob.create(preset="public_chat")
    own = await anna.create(preset="public_chat", room_alias_name=f"house-{mark}")
    for client, name in ((anna, f"annas-{mark}"), (bob, f"bobs-{mark}")):
        if client is anna:
            await anna.member(room, "join")
        await client.put("directory", "room", f"#{name}:dpobot.test", body={"room_id": room})
    links = [{"auth_provider": "oidc", "external_id": mark}]
    await Client(http, synapse.url, admin).admin("PUT", "v2", "users", user, body={"external_ids": links})
    assert await changes.delete_links(user) == 2
    assert await changes.delete_links(user) == 0
    assert (await bob.get("rooms", room, "aliases"))["aliases"] == [f"#bobs-{mark}:dpobot.test"]
    assert (await anna.get("rooms", own, "aliases"))["aliases"] == [f"#house-{mark}:dpobot.test"]
