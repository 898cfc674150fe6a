"""What every `Changes` keeps to: the same tests on the one in memory and on a real Synapse."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Gone, Rejected
from dpobot.homeserver.changes import Depth, OwnEvents, Redacted, RoomPeople
from dpobot.homeserver.erasing.synapse_changes import SynapseChanges
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.model.ids import RoomId, UserId
from tests.contracts.changing_stage import InMemory, Real, Stage
from tests.live.conftest import admin as admin
from tests.live.conftest import synapse as synapse
from tests.live.http import Client

NOBODY = UserId("@nobody-ever:dpobot.test")
NOWHERE = RoomId("!nowhere:dpobot.test")


@pytest.fixture(params=["memory", pytest.param("synapse", marks=pytest.mark.live)])
def server(request: pytest.FixtureRequest) -> tuple[Synapse, Credentials] | None:
    """None for the stage in memory, else the real server and its admin."""
    if request.param == "memory":
        return None
    return request.getfixturevalue("synapse"), request.getfixturevalue("admin")


@pytest.fixture
async def stage(server: tuple[Synapse, Credentials] | None) -> AsyncIterator[Stage]:
    """Each of the two stages in turn."""
    if server is None:
        yield InMemory()
        return
    running, admin_ = server
    homeserver = SynapseHomeserver(running.url, admin_.access_token, retries=0)
    changes = SynapseChanges(running.url, admin_.access_token, retries=0)
    async with aiohttp.ClientSession() as http:
        yield Real(running, Client(http, running.url, admin_), http, homeserver, changes)
    await changes.close()
    await homeserver.close()


async def redacted(stage: Stage, room: RoomId, user: UserId, depth: Depth = Depth.ALL) -> Redacted:
    """Redact every window of a room once; return the sum."""
    count, start, refused = 0, None, dict[str, int]()
    while True:
        window = await stage.changes.redact(room, user, depth, start, 4)
        count, start = count + window.count, window.next
        refused |= window.refused
        if start is None:
            return Redacted(count, refused)


async def spoken(stage: Stage, *, leave: bool = False) -> tuple[RoomId, UserId, UserId]:
    """Let Anna say, react, stick and set a topic in Bob's room; Bob says something, too."""
    anna, bob = await stage.person("Anna's secret name"), await stage.person("Bob")
    room = await stage.room(bob, anna)
    said = await stage.send(room, anna, "m.room.message", {"msgtype": "m.text", "body": "said"})
    relation = {"rel_type": "m.annotation", "event_id": said, "key": "👍"}
    await stage.send(room, anna, "m.reaction", {"m.relates_to": relation})
    await stage.send(room, anna, "m.sticker", {"body": "a fox", "url": "mxc://elsewhere.test/fox", "info": {}})
    await stage.state(room, anna, "m.room.topic", {"topic": "said, too"})
    await stage.state(room, anna, "m.room.guest_access", {"guest_access": "can_join"})
    await stage.send(room, bob, "m.room.message", {"msgtype": "m.text", "body": "Bob's"})
    if leave:
        await stage.leave(room, anna)
    return room, anna, bob


async def contents(stage: Stage, room: RoomId, user: UserId) -> list[dict[str, Any]]:
    """Return what somebody's events in a room hold, but for redactions."""
    page = await stage.homeserver.own_events(room, user, None)
    return [event["content"] for event in page.events if event["type"] != "m.room.redaction"]


async def test_everything_that_holds_content_is_redacted_and_nothing_twice(stage: Stage) -> None:
    """Messages, reactions, stickers, state and the own name go; what the room needs and what others said stays."""
    room, anna, bob = await spoken(stage)
    assert await stage.changes.own_counts(room, anna) == OwnEvents(messages=3, state=2, kept=1)
    bobs = await contents(stage, room, bob)
    assert await redacted(stage, room, anna) == Redacted(5)
    assert await stage.changes.own_counts(room, anna) == OwnEvents(messages=0, state=0, kept=1)
    before, taken_down = [{"membership": "join"}, {}, {}, {}, {}, {"guest_access": "can_join"}], {"topic": ""}
    assert await contents(stage, room, anna) == [*before, taken_down]
    assert await contents(stage, room, bob) == bobs
    assert await redacted(stage, room, anna) == Redacted(0)


async def test_state_alone_is_redacted_if_that_was_asked_for(stage: Stage) -> None:
    """To forget somebody takes their name and topic from those who join later, and leaves what they said."""
    room, anna, _ = await spoken(stage)
    assert await redacted(stage, room, anna, Depth.STATE) == Redacted(2)
    assert await stage.changes.own_counts(room, anna) == OwnEvents(messages=3, state=0, kept=1)


@pytest.mark.parametrize("depth", Depth)
async def test_a_topic_goes_from_the_directory_of_rooms_too(stage: Stage, depth: Depth) -> None:
    """Which does not follow redactions; once is enough."""
    room, anna, _ = await spoken(stage)
    assert await stage.listed(room, "said, too")
    await redacted(stage, room, anna, depth)
    assert await stage.listed(room, "")
    events = len(await contents(stage, room, anna))
    await redacted(stage, room, anna, depth)
    assert len(await contents(stage, room, anna)) == events


async def test_what_somebody_else_has_set_since_stays_in_the_directory(stage: Stage) -> None:
    """Of the two topics only the own one goes."""
    room, anna, bob = await spoken(stage)
    await stage.state(room, bob, "m.room.topic", {"topic": "Bob's"})
    assert await stage.listed(room, "Bob's")
    assert await redacted(stage, room, anna, Depth.STATE) == Redacted(2)
    assert [content for content in await contents(stage, room, anna) if "topic" in content] == []  # none set to nothing
    assert [content for content in await contents(stage, room, bob) if "topic" in content] == [{"topic": "Bob's"}]
    assert await stage.listed(room, "Bob's")


async def test_a_room_that_was_left_is_redacted_as_far_as_possible(stage: Stage) -> None:
    """Messages and the own name go; what the homeserver offers no way for is counted; a repeat does nothing."""
    room, anna, _ = await spoken(stage, leave=True)
    with pytest.raises(Rejected) as error:
        await stage.changes.redact(room, anna, Depth.ALL, None, 4)
    assert error.value.code == "not_joined"
    assert await stage.changes.redact_left(room, anna, Depth.STATE) == Redacted(1, {"not_in_room": 1})
    assert await stage.changes.redact_left(room, anna, Depth.ALL) == Redacted(1, {"not_in_room": 3})
    assert await stage.changes.own_counts(room, anna) == OwnEvents(messages=2, state=1, kept=1)
    assert await stage.changes.redact_left(room, anna, Depth.ALL) == Redacted(0, {"not_in_room": 3})


async def test_a_room_that_was_upgraded_is_redacted_like_one_that_was_left(stage: Stage) -> None:
    """Its members may send nothing any more, not even redactions."""
    room, anna, bob = await spoken(stage)
    await stage.close(room, bob, anna)
    with pytest.raises(Rejected) as error:
        await stage.changes.redact(room, anna, Depth.ALL, None, 4)
    assert error.value.code == "not_joined"
    assert await stage.changes.redact_left(room, anna, Depth.ALL) == Redacted(2, {"not_in_room": 3})


async def test_who_was_in_a_room_is_known_after_everybody_has_left(stage: Stage) -> None:
    """Now and ever, the person aside; nobody of another server."""
    anna, bob, carol = [await stage.person(name) for name in ("Anna", "Bob", "Carol")]
    room, alone = await stage.room(bob, anna, carol), await stage.room(anna)
    await stage.leave(room, carol)
    assert await stage.changes.people(room, anna) == RoomPeople(1, 2, frozenset())
    await stage.leave(room, bob)
    await stage.leave(room, anna)
    assert await stage.changes.people(room, anna) == RoomPeople(0, 2, frozenset())
    assert await stage.changes.people(alone, anna) == RoomPeople(0, 0, frozenset())


async def test_media_that_a_room_names_are_found_unless_encryption_hides_them(stage: Stage) -> None:
    """As a file, and inside formatted text; others' servers and redacted events name nothing of ours."""
    anna = await stage.person("Anna")
    room, first, second = await stage.room(anna), await stage.upload(anna), await stage.upload(anna)
    await stage.send(room, anna, "m.room.message", {"msgtype": "m.file", "body": "a", "url": first})
    text = {"msgtype": "m.text", "body": "b", "formatted_body": f'<img src="{second}"/> mxc://elsewhere.test/third'}
    await stage.send(room, anna, "m.room.message", text)
    assert await stage.changes.media_in(room, anna) == frozenset({first, second})
    await redacted(stage, room, anna)
    assert await stage.changes.media_in(room, anna) == frozenset()
    secret = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "c", "session_id": "s", "sender_key": "k"}
    await stage.send(room, anna, "m.room.encrypted", {**secret, "device_id": "D"})
    assert await stage.changes.media_in(room, anna) is None


async def test_all_uploads_go(stage: Stage) -> None:
    """Batch by batch, until a batch is empty; nobody else's."""
    anna, bob = await stage.person("Anna"), await stage.person("Bob")
    for user in (anna, anna, bob):
        await stage.upload(user)
    assert await stage.changes.delete_all_media(anna) == 2
    assert await stage.changes.delete_all_media(anna) == 0
    assert len((await stage.homeserver.media(bob)).items) == 1


async def test_a_room_is_deleted_once_and_for_all(stage: Stage) -> None:
    """What was in it is gone, and to ask again, or for a room that never was, changes nothing."""
    room, anna, _ = await spoken(stage)
    while not await stage.changes.delete_room(room):
        pass
    assert await contents(stage, room, anna) == []
    assert await stage.changes.delete_room(room) is True
    assert await stage.changes.delete_room(NOWHERE) is True


async def test_an_account_is_suspended_and_freed(stage: Stage) -> None:
    """Twice in either direction is once."""
    anna = await stage.person("Anna")
    for on in (True, True, False, False):
        await stage.changes.suspend(anna, on)
        account = await stage.homeserver.account(anna)
        assert account is not None
        assert account.suspended is on


async def test_a_locked_and_suspended_account_is_opened_up_for_its_erasure(stage: Stage) -> None:
    """After that its events can be redacted."""
    room, anna, _ = await spoken(stage)
    await stage.changes.suspend(anna, True)
    await stage.lock(anna)
    await stage.changes.prepare_erasure(anna)
    account = await stage.homeserver.account(anna)
    assert account is not None
    assert (account.locked, account.suspended) == (False, False)
    assert await redacted(stage, room, anna) == Redacted(5)


async def test_an_erased_account_is_in_no_room_and_has_no_name(stage: Stage) -> None:
    """Twice is once; the account is still known, as deactivated and erased."""
    room, anna, bob = await spoken(stage)
    await stage.changes.deactivate(anna)
    await stage.changes.deactivate(anna)
    while not await stage.changes.finish_erasure(anna):
        pass
    assert await stage.changes.finish_erasure(anna) is True
    account = await stage.homeserver.account(anna)
    assert account is not None
    assert (account.deactivated, account.erased) == (True, True)
    assert (await stage.homeserver.collect("profile", anna)).records == ()
    assert (await stage.changes.people(room, bob)).joined == 0
    assert "Anna's secret name" not in str(await contents(stage, room, anna))


async def profile(stage: Stage, user: UserId) -> dict[str, Any]:
    """Return the fields of somebody's profile."""
    records = (await stage.homeserver.collect("profile", user)).records
    return {record["field"]: record["value"] for record in records if record["value"] is not None}


async def test_name_and_picture_are_corrected(stage: Stage) -> None:
    """The picture is the person's own upload; without one there is none."""
    anna = await stage.person("Anna")
    await stage.changes.set_display_name(anna, "Anne")
    await stage.changes.set_avatar(anna, b"\x89PNG\r\n\x1a\n", "image/png")
    (item,) = (await stage.homeserver.media(anna)).items
    assert await profile(stage, anna) == {"displayname": "Anne", "avatar_url": item.url}
    assert item.media_type == "image/png"
    await stage.changes.set_avatar(anna, None, None)
    await stage.changes.set_display_name(anna, None)
    assert await profile(stage, anna) == {}


async def test_custom_fields_go_before_the_account_does(stage: Stage) -> None:
    """The name stays until then: to change it would tell every room."""
    anna = await stage.person("Anna")
    await stage.custom(anna)
    await stage.changes.clear_profile(anna)
    await stage.changes.clear_profile(anna)
    assert await profile(stage, anna) == {"displayname": "Anna"}


async def test_an_address_is_added_replaced_and_removed(stage: Stage) -> None:
    """Each step twice is once; an address that isn't there can't be replaced."""
    anna = await stage.person("Anna")
    steps = [(None, "a@x.test", ["a@x.test"]), ("a@x.test", "b@x.test", ["b@x.test"]), ("b@x.test", None, [])]
    for old, new, expected in steps:
        await stage.changes.set_email(anna, old, new)
        if new is not None:
            await stage.changes.set_email(anna, old, new)
        held = (await stage.homeserver.collect("third_party_ids", anna)).records
        assert [record["address"] for record in held] == expected
    with pytest.raises(Gone) as error:
        await stage.changes.set_email(anna, "b@x.test", None)
    assert error.value.code == "no_such_email"


async def test_tags_are_removed(stage: Stage) -> None:
    """Counted once."""
    anna = await stage.person("Anna")
    room = await stage.room(anna)
    await stage.tag(room, anna)
    assert await stage.changes.delete_links(anna) == 1
    assert await stage.changes.delete_links(anna) == 0
    assert (await stage.homeserver.collect("tags", anna)).records == ()


async def test_direct_messages_are_those_that_the_person_calls_so(stage: Stage) -> None:
    """None without the setting."""
    anna, bob = await stage.person("Anna"), await stage.person("Bob")
    room = await stage.room(anna, bob)
    assert await stage.changes.direct_rooms(anna) == frozenset()
    await stage.direct(anna, bob, room)
    assert await stage.changes.direct_rooms(anna) == {room}


async def test_an_account_that_never_was_is_gone(stage: Stage) -> None:
    """Nothing is made for it."""
    for call in (stage.changes.prepare_erasure, stage.changes.deactivate, stage.changes.finish_erasure):
        with pytest.raises(Gone):
            await call(NOBODY)
    assert await stage.homeserver.account(NOBODY) is None


async def test_a_room_that_never_was_holds_nothing(stage: Stage) -> None:
    """Neither events nor people nor media."""
    anna = await stage.person("Anna")
    assert await stage.changes.own_counts(NOWHERE, anna) == OwnEvents(0, 0, 0)
    assert await stage.changes.people(NOWHERE, anna) == RoomPeople(0, 0, frozenset())
    assert await stage.changes.media_in(NOWHERE, anna) == frozenset()
    assert await stage.changes.redact_left(NOWHERE, anna, Depth.ALL) == Redacted(0)
