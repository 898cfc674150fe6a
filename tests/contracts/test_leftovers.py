"""What every `Leftovers` keeps to: the same tests on the one in memory and on a real Synapse."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol

import aiohttp
import pytest

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.homeserver.leftovers import Leftovers
from dpobot.homeserver.verifying.synapse_leftovers import SynapseLeftovers
from dpobot.model.erasure import Residual
from dpobot.model.ids import Mxc, RoomId, UserId
from tests.contracts.test_homeserver import InMemory, Real, Stage, server
from tests.fakes.leftovers import FakeLeftovers
from tests.live.conftest import admin as admin
from tests.live.conftest import synapse as synapse
from tests.live.http import Client

__all__ = ["server"]  # a fixture


class Erasing(Stage, Protocol):
    """Lets parts of an erasure happen, by other means than the bot's."""

    leftovers: Leftovers

    async def send(self, room: RoomId, user: UserId, type_: str, content: dict[str, Any]) -> str:
        """Let somebody send an event of any type."""

    async def topic(self, room: RoomId, user: UserId, topic: str) -> str:
        """Let somebody set a topic; returns the event's ID."""

    async def listed(self, room: RoomId, topic: str) -> None:
        """Return as soon as the directory of rooms shows a topic."""

    async def redact(self, room: RoomId, user: UserId, event: str) -> None:
        """Let somebody take an event back."""

    async def delete_room(self, room: RoomId) -> None:
        """Delete a room with all that is in it."""

    async def delete_file(self, url: Mxc) -> None:
        """Delete a file."""

    async def deactivate(self, user: UserId, *, erase: bool) -> None:
        """Deactivate an account, and erase it if asked for."""


class InMemoryErasing(InMemory):
    """In memory."""

    def __init__(self) -> None:
        super().__init__()
        self.leftovers: Leftovers = FakeLeftovers(self.fake)

    async def send(self, room: RoomId, user: UserId, type_: str, content: dict[str, Any]) -> str:
        return self.fake.send(room, user, content, type_)

    async def topic(self, room: RoomId, user: UserId, topic: str) -> str:
        return self.fake.send(room, user, {"topic": topic}, "m.room.topic", state_key="")

    async def listed(self, room: RoomId, topic: str) -> None:
        assert self.fake.rooms_held[room].shown["m.room.topic"] == topic

    async def redact(self, room: RoomId, user: UserId, event: str) -> None:
        found = next(each for each in self.fake.rooms_held[room].events if each["event_id"] == event)
        found["content"] = {}
        self.fake.send(room, user, {}, "m.room.redaction", redacts=event)

    async def delete_room(self, room: RoomId) -> None:
        del self.fake.rooms_held[room]

    async def delete_file(self, url: Mxc) -> None:
        del self.fake._media[url]

    async def deactivate(self, user: UserId, *, erase: bool) -> None:
        self.fake.add_account(user, deactivated=True, erased=erase)
        for room in self.fake.rooms_held.values():
            room.members.pop(user, None)


class RealErasing(Real):
    """On a real Synapse."""

    leftovers: Leftovers

    async def send(self, room: RoomId, user: UserId, type_: str, content: dict[str, Any]) -> str:
        return await self._people[user].send(room, content, type_)

    async def topic(self, room: RoomId, user: UserId, topic: str) -> str:
        return await self._people[user].state(room, "m.room.topic", {"topic": topic})

    async def listed(self, room: RoomId, topic: str) -> None:
        while (await self.admin.admin("GET", "v1", "rooms", room))["topic"] != topic:
            await asyncio.sleep(0.05)

    async def redact(self, room: RoomId, user: UserId, event: str) -> None:
        await self._people[user].redact(room, event, "")

    async def delete_room(self, room: RoomId) -> None:
        answer = await self.admin.admin("DELETE", "v2", "rooms", room, body={"purge": True})
        while (await self.admin.admin("GET", "v2", "rooms", "delete_status", answer["delete_id"]))["status"] not in {
            "complete",
            "failed",
        }:
            await asyncio.sleep(0.05)

    async def delete_file(self, url: Mxc) -> None:
        server_name, media = url.removeprefix("mxc://").split("/")
        await self.admin.admin("DELETE", "v1", "media", server_name, media)

    async def deactivate(self, user: UserId, *, erase: bool) -> None:
        await self.admin.admin("POST", "v1", "deactivate", user, body={"erase": erase})
        await self._parted(user)

    async def _parted(self, user: UserId) -> None:
        while (await self.admin.admin("GET", "v1", "users", user, "joined_rooms"))["total"]:
            await asyncio.sleep(0.05)


@pytest.fixture
async def stage(server: tuple[Synapse, Credentials] | None) -> AsyncIterator[Erasing]:
    """Each of the two stages in turn."""
    if server is None:
        yield InMemoryErasing()
        return
    running, administrator = server
    leftovers = SynapseLeftovers(running.url, administrator.access_token, retries=0)
    async with aiohttp.ClientSession() as http:
        # what reads is not under test here
        made = RealErasing(running, Client(http, running.url, administrator), http, None)  # type: ignore[arg-type]
        made.leftovers = leftovers
        yield made
    await leftovers.close()


def without_rules(found: Any) -> list[tuple[str, int, str]]:
    """Return category, count and reason of residuals, without the rules that a room needs: how many depends on it."""
    assert all(isinstance(each, Residual) for each in found)
    return [(each.category, each.count, each.reason) for each in found if each.category != "state_kept"]


async def test_an_account_that_lives_is_reported(stage: Erasing) -> None:
    """Neither deactivated nor erased, in a room: three things that should not be."""
    anna = await stage.person()
    await stage.room(anna, "A room")
    found = {(each.category, each.reason): each.count for each in await stage.leftovers.of_account(anna)}
    assert found["account", "not_deactivated"] == 1
    assert found["account", "not_erased"] == 1
    assert found["joined_rooms", "still_there"] == 1


async def test_an_account_that_was_only_deactivated_is_reported(stage: Erasing) -> None:
    """It has left its rooms, but whoever joins later would see what it wrote."""
    anna = await stage.person()
    await stage.room(anna, "A room")
    await stage.deactivate(anna, erase=False)
    found = [(each.category, each.reason) for each in await stage.leftovers.of_account(anna)]
    assert ("account", "not_deactivated") not in found
    assert ("joined_rooms", "still_there") not in found
    assert ("account", "not_erased") in found


async def test_an_erased_account_leaves_what_is_meant_to_stay(stage: Erasing) -> None:
    """Its name is reserved; what can't be asked is named, and not counted."""
    anna = await stage.person()
    await stage.room(anna, "A room")
    await stage.deactivate(anna, erase=True)
    found = list(await stage.leftovers.of_account(anna))
    assert Residual("account", 1, "name_reserved") in found
    assert Residual("search_index", 0, "search_index") in found
    assert Residual("server_logs", 0, "log_files") in found
    unexpected = {"not_deactivated", "not_erased", "name_free", "still_there", "check_failed"}
    assert [each for each in found if each.reason in unexpected] == []


async def test_what_somebody_sent_is_counted_by_what_it_is(stage: Erasing) -> None:
    """Messages, reactions and topics of their own; what Bob said is not theirs."""
    anna, bob = await stage.person(), await stage.person()
    room = await stage.room(bob, "Bob's", anna)
    said = [await stage.say(room, anna, f"Anna {number}") for number in range(3)]
    await stage.say(room, bob, "Bob")
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": said[0], "key": "👍"}}
    await stage.send(room, anna, "m.reaction", content)
    await stage.send(room, anna, "m.sticker", {"body": "a cat", "url": "mxc://dpobot.test/cat", "info": {}})
    found = await stage.leftovers.of_room(room, anna, everything=True)
    assert [each for each in without_rules(found) if each[0] != "state"] == [
        ("messages", 3, "still_there"),
        ("other_events", 2, "still_there"),
    ]


async def test_what_others_have_a_copy_of_is_no_fault_unless_it_was_to_go(stage: Erasing) -> None:
    """Without `redact` messages stay for who was there; a topic goes in any case."""
    anna = await stage.person()
    room = await stage.room(anna, "Anna's")
    await stage.say(room, anna, "still here")
    topic = await stage.topic(room, anna, "Anna's garden")
    before = {each[0]: each for each in without_rules(await stage.leftovers.of_room(room, anna, everything=False))}
    assert before["messages"] == ("messages", 1, "others_have_copy")
    assert before["state"][2] == "still_there"
    await stage.redact(room, anna, topic)
    after = {each[0]: each for each in without_rules(await stage.leftovers.of_room(room, anna, everything=False))}
    assert before["state"][1] - after.get("state", ("state", 0, ""))[1] == 1


async def test_a_topic_that_only_the_directory_still_shows_is_told(stage: Erasing) -> None:
    """It follows no redaction. Nothing of it is Bob's."""
    anna, bob = await stage.person(), await stage.person()
    room = await stage.room(anna, "Anna's", bob)
    topic = await stage.topic(room, anna, "Anna's garden")
    await stage.listed(room, "Anna's garden")
    assert set(await shown(stage, room, anna)) == {Residual("state_in_directory", 1, "still_there")}
    await stage.redact(room, anna, topic)
    assert Residual("state_in_directory", 1, "directory_keeps_it") in await shown(stage, room, anna)
    assert await shown(stage, room, bob) == []


async def shown(stage: Erasing, room: RoomId, user: UserId) -> list[Residual]:
    """Return what the directory of rooms shows of somebody's."""
    found = await stage.leftovers.of_room(room, user, everything=False)
    return [each for each in found if each.category == "state_in_directory"]


async def test_what_is_in_threads_is_counted_unless_it_was_to_go_anyway(stage: Erasing) -> None:
    """The newest of each can be shown to whoever comes later; which one that is depends on the others, too."""
    anna = await stage.person()
    room = await stage.room(anna, "Anna's")
    root = await stage.say(room, anna, "first")
    relation = {"rel_type": "m.thread", "event_id": root}
    said = [
        await stage.send(room, anna, "m.room.message", {"msgtype": "m.text", "body": word, "m.relates_to": relation})
        for word in ("second", "third")
    ]
    await stage.redact(room, anna, said[0])
    found = await stage.leftovers.of_room(room, anna, everything=False)
    assert [each for each in found if each.category == "thread_messages"] == [
        Residual("thread_messages", 1, "thread_summary")
    ]
    everything = await stage.leftovers.of_room(room, anna, everything=True)
    assert [each for each in everything if each.category == "thread_messages"] == []


async def test_one_message_that_was_forgotten_is_found(stage: Erasing) -> None:
    """Of many that were taken back, the one that was not; then none."""
    anna, bob = await stage.person(), await stage.person()
    room = await stage.room(bob, "Bob's", anna)
    said = [await stage.say(room, anna, f"Anna {number}") for number in range(5)]
    for event in (*said[:3], said[4]):
        await stage.redact(room, anna, event)
    found = without_rules(await stage.leftovers.of_room(room, anna, everything=True))
    assert ("messages", 1, "still_there") in found
    await stage.redact(room, anna, said[3])
    found = without_rules(await stage.leftovers.of_room(room, anna, everything=True))
    assert not [each for each in found if each[0] in {"messages", "other_events", "redaction_reasons"}]


async def test_rules_of_a_room_stay_for_those_who_are_in_it(stage: Erasing) -> None:
    """Who may do what is not taken from the others, and is no fault."""
    anna = await stage.person()
    room = await stage.room(anna, "Anna's")
    await stage.send(room, anna, "m.room.message", {"msgtype": "m.text", "body": "x"})
    if isinstance(stage, InMemoryErasing):
        stage.fake.send(room, anna, {"users": {anna: 100}}, "m.room.power_levels", state_key="")
    kept = [
        each for each in await stage.leftovers.of_room(room, anna, everything=True) if each.category == "state_kept"
    ]
    assert [each.reason for each in kept] == ["keeps_room_working"]
    assert kept[0].count >= 1


async def test_a_room_that_is_still_there_is_found_and_a_deleted_one_is_not(stage: Erasing) -> None:
    """A room that never was counts as gone, too."""
    anna = await stage.person()
    kept, deleted = await stage.room(anna, "Kept"), await stage.room(anna, "Deleted")
    await stage.say(deleted, anna, "gone with it")
    await stage.delete_room(deleted)
    assert await stage.leftovers.of_deleted_room(kept) == [Residual("rooms", 1, "still_there")]
    assert await stage.leftovers.of_deleted_room(deleted) == []
    assert await stage.leftovers.of_deleted_room(RoomId("!never:dpobot.test")) == []
    assert await stage.leftovers.of_room(deleted, anna, everything=True) == []


async def test_one_file_that_was_forgotten_is_found_by_list_and_by_address(stage: Erasing) -> None:
    """The deleted one by neither."""
    anna, bob = await stage.person(), await stage.person()
    kept, deleted = await stage.upload(anna, b"kept", "k.txt"), await stage.upload(anna, b"deleted", "d.txt")
    await stage.upload(bob, b"Bob's", "b.txt")
    await stage.delete_file(deleted)
    assert await stage.leftovers.of_media(anna, everything=True) == [Residual("media", 1, "still_there")]
    assert await stage.leftovers.of_media(anna, everything=False) == [Residual("media", 1, "others_can_see")]
    assert await stage.leftovers.of_file(kept) == [Residual("media", 1, "still_there")]
    assert await stage.leftovers.of_file(deleted) == []
    await stage.delete_file(kept)
    assert await stage.leftovers.of_media(anna, everything=True) == []
