"""Recipients by name, on two federated homeservers: who was there when, in rooms joined, left, forgotten, far away."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dpobot.archive.spool import Spool
from dpobot.clock import SystemClock
from dpobot.demo.synapse import Credentials
from dpobot.engine.api import StepResult
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.jobs import hearers
from dpobot.jobs.collecting import Collecting
from dpobot.jobs.progress import Tally
from dpobot.jobs.receivers import RECIPIENTS, Receivers
from dpobot.model.ids import UserId
from dpobot.model.records import ExportOptions
from tests.live.federation import Federation, join_across, running
from tests.live.http import Client, Json

pytestmark = pytest.mark.live

_SERVICE, _TOKEN = "irc-service", "as-token"
_EVERYBODY: Json = {"preset": "public_chat"}


@pytest.fixture(scope="module")
async def federation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Federation]:
    """Two federated homeservers; at home with an application service that nobody answers for."""
    folder: Path = tmp_path_factory.mktemp("recipients")
    registration = folder / "irc.yaml"
    users = [{"regex": "@irc_.*", "exclusive": True}]
    service = {"id": _SERVICE, "url": None, "as_token": _TOKEN, "hs_token": "hs", "sender_localpart": "irc_bot"}
    registration.write_text(json.dumps(service | {"namespaces": {"users": users, "rooms": [], "aliases": []}}))
    async with running(folder, app_service_config_files=[str(registration)]) as both:
        yield both


@dataclass
class Journal:
    """Steps that are done at once and remembered."""

    results: dict[str, StepResult] = field(default_factory=dict)

    def done(self, name: str) -> StepResult | None:
        return self.results.get(name)

    async def step(self, name: str, do: Callable[[], Awaitable[StepResult]], progress: object = None) -> StepResult:
        if name not in self.results:
            self.results[name] = await do()
        return self.results[name]


@dataclass
class Scene:
    """The people of a story, and the bot's eyes."""

    both: Federation
    homeserver: SynapseHomeserver
    alice: Client
    rita: Client

    async def machine(self, localpart: str) -> Client:
        """Return an account of the application service."""
        user = f"@irc_{localpart}:{self.both.home.server_name}"
        body = {"type": "m.login.application_service", "username": f"irc_{localpart}"}
        given = await self.both.home.request("POST", "/_matrix/client/v3/register", _TOKEN, body)
        return self.both.client(self.both.home, Credentials(user, "", given["access_token"], given["device_id"]))

    async def left(self, room: str, client: Client) -> None:
        """Let somebody of the other server leave, and wait until home has heard of it."""
        await client.member(room, "leave")
        for _ in range(200):
            members = (await self.alice.get("rooms", room, "joined_members"))["joined"]
            if client.user_id not in members:
                return
        pytest.fail("nobody left")

    async def recipients(self, folder: Path, client: Client | None = None) -> Json:
        """Collect somebody's events, Alice's by default, and find out who received them."""
        spool, steps, person = Spool(folder), Journal(), UserId((client or self.alice).user_id)
        tally = Tally(SystemClock().now())
        await Collecting(self.homeserver, spool, steps, person, ExportOptions(), 3).all(tally)
        await Receivers(self.homeserver, spool, steps, person).all(tally)
        found: Json = spool.kept(RECIPIENTS)
        return found


@pytest.fixture
async def scene(federation: Federation) -> AsyncIterator[Scene]:
    """New people for each test."""
    tag = secrets.token_hex(3)
    admin = await federation.at_home(f"admin-{tag}", admin=True)
    homeserver = SynapseHomeserver(federation.home.url, admin.credentials.access_token, retries=0)
    yield Scene(
        federation, homeserver, await federation.at_home(f"alice-{tag}"), await federation.far_away(f"rita-{tag}")
    )
    await homeserver.close()


def _server(found: Json, name: str) -> Json:
    (server,) = [each for each in found["servers"] if each["server"] == name]
    return {key: server[key] for key in ("own", "rooms", "events", "first", "last", "later")}


async def test_servers_that_came_and_went(
    scene: Scene, federation: Federation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly what was sent while the other server was there counts for it; one that comes later is told as such."""
    monkeypatch.setattr(hearers, "MARGIN", 0)
    alice, rita, away = scene.alice, scene.rita, federation.away.server_name
    bob = await federation.at_home(f"bob-{secrets.token_hex(3)}")
    between, later, alone = [await alice.create(**_EVERYBODY) for _ in range(3)]
    await alice.say(between, "before")
    await join_across(rita, between, federation.home)
    during = [await alice.say(between, "one"), await alice.say(between, "two")]
    await scene.left(between, rita)
    await alice.say(between, "after")
    await bob.member(later, "join")
    await bob.say(later, "nobody of elsewhere is here")
    await bob.member(later, "leave")
    await bob.member(later, "forget")
    await join_across(rita, later, federation.home)
    await alice.member(alone, "leave")
    first, last = [(await alice.get("rooms", between, "event", event))["origin_server_ts"] for event in during]
    found = await scene.recipients(tmp_path / "spool")
    assert _server(found, away) == {"own": False, "rooms": 1, "events": 2, "first": first, "last": last, "later": False}
    assert [each["server"] for each in found["servers"]] == [federation.home.server_name, away]
    assert found["servers"][0]["events"] == found["events"] - 3  # to create a room comes before being in it
    assert (found["rooms"], found["servers"][0]["rooms"], found["incomplete"]) == (3, 3, {})
    his = await scene.recipients(tmp_path / "his", bob)
    assert _server(his, away) == {"own": False, "rooms": 1, "events": 0, "first": None, "last": None, "later": True}
    assert his["events"] == 3


async def test_a_room_that_the_server_came_to_late_and_has_left(
    scene: Scene, federation: Federation, tmp_path: Path
) -> None:
    """Who was there before the own server is known from the state at its coming, though it has no state any more."""
    alice, rita, away = scene.alice, scene.rita, federation.away.server_name
    room = await rita.create(**_EVERYBODY, room_version="12")
    rita_bot = {"bridgebot": rita.user_id, "protocol": {"id": "irc", "displayname": "IRC"}}
    await rita.state(room, "m.bridge", rita_bot, "irc")
    await join_across(alice, room, federation.away)
    await alice.say(room, "hello")
    await alice.member(room, "leave")
    await alice.member(room, "forget")
    found = await scene.recipients(tmp_path / "spool")
    assert [(each["server"], each["events"]) for each in found["servers"]] == [
        (server, 3) for server in sorted((federation.home.server_name, away))
    ]
    bridge = {"user_id": rita.user_id, "kind": "bridge", "network": "IRC", "rooms": 1}
    assert [{key: each[key] for key in bridge} for each in found["services"]] == [bridge]
    assert found["incomplete"] == {}


async def test_machines_are_named_and_people_are_not(scene: Scene, federation: Federation, tmp_path: Path) -> None:
    """A service by the account that it says is its own; its puppets, and whom others call a bridge, never."""
    alice, home = scene.alice, federation.home
    tag = secrets.token_hex(3)
    bob, ghost, bot = await federation.at_home(f"bob-{tag}"), await scene.machine(f"g{tag}"), await scene.machine(tag)
    room = await alice.create(**_EVERYBODY, power_level_content_override={"state_default": 0})
    for client in (bob, ghost, bot):
        await client.member(room, "join")
    await home.request("POST", f"/_matrix/client/v3/rooms/{room}/join", _TOKEN, {})  # as the service's own account
    said = {"protocol": {"id": "irc", "displayname": "IRC"}, "network": {"displayname": "+49 151 12345678"}}
    await ghost.state(room, "m.bridge", {"bridgebot": bot.user_id, **said}, "one")
    await bob.state(room, "uk.half-shot.bridge", {"bridgebot": alice.user_id, "protocol": {"id": "fax"}}, "two")
    await bob.state(room, "m.bridge", {"bridgebot": ghost.user_id, "protocol": {"id": "telex"}}, "three")
    await alice.say(room, "hello")
    found = await scene.recipients(tmp_path / "spool")
    name = home.server_name
    assert {(each["user_id"], each["kind"], each["network"]) for each in found["services"]} == {
        (f"@irc_bot:{name}", "bot", None),
        (bot.user_id, "bridge", "IRC"),
        (name, "bridge", "fax"),
        (name, "bridge", "telex"),
        (name, "bot", _SERVICE),
    }
    assert not [user for user in (alice.user_id, bob.user_id, ghost.user_id) if user in json.dumps(found)]


async def test_an_administrators_bot_and_an_invitation(scene: Scene, federation: Federation, tmp_path: Path) -> None:
    """A local account that is marked as a bot is named; an invitation went to its server though nobody followed it."""
    alice, rita, away = scene.alice, scene.rita, federation.away.server_name
    bot = await federation.at_home(f"helper-{secrets.token_hex(3)}")
    token = scene.homeserver._http._authority
    admin = (await token.header()).removeprefix("Bearer ")
    await federation.home.request("PUT", f"/_synapse/admin/v2/users/{bot.user_id}", admin, {"user_type": "bot"})
    room = await alice.create(**_EVERYBODY)
    await bot.member(room, "join")
    await alice.member(room, "invite", user_id=rita.user_id)
    event = await alice.say(room, "hello")
    last = (await alice.get("rooms", room, "event", event))["origin_server_ts"]
    found = await scene.recipients(tmp_path / "spool")
    assert [(each["user_id"], each["kind"], each["last"]) for each in found["services"]] == [(bot.user_id, "bot", last)]
    assert (_server(found, away)["events"], _server(found, away)["rooms"]) == (1, 1)
