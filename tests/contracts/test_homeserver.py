"""What every `Homeserver` keeps to: the same tests in memory, on a real Synapse, and on one that delegates accounts."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import aiohttp
import pytest

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Gone, Rejected
from dpobot.homeserver.api import Homeserver, MediaItem, Told
from dpobot.homeserver.mas.homeserver import MasHomeserver
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.model.ids import Mxc, RoomId, UserId, server_of
from tests.fakes.homeserver import FakeHomeserver
from tests.live.conftest import admin as admin
from tests.live.conftest import synapse as synapse
from tests.live.http import Client
from tests.mas.stand_in import Delegated

Register = Callable[[str], Awaitable[Credentials]]


class Stage(Protocol):
    """Lets things happen on a homeserver."""

    homeserver: Homeserver

    async def person(self) -> UserId:
        """Register somebody."""

    async def room(self, owner: UserId, name: str, *members: UserId) -> RoomId:
        """Let ``owner`` make a room, and the others join it."""

    async def say(self, room: RoomId, user: UserId, text: str) -> str:
        """Let somebody say something; returns the event's ID."""

    async def part(self, room: RoomId, user: UserId, *, forget: bool) -> None:
        """Let somebody leave, and forget if asked for."""

    async def join(self, room: RoomId, user: UserId) -> None:
        """Let somebody come (back)."""

    async def invite(self, room: RoomId, owner: UserId, user: UserId) -> None:
        """Let ``owner`` invite somebody."""

    async def upload(self, user: UserId, data: bytes, name: str) -> Mxc:
        """Let somebody upload something."""

    async def quarantine(self, url: Mxc) -> None:
        """Let an admin withdraw a medium."""


class InMemory:
    """The stage in memory."""

    def __init__(self) -> None:
        self.fake = FakeHomeserver()
        self.homeserver: Homeserver = self.fake

    async def person(self) -> UserId:
        return self.fake.add_account(UserId(f"@p{secrets.token_hex(4)}:{self.fake.server_name}"))

    async def room(self, owner: UserId, name: str, *members: UserId) -> RoomId:
        room = self.fake.add_room(RoomId(f"!{secrets.token_hex(6)}"), name)
        for member in (owner, *members):
            self.fake.set_membership(room, member, "join")
            self.fake.send(room, member, {"membership": "join"}, "m.room.member", state_key=member)
        return room

    async def say(self, room: RoomId, user: UserId, text: str) -> str:
        return self.fake.say(room, user, text)

    async def part(self, room: RoomId, user: UserId, *, forget: bool) -> None:
        self.fake.send(room, user, {"membership": "leave"}, "m.room.member", state_key=user)
        self.fake.set_membership(room, user, "forgotten" if forget else "leave")

    async def join(self, room: RoomId, user: UserId) -> None:
        self.fake.send(room, user, {"membership": "join"}, "m.room.member", state_key=user)
        self.fake.set_membership(room, user, "join")

    async def invite(self, room: RoomId, owner: UserId, user: UserId) -> None:
        self.fake.send(room, owner, {"membership": "invite"}, "m.room.member", state_key=user)
        self.fake.set_membership(room, user, "invite")

    async def upload(self, user: UserId, data: bytes, name: str) -> Mxc:
        return self.fake.upload(user, data, name)

    async def quarantine(self, url: Mxc) -> None:
        owner, item, data = self.fake._media[url]
        quarantined = MediaItem(item.url, item.media_type, item.size, item.name, item.created_at, quarantined=True)
        self.fake._media[url] = (owner, quarantined, data)


@dataclass
class Real:
    """The stage on a real Synapse."""

    synapse: Synapse
    admin: Client
    http: aiohttp.ClientSession
    homeserver: Homeserver
    register: Register | None = None  # how people are registered where Synapse doesn't do it

    def __post_init__(self) -> None:
        self._people: dict[str, Client] = {}

    async def person(self) -> UserId:
        made = await (self.register or self.synapse.register)(f"p{secrets.token_hex(4)}")
        self._people[made.user_id] = Client(self.http, self.synapse.url, made)
        return UserId(made.user_id)

    async def room(self, owner: UserId, name: str, *members: UserId) -> RoomId:
        room = await self._people[owner].create(preset="public_chat", name=name)
        for member in members:
            await self._people[member].member(room, "join")
        return RoomId(room)

    async def say(self, room: RoomId, user: UserId, text: str) -> str:
        return await self._people[user].say(room, text)

    async def part(self, room: RoomId, user: UserId, *, forget: bool) -> None:
        await self._people[user].member(room, "leave")
        if forget:
            await self._people[user].member(room, "forget")

    async def join(self, room: RoomId, user: UserId) -> None:
        await self._people[user].member(room, "join")

    async def invite(self, room: RoomId, owner: UserId, user: UserId) -> None:
        await self._people[owner].member(room, "invite", user_id=user)

    async def upload(self, user: UserId, data: bytes, name: str) -> Mxc:
        return Mxc(await self._people[user].upload(data, "text/plain", name))

    async def quarantine(self, url: Mxc) -> None:
        server, media = url.removeprefix("mxc://").split("/")
        await self.admin.admin("POST", "v1", "media", "quarantine", server, media, body={})


@pytest.fixture(params=["memory", pytest.param("synapse", marks=pytest.mark.live)])
def server(request: pytest.FixtureRequest) -> tuple[Synapse, Credentials] | None:
    """None for the stage in memory, else the real server and its admin."""
    if request.param == "memory":
        return None
    return request.getfixturevalue("synapse"), request.getfixturevalue("admin")


@asynccontextmanager
async def on_synapse(running: Synapse, administrator: Credentials) -> AsyncIterator[Stage]:
    """The stage on a Synapse that keeps its accounts itself."""
    homeserver = SynapseHomeserver(running.url, administrator.access_token, retries=0)
    async with aiohttp.ClientSession() as http:
        yield Real(running, Client(http, running.url, administrator), http, homeserver)
    await homeserver.close()


@asynccontextmanager
async def on_mas(delegation: Delegated) -> AsyncIterator[Stage]:
    """The stage on a Synapse that delegates its accounts."""
    running, administrator = delegation.synapse, delegation.admin
    homeserver = MasHomeserver(running.url, administrator.access_token, delegation.served.client(), retries=0)
    async with aiohttp.ClientSession() as http:
        client = Client(http, running.url, administrator)
        yield Real(running, client, http, homeserver, delegation.mas.register)
    await homeserver.close()


@pytest.fixture(params=["memory", *(pytest.param(kind, marks=pytest.mark.live) for kind in ("synapse", "mas"))])
def ground(request: pytest.FixtureRequest) -> Callable[[], AbstractAsyncContextManager[Stage]]:
    """What makes each of the three stages in turn."""
    if request.param == "memory":
        return lambda: nullcontext(InMemory())
    if request.param == "mas":
        return partial(on_mas, request.getfixturevalue("delegation"))
    return partial(on_synapse, request.getfixturevalue("synapse"), request.getfixturevalue("admin"))


@pytest.fixture
async def stage(ground: Callable[[], AbstractAsyncContextManager[Stage]]) -> AsyncIterator[Stage]:
    """Each of the three stages in turn."""
    async with ground() as made:
        yield made


async def own(stage: Stage, room: RoomId, user: UserId, limit: int) -> list[str]:
    """Return the bodies of what somebody said in a room, read page by page."""
    bodies: list[str] = []
    start: str | None = None
    while True:
        page = await stage.homeserver.own_events(room, user, start, limit)
        assert {event["sender"] for event in page.events} <= {user}
        bodies += [event["content"]["body"] for event in page.events if event["type"] == "m.room.message"]
        if page.next is None:
            return bodies
        start = page.next


async def read(stage: Stage, item: MediaItem) -> bytes:
    """Return a medium's bytes."""
    return b"".join([block async for block in stage.homeserver.media_bytes(item)])


async def test_the_software_has_a_name_and_a_number(stage: Stage) -> None:
    """A version without anything beside the number."""
    version = await stage.homeserver.version()
    assert (version.name, version.version) == ("Synapse", "1.163.2")


async def test_an_account_is_known_and_a_stranger_is_not(stage: Stage) -> None:
    """An account of this server; None for a name never taken and for another server's."""
    person = await stage.person()
    account = await stage.homeserver.account(person)
    assert account is not None
    assert (account.user_id, account.deactivated, account.locked, account.erased) == (person, False, False, False)
    assert account.created_at is not None
    assert account.created_at.tzinfo is not None
    server_name = person.split(":", 1)[1]
    assert await stage.homeserver.account(UserId(f"@nobody-{secrets.token_hex(4)}:{server_name}")) is None
    assert await stage.homeserver.account(UserId("@somebody:elsewhere.test")) is None


async def test_events_come_in_pages_and_only_the_persons(stage: Stage) -> None:
    """Every own message once and in order, whatever the page size; nobody else's."""
    anna, bob = await stage.person(), await stage.person()
    room = await stage.room(anna, "A room", bob)
    said = []
    for number in range(7):
        await stage.say(room, bob, f"Bob {number}")
        await stage.say(room, anna, f"Anna {number}")
        said.append(f"Anna {number}")
    assert await own(stage, room, anna, 1) == said
    assert await own(stage, room, anna, 3) == said
    assert await own(stage, room, anna, 1000) == said


async def readable(stage: Stage, room: RoomId, user: UserId, limit: int = 1000) -> list[str]:
    """Return the IDs of what somebody may read in a room, read page by page."""
    found: list[str] = []
    start: str | None = None
    while True:
        page = await stage.homeserver.visible_events(room, user, start, limit)
        found += [event["event_id"] for event in page.events]
        if page.next is None:
            return found
        start = page.next


async def story(stage: Stage, room: RoomId, user: UserId, limit: int = 1000) -> list[Told]:
    """Return a room's story, read page by page."""
    found: list[Told] = []
    start: str | None = None
    while True:
        page = await stage.homeserver.story(room, user, start, limit)
        found += page.told
        if page.next is None:
            return found
        start = page.next


async def test_what_somebody_may_read_ends_where_they_left(stage: Stage) -> None:
    """Everybody's events, oldest first, whatever the page size; nothing of what came later, and all again after that.

    The room's history is shared: who comes back may read what was said meanwhile.
    """
    anna, bob = await stage.person(), await stage.person()
    room = await stage.room(bob, "A room", anna)
    said = [await stage.say(room, person, "a word") for person in (bob, anna, bob)]
    await stage.part(room, anna, forget=False)
    later = [await stage.say(room, bob, "a word more") for _ in range(2)]
    before = await readable(stage, room, anna)
    assert [event for event in before if event in said] == said
    assert [event for event in before if event in later] == []
    assert await readable(stage, room, anna, 2) == before
    everything = [told.event_id for told in await story(stage, room, anna)]
    assert [event for event in everything if event in before] == before
    assert everything[-2:] == later
    await stage.join(room, anna)
    assert [event for event in await readable(stage, room, anna) if event in later] == later


async def test_what_is_closed_to_somebody_has_no_events(stage: Stage) -> None:
    """Invited, forgotten, and a room that never was: nothing to read, and no error."""
    anna, bob = await stage.person(), await stage.person()
    invited, forgotten = await stage.room(bob, "Invited"), await stage.room(bob, "Forgotten", anna)
    await stage.invite(invited, bob, anna)
    await stage.part(forgotten, anna, forget=True)
    never = RoomId("!never:dpobot.test")
    assert [await readable(stage, room, anna) for room in (invited, forgotten, never)] == [[], [], []]
    assert await story(stage, never, anna) == []


async def test_a_story_tells_what_decides_who_may_read(stage: Stage) -> None:
    """The person's own memberships with what was before, by the IDs of all events, in the same order for any page."""
    anna, bob = await stage.person(), await stage.person()
    room = await stage.room(bob, "A room", anna)
    spoken = await stage.say(room, bob, "a word")
    await stage.part(room, anna, forget=False)
    told = await story(stage, room, anna)
    assert [each.membership for each in told if each.membership is not None] == ["join", "leave"]
    assert [each.before for each in told if each.membership == "leave"] == ["join"]
    assert Told(spoken) in told
    assert await story(stage, room, anna, 2) == told
    assert [each.membership for each in await story(stage, room, bob) if each.membership is not None] == ["join"]


async def test_an_unknown_room_has_no_events(stage: Stage) -> None:
    """A purged room can't be told from one that never was: both are empty."""
    person = await stage.person()
    page = await stage.homeserver.own_events(RoomId("!never:dpobot.test"), person, None)
    assert (page.events, page.next) == ((), None)


async def test_rooms_joined_left_forgotten_and_invited_to_are_found(stage: Stage) -> None:
    """Each with its membership, sorted by ID, and the server's own count beside them."""
    anna, bob = await stage.person(), await stage.person()
    joined = await stage.room(anna, "Joined")
    left = await stage.room(bob, "Left", anna)
    forgotten = await stage.room(bob, "Forgotten", anna)
    alone = await stage.room(anna, "Alone, forgotten")
    invited = await stage.room(bob, "Invited")
    await stage.part(left, anna, forget=False)
    await stage.part(forgotten, anna, forget=True)
    await stage.part(alone, anna, forget=True)
    await stage.invite(invited, bob, anna)
    found = await stage.homeserver.rooms(anna)
    expected = {joined: "join", left: "leave", forgotten: "forgotten", alone: "forgotten", invited: "invite"}
    assert {room.room_id: room.membership for room in found.rooms} == expected
    assert [room.room_id for room in found.rooms] == sorted(expected)
    assert found.joined_ever == 4
    names = {room.room_id: room.name for room in found.rooms}
    assert (names[joined], names[left], names[invited]) == ("Joined", "Left", None)


async def test_nobody_has_rooms_without_being_in_one(stage: Stage) -> None:
    """A new account was never anywhere."""
    found = await stage.homeserver.rooms(await stage.person())
    assert (found.rooms, found.joined_ever) == ((), 0)


async def test_media_are_listed_read_and_deleted_once(stage: Stage) -> None:
    """Name, size and bytes as uploaded; the second deletion says that nothing was left."""
    anna, bob = await stage.person(), await stage.person()
    await stage.upload(bob, b"not Anna's", "bob.txt")
    urls = [await stage.upload(anna, f"file {number}".encode(), f"{number}.txt") for number in range(3)]
    first = await stage.homeserver.media(anna, 0, 2)
    assert first.next == 2
    second = await stage.homeserver.media(anna, first.next, 2)
    assert second.next is None
    items = (*first.items, *second.items)
    assert sorted(item.url for item in items) == sorted(urls)
    for item in items:
        number = urls.index(item.url)
        assert (item.name, item.size, item.quarantined) == (f"{number}.txt", 6, False)
        assert await read(stage, item) == f"file {number}".encode()
    assert await stage.homeserver.delete_media(urls[0]) is True
    assert await stage.homeserver.delete_media(urls[0]) is False
    gone = next(item for item in items if item.url == urls[0])
    with pytest.raises(Gone):
        await read(stage, gone)


async def test_a_quarantined_medium_is_listed_but_not_given_out(stage: Stage) -> None:
    """The list says so, and the bytes are `Gone` with that reason."""
    person = await stage.person()
    url = await stage.upload(person, b"withdrawn", "withdrawn.txt")
    await stage.quarantine(url)
    (item,) = (await stage.homeserver.media(person)).items
    assert item.quarantined is True
    with pytest.raises(Gone) as error:
        await read(stage, item)
    assert error.value.code == "quarantined"


async def test_an_address_that_is_no_medium_is_refused(stage: Stage) -> None:
    """Nothing is asked of the server for it."""
    with pytest.raises(Rejected) as error:
        await stage.homeserver.delete_media(Mxc("https://elsewhere.test/file"))
    assert error.value.code == "bad_mxc"


async def test_every_category_answers_for_anybody(stage: Stage) -> None:
    """An account, an unknown name and a remote one: records or a reason, never an error."""
    person = await stage.person()
    unknown = UserId(f"@nobody:{person.split(':', 1)[1]}")
    for category in stage.homeserver.categories:
        for user in (person, unknown, UserId("@somebody:elsewhere.test")):
            answer = await stage.homeserver.collect(category, user)
            assert answer.category == category
            assert answer.missing is None or answer.records == ()


async def test_an_unknown_category_is_a_mistake_of_the_caller(stage: Stage) -> None:
    """A name that is no category raises at once."""
    with pytest.raises(KeyError):
        await stage.homeserver.collect("no such category", await stage.person())


async def test_company_is_the_servers_that_were_there_and_nobodys_name(stage: Stage) -> None:
    """While anybody of it is there a server is; when the last one has left and forgotten, it still is known when."""
    anna, bob = await stage.person(), await stage.person()
    server = server_of(anna)
    room = await stage.room(anna, "A room", bob)
    await stage.say(room, anna, "Who hears me?")
    sent = (await stage.homeserver.own_events(room, anna, None)).events[-1]["origin_server_ts"]
    there = await stage.homeserver.company(room, anna)
    assert ([(stay.server, stay.until) for stay in there.stays], there.services) == ([(server, None)], ())
    assert there.whole is True
    assert 0 < there.stays[0].since <= sent
    await stage.part(room, bob, forget=False)
    assert (await stage.homeserver.company(room, anna)).stays == there.stays
    await stage.part(room, anna, forget=True)
    (stay,) = (await stage.homeserver.company(room, anna)).stays
    assert stay.until is not None
    assert stay.until >= sent
    assert not [user for user in (anna, bob) if user in repr(there)]


async def test_nobody_was_in_a_room_that_never_was(stage: Stage) -> None:
    """And nothing of it is known from its beginning on."""
    person = await stage.person()
    company = await stage.homeserver.company(RoomId("!never:dpobot.test"), person)
    assert (company.stays, company.services, company.whole) == ((), (), False)
