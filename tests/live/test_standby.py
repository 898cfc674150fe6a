"""Two machines, one bot: the standby goes on with the conversation where the other one broke off."""

import json
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import copy
from pathlib import Path

import psycopg
import pytest

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Unavailable
from dpobot.matrix.session import Session
from dpobot.model.ids import DeviceId, EventId, RoomId
from dpobot.model.words import Trust
from tests.live.bot import RunningBot
from tests.live.conftest import Register
from tests.live.guest import ACCEPTED, COMPLETE, Arrive, Guest
from tests.live.line import Line
from tests.live.people import Client, joined, opened

pytestmark = pytest.mark.live

GREETING = 1  # message, when the bot has come into the room
WAITING, TOOK_OVER = "standby.waiting", "standby.took_over"

Bots = tuple[RunningBot, RunningBot]
MakeTwo = Callable[[], Awaitable[tuple[Client, Client, Client]]]


@pytest.fixture
async def line(synapse: Synapse) -> AsyncIterator[Line]:
    """The first machine's line to the homeserver."""
    async with Line.to(synapse.port) as relay:
        yield relay


@pytest.fixture
async def bots(
    synapse: Synapse, admin: Credentials, register: Register, postgres_url: str, line: Line, tmp_path: Path
) -> AsyncIterator[Bots]:
    """The bot, and its standby with a folder of its own: only the key files and the recovery key were copied."""
    account = await register("dpo")
    data, matrix = {"database_url": postgres_url}, {"homeserver_url": line.url}
    bot = await RunningBot.begin(tmp_path / "bot", synapse, admin, account, data=data, matrix=matrix)
    standby = RunningBot(
        tmp_path / "standby",
        synapse,
        account,
        admin,
        {"data": data, "matrix": {"recovery_key_file": "recovery-key"}},
    )
    standby.write_files()
    standby.data.mkdir(mode=0o700)
    for name in ("seal.keys", "receipt.key"):
        shutil.copy(bot.data / name, standby.data / name)
    shutil.copy(bot.data / "matrix" / "recovery-key.txt", standby.folder / "recovery-key")
    await standby.start(WAITING)
    yield bot, standby
    for each in (bot, standby):
        await each.kill()


async def _answer(guest: Guest, number: int) -> DeviceId:
    """Wait until the bot has said so much; return the device that said the last of it, which must be a verified one."""
    while len(guest.messages()) < number:
        await guest.listen()
    said = guest.messages()[-1]
    pinned = (await guest.client.session.trust(guest.bot, said.origin, None)).master_key
    assert (await guest.client.session.trust(guest.bot, said.origin, pinned)).trust is Trust.SIGNED
    assert said.origin is not None
    assert said.origin.device_id is not None
    return said.origin.device_id


async def test_the_standby_goes_on(
    bots: Bots, arrive: Arrive, register: Register, line: Line, postgres_url: str
) -> None:
    """What is asked while one serves, while nobody does and after a take-over is answered once, in the same room.

    The first one is killed, comes back as the standby, and takes over when the other one loses the lock.
    """
    bot, standby = bots
    guest = await arrive(bot, await register("kim"))
    await guest.say("rights")
    first = await _answer(guest, GREETING + 1)
    assert TOOK_OVER not in standby.log()

    await guest.say("help export")
    await line.lose_an_answer(b"/send/m.room.encrypted/")
    await bot.kill()  # what it said is in the room, and it has not noted so
    await guest.say("help status")
    assert TOOK_OVER not in standby.log()  # nobody has heard this yet
    second = await _answer(guest, GREETING + 3)
    assert second != first
    await guest.say("help erase")
    assert await _answer(guest, GREETING + 4) == second

    line.mend()
    await bot.start(WAITING)
    assert await _refused(bot)  # it is no standby: it would use the device of the one that runs
    await guest.say("export")
    await guest.hear(ACCEPTED)
    assert _end_the_holder(postgres_url) == 1
    assert await standby.ended() == 75
    assert "the database's lock is lost" in standby.log()
    await guest.hear(COMPLETE)
    await guest.say("help access")
    assert await _answer(guest, len(guest.messages()) + 1) == first  # its device is as good as before

    await guest.quiet(2)
    bodies = [event.content["body"] for event in guest.messages(guest.room)]
    assert len(bodies) == len(set(bodies)) == len(guest.messages())
    assert [len(guest.heard(COMPLETE)), len(guest.files())] == [1, 1]
    assert guest.unread() == []
    assert [each.log().count(TOOK_OVER) for each in bots] == [1, 1]
    assert "send_known" in standby.log()
    assert _errors(bot) + _errors(standby) == ["lock.lost"]
    assert await bot.stop() == 0


async def _refused(bot: RunningBot) -> bool:
    """Start a second process on a bot's disk; return whether it was told what is wrong, and left with 2."""
    twin = copy(bot)
    twin.log_path = bot.folder / "twin.log"
    with pytest.raises(Unavailable):
        await twin.start()
    return await twin.kill() == 2 and "another dpobot uses these keys" in twin.log()


def _errors(bot: RunningBot) -> list[str]:
    """Return the actions that a bot logged as errors; its last words are a sentence, and no line of the log."""
    lines = [json.loads(line) for line in bot.log().splitlines() if line.startswith("{")]
    return [line["action"] for line in lines if line["level"] in ("error", "critical")]


def _end_the_holder(url: str) -> int:
    """End the connection that holds the lock, as an administrator does; return how many those were."""
    held = "locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = %s)"
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        ended = server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {held}".encode(), (name,))
        return len(ended.fetchall())


@pytest.fixture
async def two(synapse: Synapse, register: Register, tmp_path: Path) -> AsyncIterator[MakeTwo]:
    """Makes two devices of one account, the second made with the recovery key, and a person who has a room with it."""
    clients: list[Session] = []

    async def make() -> tuple[Client, Client, Client]:
        account = await register("dpo")
        clients.append(await opened(synapse, account, tmp_path / "one"))
        recovery = (tmp_path / "one" / "recovery-key.txt").read_text()
        clients.append(await opened(synapse, account, tmp_path / "two", recovery))
        clients.append(await opened(synapse, await register("kim"), tmp_path / "kim"))
        return Client(clients[0]), Client(clients[1]), Client(clients[2])

    yield make
    for client in clients:
        await client.close()


async def _say(client: Client, room: RoomId, body: str, txn_id: str) -> EventId:
    return await client.session.send(room, {"msgtype": "m.text", "body": body}, txn_id=txn_id)


async def test_the_second_device_repeats_nothing(two: MakeTwo) -> None:
    """What the first one sent and never noted is found again; alone, transaction IDs count for one device."""
    one, second, kim = await two()
    room = await joined(kim, one)
    said = [await _say(one, room, "answer", "a"), await _say(one, room, "file", "b")]
    assert await _say(second, room, "file", "b") not in said
    await second.session.keep_keys()
    second.session.goes_on(60)
    assert await _say(second, room, "answer", "a") == said[0]
    assert await _say(second, room, "more", "c") not in said
    await kim.until("more")
    assert sorted(kim.bodies()) == ["answer", "file", "file", "more"]


async def test_the_second_device_reads_what_was_said_to_nobody(two: MakeTwo, synapse: Synapse) -> None:
    """It has its keys before it goes on with the first one's token, however much else was sent to it."""
    one, second, kim = await two()
    room = await joined(kim, one)
    await kim.say(room, "before")
    await one.until("before")
    await _pester(synapse, kim, second, 120)  # /sync brings at most a hundred at a time
    await kim.say(room, "meanwhile")
    await second.session.keep_keys()
    second.session.goes_on(60)
    second.token = one.token
    batch = await second.sync()
    brought = {event.origin.session_id for event in batch.events if event.origin is not None}
    assert set() < brought <= batch.new_sessions  # events that wait for these keys in the database are tried again
    await second.until("meanwhile")
    await kim.say(room, "afterwards")
    await second.until("afterwards")
    assert second.bodies() == ["meanwhile", "afterwards"]


async def test_keys_that_come_twice_are_harmless(two: MakeTwo, synapse: Synapse, tmp_path: Path) -> None:
    """A device that ended before it confirmed them gets them again: it reads on, and is read."""
    one, second, kim = await two()
    room = await joined(kim, one)
    second.token = one.token
    await kim.say(room, "once")
    await second.until("once")
    await second.session.close()
    account = Credentials(second.user_id, "", "", "")
    again = Client(await opened(synapse, account, tmp_path / "two"), one.token)
    try:
        await again.session.keep_keys()
        await again.until("once")
        await kim.say(room, "twice")
        await again.until("twice")
        await again.say(room, "heard")
        await kim.until("heard")
        assert (again.bodies(), kim.bodies()) == (["once", "twice"], ["heard"])
    finally:
        await again.session.close()


async def test_a_standby_founds_no_identity(synapse: Synapse, register: Register, tmp_path: Path) -> None:
    """Two machines that start for the first time at one moment would make two: one waits for the other's."""
    account = await register("dpo")
    for folder in ("one", "one"):  # a second time, too
        with pytest.raises(Unavailable, match="no_identity"):
            await opened(synapse, account, tmp_path / folder, founds=False)
    session = await opened(synapse, account, tmp_path / "one")
    await session.close()


async def _pester(synapse: Synapse, sender: Client, target: Client, times: int) -> None:
    """Send so many to-device messages that mean nothing."""
    content = {"messages": {target.user_id: {target.session.device_id: {"nothing": True}}}}
    for _ in range(times):
        path = f"/_matrix/client/v3/sendToDevice/org.example.nothing/{secrets.token_hex(8)}"
        await synapse.request("PUT", path, sender.session.access_token, content)
