"""Whose turn it is to be the bot: the lock, the keys of the device before it, and what another device had said."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from dpobot.errors import Rejected, Unavailable
from dpobot.model.ids import DeviceId
from dpobot.pulse import Pulse, Role
from dpobot.standby import Pace, Turn
from dpobot.store.database import Database
from dpobot.store.lock import Lock

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1).total_seconds()
AT_ONCE = Pace(look=0.01, keys=0, grace=0)


@dataclass
class Device:
    """A session that writes down what it is asked to do; ``troubles`` are raised first, one a call."""

    device_id: DeviceId
    done: list[str] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep_keys(self) -> None:
        self.asked.set()
        if self.troubles:
            raise self.troubles.pop(0)
        self.done.append("keys")

    def goes_on(self, seconds: float) -> None:
        self.done.append(f"goes on for {seconds:.0f} s")

    async def begin(self) -> None:
        self.done.append("begins")


@dataclass
class Moment:
    """A clock that stands still until it is set."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


Process = Callable[..., Turn]


@pytest.fixture
async def lock(postgres_url: str) -> AsyncIterator[Callable[[], Lock]]:
    """Makes the lock as one more process has it."""
    made: list[Lock] = []

    def make() -> Lock:
        made.append(Lock(postgres_url, check_seconds=0.05))
        return made[-1]

    yield make
    for each in made:
        await each.release()


@pytest.fixture
def clock() -> Moment:
    return Moment()


@pytest.fixture
def process(sqlite_database: Database, clock: Moment) -> Process:
    """Makes the turn of a process with a lock and a device."""

    def make(lock: Lock, device: Device, pulse: Pulse | None = None) -> Turn:
        return Turn(lock, device, sqlite_database, clock, device.begin, pulse or Pulse(), AT_ONCE)

    return make


async def _for_ever() -> None:
    await asyncio.Event().wait()


def _device(name: str, *troubles: Exception) -> Device:
    return Device(DeviceId(name), troubles=list(troubles))


async def test_the_first_one_serves_at_once(lock: Callable[[], Lock], process: Process) -> None:
    """Its device is the first: there is nothing to go on with, at the next start neither."""
    mine, device = lock(), _device("ONE")
    await mine.acquire()
    await process(mine, device).come()
    await process(mine, device).come()
    assert device.done == ["begins", "begins"]


async def test_the_second_one_waits_and_keeps_its_keys(lock: Callable[[], Lock], process: Process) -> None:
    """After the lock has become free it reads its keys once more, and looks for a day for what was said already."""
    theirs, mine, device, pulse = lock(), lock(), _device("TWO"), Pulse()
    await theirs.acquire()
    await process(theirs, _device("ONE")).come()
    assert await mine.acquire() is False
    coming = asyncio.create_task(process(mine, device, pulse).come())
    await device.asked.wait()
    assert [pulse.role, coming.done(), mine.held] == [Role.STANDBY, False, False]
    await theirs.release()
    await coming
    assert mine.held
    assert device.done[-4:] == ["keys", "keys", f"goes on for {DAY:.0f} s", "begins"]


async def test_after_a_restart_it_still_goes_on(lock: Callable[[], Lock], process: Process, clock: Moment) -> None:
    """A device that took over is one that took over for the rest of the day, and afterwards one as any."""
    mine, device = lock(), _device("TWO")
    await mine.acquire()
    await process(mine, _device("ONE")).come()
    await process(mine, _device("TWO")).come()
    clock.at += timedelta(hours=23)
    await process(mine, device).come()
    clock.at += timedelta(hours=1)
    await process(mine, device).come()
    assert device.done == ["keys", "goes on for 3600 s", "begins", "begins"]


async def test_who_does_not_reach_the_homeserver_leaves_the_lock_to_others(
    lock: Callable[[], Lock], process: Process
) -> None:
    """It gives it back at once, goes on waiting, and takes it when the homeserver is back."""
    theirs, mine = lock(), lock()
    await theirs.acquire()
    device = _device("TWO", *[Unavailable("connection")] * 100_000)  # until it is back
    coming = asyncio.create_task(process(mine, device).come())
    await device.asked.wait()
    device.asked.clear()
    await theirs.release()
    await device.asked.wait()
    async with asyncio.timeout(10):
        while not await theirs.acquire():
            await asyncio.sleep(0)
    assert [coming.done(), mine.held] == [False, False]
    device.troubles.clear()
    await theirs.release()
    await coming
    assert [device.troubles, mine.held, device.done[-1]] == [[], True, "begins"]


async def test_a_device_that_was_logged_out_does_not_wait(lock: Callable[[], Lock], process: Process) -> None:
    """An admin must look: a standby that can't take over is none."""
    theirs, mine = lock(), lock()
    await theirs.acquire()
    with pytest.raises(Rejected):
        await process(mine, _device("TWO", Rejected("M_UNKNOWN_TOKEN", 401))).come()


async def test_a_standby_can_be_stopped(lock: Callable[[], Lock], process: Process) -> None:
    """It never becomes the bot then, and what runs beside it ends with its own error."""
    theirs, mine, stop = lock(), lock(), asyncio.Event()
    await theirs.acquire()
    device = _device("TWO")
    aside = asyncio.create_task(_for_ever())
    waiting = asyncio.create_task(process(mine, device).before(stop, aside))
    await device.asked.wait()
    stop.set()
    assert await waiting is False
    assert set(device.done) <= {"keys"}
    aside.cancel()


async def test_what_fails_beside_it_is_not_hidden(lock: Callable[[], Lock], process: Process) -> None:
    """An error of what runs beside a standby ends it."""
    theirs, mine = lock(), lock()
    await theirs.acquire()

    async def broken() -> None:
        raise OSError("the port is taken")

    aside = asyncio.create_task(broken())
    with pytest.raises(OSError, match="the port is taken"):
        await process(mine, _device("TWO")).before(asyncio.Event(), aside)
