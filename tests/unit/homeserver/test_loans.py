"""Keys that are kept for the next question are given back: after an error, when idle, when too old, at the end."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.category import Subject
from dpobot.homeserver.http import Http
from dpobot.homeserver.loans import Loans
from dpobot.homeserver.puppet import SynapseLender
from dpobot.homeserver.visible import visible_events
from dpobot.model.ids import RoomId, UserId
from tests.unit.homeserver.conftest import Script

ANNA, ROOM = UserId("@anna:dpobot.test"), RoomId("!room")
LOGIN = ("POST", "/_synapse/admin/v1/users/%40anna%3Adpobot.test/login")
LOGOUT = ("POST", "/_matrix/client/v3/logout")
READ = ("GET", "/_matrix/client/v3/rooms/%21room/messages")


@dataclass
class Hands:
    """A clock that somebody moves."""

    at: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def loans() -> Loans:
    """What keeps keys until it is closed."""
    return Loans(SynapseLender(), idle_seconds=3600.0)


async def test_one_key_serves_many_questions_and_ends_with_the_line(script: Script, http: Http, loans: Loans) -> None:
    """Three uses, one login; one logout when all is over, and none for a second closing."""
    script.json({"access_token": "borrowed"})
    for _ in range(3):
        async with loans.lend(http, ANNA) as token:
            assert token == "borrowed"
    assert script.asked == [LOGIN]
    await loans.close()
    await loans.close()
    assert script.asked == [LOGIN, LOGOUT]
    assert script.tokens[-1] == "Bearer borrowed"


async def test_an_error_ends_the_key_at_once(script: Script, http: Http, loans: Loans) -> None:
    """Whatever was wrong, the next question borrows anew."""
    script.json({"access_token": "borrowed"})

    async def work() -> None:
        async with loans.lend(http, ANNA):
            raise ValueError("trouble")

    with pytest.raises(ValueError, match="trouble"):
        await work()
    assert script.asked == [LOGIN, LOGOUT]
    async with loans.lend(http, ANNA):
        pass
    assert script.asked == [LOGIN, LOGOUT, LOGIN]
    await loans.close()


async def test_a_cancelled_job_leaves_no_key_behind(script: Script, http: Http, loans: Loans) -> None:
    """The logout is made although the job is over."""
    script.json({"access_token": "borrowed"})
    inside = asyncio.Event()

    async def work() -> None:
        async with loans.lend(http, ANNA):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert script.asked == [LOGIN, LOGOUT]


async def test_a_key_that_nobody_uses_ends_by_itself(script: Script, http: Http) -> None:
    """With no time to be idle it ends right after its use."""
    ended = asyncio.Event()

    async def logout(_: web.Request) -> web.StreamResponse:
        ended.set()
        return web.json_response({})

    loans = Loans(SynapseLender(), idle_seconds=0.0)
    script.json({"access_token": "borrowed"}).does(logout)
    async with loans.lend(http, ANNA):
        assert script.asked == [LOGIN]
    await ended.wait()
    await loans.close()
    assert script.asked == [LOGIN, LOGOUT]


async def test_a_key_that_is_used_by_two_ends_after_the_second(script: Script, http: Http, loans: Loans) -> None:
    """The first one's error doesn't take it away from the second."""
    script.json({"access_token": "borrowed"})
    async with loans.lend(http, ANNA):
        with pytest.raises(ValueError, match="trouble"):
            async with loans.lend(http, ANNA):
                raise ValueError("trouble")
        assert script.asked == [LOGIN]
    assert script.asked == [LOGIN, LOGOUT]
    await loans.close()


async def test_an_old_key_is_renewed_before_it_expires(script: Script, loans: Loans) -> None:
    """After ten minutes the next question gets another one, and the old one ends."""
    clock = Hands()
    http = Http(script.url, "the-admin-token", 0, clock=clock)
    script.json({"access_token": "borrowed"})
    for _ in range(2):
        async with loans.lend(http, ANNA):
            pass
        clock.at += timedelta(minutes=10)
    assert script.asked == [LOGIN, LOGOUT, LOGIN]
    await loans.close()
    await http.close()


async def test_a_page_is_read_up_to_where_the_own_client_begins(script: Script, http: Http, loans: Loans) -> None:
    """Once it is asked where that is; the following pages carry it along."""
    script.json({"access_token": "borrowed"}).json({"start": "here", "chunk": []})
    script.json({"chunk": [{"event_id": "$1"}], "end": "half"}).json({"chunk": [], "end": "here"})
    person = Subject(ANNA, http, lender=loans)
    first = await visible_events(person, ROOM, None, 5)
    assert (first.events, first.next) == (({"event_id": "$1"},), "half here")
    second = await visible_events(person, ROOM, first.next, 5)
    assert (second.events, second.next) == ((), None)
    assert script.asked == [LOGIN, READ, READ, READ]
    assert [{key: query[key] for key in ("dir", "from", "to") if key in query} for query in script.queries[1:]] == [
        {"dir": "b"},
        {"dir": "f", "to": "here"},
        {"dir": "f", "from": "half", "to": "here"},
    ]
    await loans.close()


async def test_a_key_that_an_admin_has_ended_is_asked_for_again(script: Script, http: Http, loans: Loans) -> None:
    """That is no refusal of the room: the job tries again."""
    script.json({"access_token": "borrowed"}).json({"errcode": "M_UNKNOWN_TOKEN"}, 401).json({})
    with pytest.raises(Unavailable, match="acting_ended"):
        await visible_events(Subject(ANNA, http, lender=loans), ROOM, None, 5)
    assert script.asked == [LOGIN, READ, LOGOUT]


async def test_a_closed_room_has_nothing_and_a_refused_key_is_an_error(
    script: Script, http: Http, loans: Loans
) -> None:
    """403 on the room is an answer; 403 on acting as the person is none."""
    script.json({"access_token": "borrowed"}).json({"errcode": "M_FORBIDDEN"}, 403)
    person = Subject(ANNA, http, lender=loans)
    assert (await visible_events(person, ROOM, None, 5)).events == ()
    assert script.asked == [LOGIN, READ]
    await loans.close()
    with pytest.raises(Rejected):
        await visible_events(person, ROOM, None, 5)
