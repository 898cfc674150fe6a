"""Who was in a room: from the room's events, from the state at the first of them, from the state of today."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from dpobot.homeserver.api import RoomCompany, Stay
from dpobot.homeserver.services import Bridges
from dpobot.homeserver.stays import Stays, server_name
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.model.ids import RoomId, UserId

OWN = "home.example"
ANNA = UserId(f"@anna:{OWN}")
ROOM = RoomId("!room:home.example")


def _member(user: str, membership: str, at: int, **more: Any) -> dict[str, Any]:
    content = {"membership": membership}
    event = {"type": "m.room.member", "state_key": user, "sender": user, "origin_server_ts": at, "content": content}
    return {"event_id": f"${user}{at}", **event, **more}


def _stays(*events: dict[str, Any]) -> list[Stay]:
    stays = Stays(OWN)
    for event in events:
        stays.note(event)
    return sorted(stays.all(), key=lambda stay: (stay.server, stay.since))


def test_a_server_is_there_from_its_first_user_to_its_last() -> None:
    """A change of somebody's profile is no coming, and one who stays keeps the server there."""
    one, two = "@one:a.example", "@two:a.example"
    events = [_member(one, "join", 1), _member(two, "join", 2), _member(one, "join", 3), _member(one, "leave", 4)]
    assert _stays(*events) == [Stay("a.example", 1, None)]
    assert _stays(*events, _member(two, "ban", 5)) == [Stay("a.example", 1, 5)]
    back = [_member(two, "leave", 5), _member(one, "join", 9)]
    assert _stays(*events, *back) == [Stay("a.example", 1, 5), Stay("a.example", 9, None)]


def test_one_who_was_only_invited_was_not_there() -> None:
    """Nor one who declined."""
    assert _stays(_member("@one:a.example", "invite", 1), _member("@one:a.example", "leave", 2)) == []


def test_one_of_whom_only_the_leaving_is_known() -> None:
    """Their joining lies before what the server has: they were there from the beginning on."""
    left = _member("@one:a.example", "leave", 7, unsigned={"prev_content": {"membership": "join"}})
    assert _stays(left) == [Stay("a.example", 0, 7)]


def test_clocks_that_run_backwards_never_shorten_a_stay() -> None:
    """From the first to the last moment that any of its events says."""
    user = "@one:a.example"
    assert _stays(_member(user, "join", 9), _member(user, "join", 5), _member(user, "leave", 3)) == [
        Stay("a.example", 3, 9)
    ]


@pytest.mark.parametrize("user", ["", "one", "@one", "@one:", "@one:a b", "@one:<script>", 7, None])
def test_what_is_no_user_is_on_no_server(user: object) -> None:
    """Anything may stand in a state key."""
    assert server_name(user) is None
    assert _stays({**_member("@a:b.example", "join", 1), "state_key": user}) == []


def test_a_bridge_that_is_taken_away_has_gone() -> None:
    """An empty event ends it; its network is what it says, but nothing that could be a person."""
    bot = "@bot:a.example"
    event = {"type": "m.bridge", "state_key": "irc", "sender": bot, "origin_server_ts": 5}
    said = {"bridgebot": bot, "protocol": {"id": "irc"}, "network": {"displayname": "@ada:b.example", "id": "freenode"}}
    bridges = Bridges()
    bridges.note({**event, "content": said})
    bridges.note({**event, "origin_server_ts": 6, "content": {**said, "channel": {"displayname": "Ada Lovelace"}}})
    bridges.note({**event, "origin_server_ts": 8, "content": {}})
    (service,) = bridges.named({}, OWN)
    assert (service.user_id, service.network, service.since, service.until) == (bot, "irc, freenode", 5, 8)


class Server:
    """A Synapse that knows one room: what happened in it, its state at the first event, and its state now."""

    def __init__(self) -> None:
        self.pages: list[list[dict[str, Any]]] = []
        self.before: list[dict[str, Any]] | None = None
        self.now: list[dict[str, Any]] | None = None
        self.accounts: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        """Answer whatever is asked."""
        what = request.path.rsplit("/", 2)
        self.asked.append(request.path)
        if request.path.endswith("/whoami"):
            return web.json_response({"user_id": f"@admin:{OWN}"})
        if request.path.endswith("/messages"):
            number = int(request.query.get("from", "0"))
            end = {"end": str(number + 1)} if number + 1 < len(self.pages) else {}
            return web.json_response({"chunk": self.pages[number], **end})
        if "/users/" in request.path:
            account = self.accounts.get(what[-1])
            return web.json_response(account or {"errcode": "M_NOT_FOUND"}, status=200 if account else 404)
        state = self.before if "/context/" in request.path else self.now
        return web.json_response(
            {"state": state} if state is not None else {"errcode": "M_NOT_FOUND"},
            status=200 if state is not None else 404,
        )


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, SynapseHomeserver]]:
    """The server, and the adapter that speaks with it."""
    made = Server()
    application = web.Application()
    application.router.add_get("/{rest:.*}", made.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    homeserver = SynapseHomeserver(f"http://127.0.0.1:{runner.addresses[0][1]}", "token", retries=0)
    yield made, homeserver
    await homeserver.close()
    await runner.cleanup()


_CREATE = {"type": "m.room.create", "state_key": "", "event_id": "$create", "content": {}, "origin_server_ts": 0}


async def test_ten_thousand_members(server: tuple[Server, SynapseHomeserver]) -> None:
    """Page by page, a server a stay, and no user's ID leaves; more local accounts than may be asked about is said."""
    made, homeserver = server
    people = [_member(f"@u{n}:s{n % 50}.example", "join", n + 2) for n in range(9_700)]
    local = [_member(f"@l{n}:{OWN}", "join", n + 2) for n in range(300)]
    everybody = [_CREATE, _member(ANNA, "join", 1), *people, *local]
    made.pages = [everybody[start : start + 1000] for start in range(0, len(everybody), 1000)]
    made.accounts = {f"@l{n}:{OWN}": {"appservice_id": None, "user_type": None} for n in range(300)}
    made.now = []
    company = await homeserver.company(ROOM, ANNA)
    assert len(company.stays) == 51
    assert (company.whole, company.all_services, company.services) == (True, False, ())
    assert len([path for path in made.asked if "/users/" in path]) == 200
    await homeserver.company(ROOM, ANNA)  # what is known by now is not asked again
    assert len([path for path in made.asked if "/users/" in path]) == 300


async def test_a_beginning_that_the_server_does_not_have(server: tuple[Server, SynapseHomeserver]) -> None:
    """The state at the first event knows who was there; where that is gone as well, the answer says so."""
    made, homeserver = server
    made.accounts = {}
    made.pages = [[_member(ANNA, "join", 50), _member("@rita:b.example", "leave", 60)]]
    made.before = [_CREATE, _member("@rita:b.example", "join", 5), _member("@sam:c.example", "join", 6)]
    company = await homeserver.company(ROOM, ANNA)
    assert sorted(company.stays, key=str) == [
        Stay("b.example", 5, 60),
        Stay("c.example", 6, None),
        Stay(OWN, 50, None),
    ]
    assert company.whole is True
    made.before = None
    assert (await homeserver.company(ROOM, ANNA)).whole is False


async def test_what_happened_while_the_server_was_away(server: tuple[Server, SynapseHomeserver]) -> None:
    """The state of today knows of somebody whose coming was never heard of."""
    made, homeserver = server
    made.pages = [[_CREATE, _member(ANNA, "join", 1), _member("@rita:b.example", "join", 2)]]
    made.now = [_CREATE, _member(ANNA, "join", 1), _member("@sam:c.example", "join", 9)]
    stays = (await homeserver.company(ROOM, ANNA)).stays
    assert Stay("c.example", 9, None) in stays
    assert Stay("b.example", 2, None) in stays


async def test_a_room_nobody_has_heard_of(server: tuple[Server, SynapseHomeserver]) -> None:
    """No stays, and not whole."""
    made, homeserver = server
    made.pages = [[]]
    assert await homeserver.company(ROOM, ANNA) == RoomCompany((), (), whole=False)
