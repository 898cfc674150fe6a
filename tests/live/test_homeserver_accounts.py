"""Accounts in every state on a real Synapse: locked, suspended, deactivated, erased, the admin's own."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing

import aiohttp
import pytest

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Gone, Rejected
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.model.ids import Mxc, RoomId, UserId
from tests.live.conftest import Register
from tests.live.http import Client
from tests.live.seeded import events_of

pytestmark = pytest.mark.live

_AS_THE_PERSON = {
    "cross_signing",
    "delayed_events",
    "filters",
    "key_backup",
    "notifications",
    "presence",
    "push_rules",
    "receipts",
    "tags",
}
_NOT_HERE = {"dehydrated_device": "not_offered", "thread_subscriptions": "not_offered"}


class Life:
    """Anna, with a room she is in, one she left, and two forgotten ones; Bob, who is in the first and the third."""

    def __init__(self, synapse: Synapse, http: aiohttp.ClientSession, people: dict[str, Credentials]) -> None:
        self.synapse = synapse
        self.anna, self.bob, self.admin = (Client(http, synapse.url, people[name]) for name in ("anna", "bob", "admin"))
        self.user = UserId(self.anna.user_id)
        self.homeserver = SynapseHomeserver(synapse.url, people["admin"].access_token)
        self.expected: dict[str, str] = {}

    async def live(self) -> None:
        """Let it happen."""
        joined = await self.anna.create(preset="public_chat", name="joined")
        with_bob = await self.bob.create(preset="public_chat", name="with Bob")
        await self.bob.member(joined, "join")
        left, alone = [await self.anna.create(name=name) for name in ("left", "alone")]
        rooms = {"joined": joined, "left": left, "alone": alone, "with Bob": with_bob}
        await self.anna.member(with_bob, "join")
        for room in rooms.values():
            await self.anna.say(room, "Anna was here")
        await self.bob.say(joined, "Bob was here")
        for name in ("left", "alone", "with Bob"):
            await self.anna.member(rooms[name], "leave")
        for name in ("alone", "with Bob"):
            await self.anna.member(rooms[name], "forget")
        self.rooms = rooms

    async def own(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return memberships by name, and the own events that were found (ID to room)."""
        found = await self.homeserver.rooms(self.user)
        names = {room: name for name, room in self.rooms.items()}
        events: dict[str, str] = {}
        for room in found.rooms:
            page = await self.homeserver.own_events(room.room_id, self.user, None)
            events |= {event["event_id"]: event["room_id"] for event in page.events}
        return {names[room.room_id]: room.membership for room in found.rooms}, events

    async def known(self) -> dict[str, str]:
        """Return what the database holds of Anna's events."""
        own, _ = await asyncio.to_thread(events_of, self.synapse, self.user)
        return own


@pytest.fixture
async def life(synapse: Synapse, admin: Credentials, register: Register) -> AsyncIterator[Life]:
    """A short life, lived."""
    people = {"anna": await register("anna"), "bob": await register("bob"), "admin": admin}
    async with aiohttp.ClientSession() as http:
        made = Life(synapse, http, people)
        await made.live()
        yield made
        await made.homeserver.close()


async def reasons(life: Life) -> dict[str, str]:
    """Return the reasons of the categories that could be had of an active account."""
    never = {"database_only", "copy_of_other_data", "secret", "log_files"}
    answers = [await life.homeserver.collect(name, life.user) for name in life.homeserver.categories]
    return {a.category: a.missing for a in answers if a.missing is not None and a.missing not in never}


async def test_a_locked_account_gives_all_but_what_only_the_person_may_read(life: Life) -> None:
    """Rooms and events are complete even so; each category that is read in the person's place says why it is not."""
    await life.admin.admin("PUT", "v2", "users", life.user, body={"locked": True})
    account = await life.homeserver.account(life.user)
    assert account is not None
    assert account.locked is True
    memberships, events = await life.own()
    assert set(memberships) == set(life.rooms)
    assert events == await life.known()
    assert await reasons(life) == {**dict.fromkeys(_AS_THE_PERSON, "account_locked"), **_NOT_HERE}


async def test_a_suspended_account_gives_everything(life: Life) -> None:
    """Suspension stops sending, not reading (Art. 18 GDPR)."""
    await life.admin.admin("PUT", "v1", "suspend", life.user, body={"suspend": True})
    account = await life.homeserver.account(life.user)
    assert account is not None
    assert account.suspended is True
    memberships, events = await life.own()
    expected = {"joined": "join", "left": "leave", "alone": "forgotten", "with Bob": "forgotten"}
    assert memberships == expected
    assert events == await life.known()
    assert await reasons(life) == _NOT_HERE


async def test_a_deactivated_and_erased_account_still_gives_its_events(life: Life) -> None:
    """What erasure leaves is found: every event, in rooms that were left and forgotten by it."""
    before = await life.known()
    await life.admin.admin("POST", "v1", "deactivate", life.user, body={"erase": True})
    parted = "SELECT count(*) FROM local_current_membership WHERE user_id = ? AND membership = 'join'"
    database = f"file:{life.synapse.folder / 'homeserver.db'}?mode=ro"
    async with asyncio.timeout(20):
        while True:  # the server lets the person leave their rooms after it has answered
            with closing(sqlite3.connect(database, uri=True)) as connection:
                if connection.execute(parted, (life.user,)).fetchone() == (0,):
                    break
            await asyncio.sleep(0.1)
    account = await life.homeserver.account(life.user)
    assert account is not None
    assert (account.deactivated, account.erased) == (True, True)
    memberships, events = await life.own()
    assert set(memberships) == set(life.rooms)
    assert events == await life.known()
    assert set(before) <= set(events)
    assert set((await reasons(life)).values()) <= {"not_offered", "account_deactivated"}


async def test_an_account_may_be_an_admins_own(synapse: Synapse) -> None:
    """Synapse lends an admin no token for themselves; their own is used, and they stay logged in."""
    boss = await synapse.register(f"boss-{secrets.token_hex(3)}", admin=True)
    homeserver = SynapseHomeserver(synapse.url, boss.access_token)
    user = UserId(boss.user_id)
    room = (await synapse.request("POST", "/_matrix/client/v3/createRoom", boss.access_token, {}))["room_id"]
    for category in homeserver.categories:
        await homeserver.collect(category, user)
    assert [seen.room_id for seen in (await homeserver.rooms(user)).rooms] == [room]
    whoami = await synapse.request("GET", "/_matrix/client/v3/account/whoami", boss.access_token)
    assert whoami["user_id"] == user
    await homeserver.close()


async def test_without_admin_rights_nothing_looks_complete(synapse: Synapse, register: Register) -> None:
    """A token without rights is a fault that is raised, never an empty category."""
    person = await register("anna")
    homeserver = SynapseHomeserver(synapse.url, person.access_token)
    for category in ("account", "rooms", "tags", "event_reports_made"):
        with pytest.raises(Rejected) as error:
            await homeserver.collect(category, UserId(person.user_id))
        assert error.value.code == "M_FORBIDDEN"
    with pytest.raises(Rejected):
        await homeserver.rooms(UserId(person.user_id))
    await homeserver.close()


async def test_remote_people_have_rooms_and_events_only(life: Life) -> None:
    """Categories of an account on another server say so; asking for rooms and media works and finds nothing."""
    stranger = UserId("@somebody:elsewhere.test")
    rooms = await life.homeserver.rooms(stranger)
    assert (rooms.rooms, rooms.joined_ever) == ((), 0)
    assert (await life.homeserver.media(stranger)).items == ()
    assert (await life.homeserver.collect("devices", stranger)).missing == "account_remote"
    assert (await life.homeserver.collect("event_reports_received", stranger)).missing is None


async def test_a_large_medium_comes_whole_and_an_empty_promise_is_gone(life: Life) -> None:
    """In blocks of bounded size; an announced upload that never came is not waited for (spec, "Async uploads")."""
    data = secrets.token_bytes(900_000)
    url = await life.anna.upload(data, "application/octet-stream", None)
    promised = (await life.anna.call("POST", "/_matrix/media/v1/create", {}))["content_uri"]
    items = {item.url: item for item in (await life.homeserver.media(life.user)).items}
    blocks = [block async for block in life.homeserver.media_bytes(items[Mxc(url)])]
    assert b"".join(blocks) == data
    assert max(map(len, blocks)) <= 256 * 1024
    assert items[Mxc(promised)].size == 0
    with pytest.raises(Gone) as error:
        await anext(aiter(life.homeserver.media_bytes(items[Mxc(promised)])))
    assert error.value.code == "M_NOT_YET_UPLOADED"


async def test_a_purged_room_is_empty_and_not_an_error(life: Life) -> None:
    """The server no longer knows the room: it holds nothing of the person's there."""
    room = RoomId(life.rooms["alone"])
    await life.admin.admin("DELETE", "v1", "rooms", room, body={"purge": True, "block": False})
    page = await life.homeserver.own_events(room, life.user, None)
    assert (page.events, page.next) == ((), None)
