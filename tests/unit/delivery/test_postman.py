"""What jobs on other machines say: the bot says it, once, in order, and each refusal comes back as it was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest

from dpobot.delivery.courier import BOT_AWAY, TOKEN_REFUSED, PostalCourier, lend_token
from dpobot.delivery.postman import NOT_SENT, Postman
from dpobot.engine import turns
from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.matrix.desk import Desk
from dpobot.matrix.http import Http
from dpobot.model.ids import EventId, RoomId
from dpobot.store import bot_state, letters
from dpobot.store.database import Database
from dpobot.store.letters import LetterState
from tests.fakes.matrix import FakeMatrix, FakeServer
from tests.unit.delivery.conftest import ANNA, BOT, STAFF, ServerClock

BOTH = frozenset({ANNA, BOT})


@dataclass
class Post:
    """A bot with its postman, and a job elsewhere with its courier. ``room``: Anna's direct message."""

    server: FakeServer
    database: Database
    room: RoomId
    asked: list[str] = field(default_factory=list)

    def postman(self) -> Postman:
        """Return the bot's postman, after a restart another one."""
        return Postman(self.database, FakeMatrix(self.server, BOT, self.asked.append), ServerClock(self.server))

    def courier(self, patience: float = 60.0, http: Http | None = None) -> PostalCourier:
        """Return a job's courier; the homeserver that it asks is the one in memory."""
        desk = cast(Desk, FakeMatrix(self.server, BOT))
        return PostalCourier(http or _known(), desk, self.database, ServerClock(self.server), patience, 0.001)

    async def say(self, body: str, **more: Any) -> EventId:
        """Let a job elsewhere say something to Anna."""
        known = {"txn_id": body, "only": BOTH} | more
        return await self.courier().send(known.pop("room_id", self.room), {"body": body}, **known)

    async def left(self, body: str, room_id: RoomId | None = None) -> None:
        """Let a job elsewhere say something, and die."""
        letter = letters.Letter(body, room_id or self.room, "m.room.message", {"body": body}, None)
        await self.database.write(lambda tx: letters.put(tx, letter, self.server.now))

    async def state(self, key: str) -> LetterState:
        """Return where a letter is."""
        answer = await self.database.read(lambda tx: letters.find(tx, key))
        assert answer is not None
        return answer.state

    def fail(self, *errors: Exception) -> None:
        """Let the bot's next sendings fail, without effect."""
        self.server.faults.setdefault("send", []).extend(errors)


def _known() -> Http:
    http = Http("http://homeserver.invalid")
    http.token = "known"
    return http


@asynccontextmanager
async def _at_work(postman: Postman) -> AsyncIterator[None]:
    task = asyncio.create_task(postman.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def post(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> Post:
    monkeypatch.setattr(turns, "_LOOK_AGAIN", 0.001)
    monkeypatch.setattr("dpobot.delivery.postman._SOON", 0.001)
    monkeypatch.setattr("dpobot.delivery.postman._CALM", 0.001)
    server = FakeServer()
    room = server.room(ANNA, BOT)
    server.join(room, BOT)
    return Post(server, sqlite_database, room)


async def test_a_job_says_something_through_the_bot(post: Post) -> None:
    """It has the event when it is sent; saying it again, also after restarts of both, is the same event."""
    async with _at_work(post.postman()):
        first = await post.say("hello")
    assert (post.server.bodies(post.room, BOT), post.asked) == (["hello"], ["room", "send"])
    assert await post.say("hello") == first
    async with _at_work(post.postman()):
        assert await post.say("and more") != first
    assert post.server.bodies(post.room, BOT) == ["hello", "and more"]


async def test_a_room_hears_jobs_in_order(post: Post) -> None:
    """One room's homeserver asks for patience: its line waits, others go on."""
    office = post.server.staff_room(STAFF, {BOT: 100})
    for body, room_id in (("one", post.room), ("two", post.room), ("for staff", office)):
        await post.left(body, room_id)
    post.fail(Unavailable("M_LIMIT_EXCEEDED", 5.0))
    postman = post.postman()
    await postman.drain()
    assert (post.server.bodies(post.room, BOT), post.server.bodies(office, BOT)) == ([], ["for staff"])
    post.server.now += _seconds(4.9)
    await postman.drain()
    assert post.server.bodies(post.room, BOT) == []
    post.server.now += _seconds(0.2)
    await postman.drain()
    assert post.server.bodies(post.room, BOT) == ["one", "two"]


@pytest.mark.parametrize(
    "refusal", [Rejected("other_members"), Rejected("M_FORBIDDEN", 403), Gone("M_NOT_FOUND", 404)], ids=str
)
async def test_a_refusal_comes_back_as_it_was(post: Post, refusal: Rejected) -> None:
    """Its code, its status and its kind; it is not for ever: the next try is one."""
    post.fail(refusal)
    async with _at_work(post.postman()):
        with pytest.raises(type(refusal)) as heard:
            await post.say("hello")
        assert (heard.value.code, heard.value.status) == (refusal.code, refusal.status)
        assert await post.say("hello") is not None
    assert post.server.bodies(post.room, BOT) == ["hello"]


async def test_the_room_is_looked_at_again_before_it_is_sent(post: Post) -> None:
    """Who came in since the job has looked keeps it from being said, as on the bot's own machine."""
    post.server.invite(post.room, ANNA, STAFF)
    async with _at_work(post.postman()):
        with pytest.raises(Rejected, match="other_members"):
            await post.say("hello")
        assert await post.say("hello", only=None) is not None


async def test_the_power_goes_between_the_sending_and_the_note(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next life of the bot sends it again under the same transaction: one event, and the job has it."""
    await post.left("hello")

    async def dies(*_: object) -> None:
        raise Unavailable("database")

    with monkeypatch.context() as dead:
        dead.setattr(letters, "sent", dies)
        dying = post.postman()
        await dying.once()
        await asyncio.gather(*dying._busy.values())
    assert (post.server.bodies(post.room, BOT), await post.state("hello")) == (["hello"], LetterState.NEW)
    await post.postman().drain()
    assert (post.server.bodies(post.room, BOT), await post.state("hello")) == (["hello"], LetterState.SENT)
    assert await post.say("hello") == post.server.sent[BOT, "hello"]


async def test_the_answer_of_the_homeserver_is_lost(post: Post) -> None:
    """It has the message, and we don't know: sent again it is one event."""
    post.server.lost_answers["send"] = [Unavailable("timeout")]
    await post.left("hello")
    postman = post.postman()
    for _ in range(2):
        await postman.drain()
        post.server.now += _seconds(5)
    assert (post.server.bodies(post.room, BOT), await post.state("hello")) == (["hello"], LetterState.SENT)


async def test_a_bot_that_is_away(post: Post) -> None:
    """The job hears that and may come again; nothing is said behind its back meanwhile, and nothing twice then."""
    with pytest.raises(Unavailable, match=BOT_AWAY):
        await post.courier(patience=0.0).send(post.room, {"body": "hello"}, txn_id="hello", only=BOTH)
    assert await post.state("hello") is LetterState.HELD
    async with _at_work(post.postman()):
        assert await post.say("other") is not None
        assert post.server.bodies(post.room, BOT) == ["other"]
        assert await post.say("hello") is not None
    assert post.server.bodies(post.room, BOT) == ["other", "hello"]


async def test_a_job_that_is_broken_off(post: Post) -> None:
    """What it meant to say is not said later, when nobody may want it any more."""
    sending = asyncio.create_task(post.say("hello"))
    while await post.database.read(lambda tx: letters.find(tx, "hello")) is None:
        await asyncio.sleep(0)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert (sending.cancelled(), await post.state("hello")) == (True, LetterState.HELD)


async def test_a_job_that_is_broken_off_while_its_letter_is_stored(post: Post) -> None:
    """At whichever moment: the letter is not there, or it is given up. Some moments must have come after it was."""
    found: set[LetterState | None] = set()
    for number in range(2000):  # as many as a slow disk needs
        if number >= 40 and LetterState.HELD in found:
            break
        sending = asyncio.create_task(post.say(f"hello {number}"))
        await asyncio.sleep(number / 4000)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        answer = await post.database.read(partial(letters.find, key=f"hello {number}"))
        found.add(None if answer is None else answer.state)
    assert LetterState.HELD in found
    assert found <= {None, LetterState.HELD}


async def test_a_bot_whose_own_token_is_refused(post: Post) -> None:
    """That says nothing of the letter: it waits."""
    post.fail(Rejected("M_UNKNOWN_TOKEN", 401))
    await post.left("hello")
    postman = post.postman()
    await postman.drain()
    assert await post.state("hello") is LetterState.NEW
    post.server.now += _seconds(1.1)
    await postman.drain()
    assert await post.state("hello") is LetterState.SENT


async def test_a_defect_keeps_up_no_room_for_ever(post: Post) -> None:
    """After ten attempts the letter is refused, and the next one of the room goes."""
    post.fail(*(ValueError("defect") for _ in range(10)))
    for body in ("bad", "good"):
        await post.left(body)
    postman = post.postman()
    for _ in range(10):
        assert await post.state("bad") is LetterState.NEW
        await postman.drain()
        post.server.now += _seconds(31)
    await postman.drain()
    answer = await post.database.read(lambda tx: letters.find(tx, "bad"))
    assert answer is not None
    assert (answer.state, answer.error, post.server.bodies(post.room, BOT)) == (LetterState.REFUSED, NOT_SENT, ["good"])


async def test_the_rest_is_asked_with_the_token_of_the_bot(post: Post) -> None:
    """Without one the bot is away; one that is refused is read again, and refused for good if it is still the same."""
    http = Http("http://homeserver.invalid")
    courier = post.courier(http=http)
    with pytest.raises(Unavailable, match=BOT_AWAY):
        await courier.room(post.room)
    await lend_token(post.database, "first")
    assert ((await courier.room(post.room)).is_exactly(ANNA, BOT), http.token) == (True, "first")
    await lend_token(post.database, "second")
    post.server.faults["room"] = [Rejected("M_UNKNOWN_TOKEN", 401)]
    assert ((await courier.room(post.room)).is_exactly(ANNA, BOT), http.token) == (True, "second")
    post.server.faults["room"] = [Rejected("M_UNKNOWN_TOKEN", 401)]
    with pytest.raises(Unavailable, match=TOKEN_REFUSED):
        await courier.room(post.room)
    post.server.faults["room"] = [Rejected("M_FORBIDDEN", 403)]
    with pytest.raises(Rejected, match="M_FORBIDDEN"):
        await courier.room(post.room)


async def test_the_token_lies_sealed_and_is_taken_back(post: Post) -> None:
    """Nobody reads it in the database, and without other machines it is not there."""
    await lend_token(post.database, "syt_secret")
    stored = await post.database.read(lambda tx: bot_state.get(tx, bot_state.MATRIX_TOKEN))
    assert stored is not None
    assert b"syt_secret" not in bytes.fromhex(stored)
    await lend_token(post.database, None)
    assert await post.database.read(lambda tx: bot_state.get(tx, bot_state.MATRIX_TOKEN)) is None


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)
