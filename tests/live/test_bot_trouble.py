"""What goes wrong around a running export: nothing is lost, nothing reaches the wrong place, everything is said."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.demo.world import Resident
from dpobot.model.ids import RoomId
from tests.live.bot import RunningBot, StartBot
from tests.live.conftest import Register
from tests.live.guest import ACCEPTED, COMPLETE, Arrive, Guest
from tests.live.past import Past, lived
from tests.live.received import Archive

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

SMALL = {"page_events": 10, "volume_megabytes": 1}
WAITS = "is ready, but the room where you asked for it is no longer safe"


async def _logged(bot: RunningBot, action: str, seconds: float = 60, *, after: int = 0) -> None:
    """Wait until the log has a new line of this action."""
    async with asyncio.timeout(seconds):
        while bot.log().count(f'"action": "{action}"') <= after:
            await asyncio.sleep(0.01)


@contextlib.contextmanager
def _standing_still(pid: int) -> Iterator[None]:
    """Let a process do nothing, so that what is done meanwhile happens at a moment that the test knows."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _archive(guest: Guest, folder: Path) -> Archive:
    await guest.hear(COMPLETE)
    archive = Archive.read(await guest.fetch(folder))
    shutil.rmtree(folder)
    return archive


def _is_whole(guest: Guest, archive: Archive, past: Past) -> None:
    assert past.events - set(archive.event_rooms()) == set()
    assert len(archive.events()) == len(archive.event_rooms())
    assert len(archive.volumes) == len(archive.manifest["volumes"]) == len(guest.files())
    assert (len(guest.heard(ACCEPTED)), len(guest.heard(COMPLETE))) == (1, 1)
    assert archive.wrong_digests() == []
    assert guest.unread() == []


def _said_nothing_private(bot: RunningBot, *people: Credentials) -> None:
    keys = [key for person in people for key in (person.access_token, person.password)]
    assert bot.leaks("private word", "Private name", "private file", *keys) == []


@pytest.fixture
async def own_synapse(tmp_path: Path) -> AsyncIterator[Synapse]:
    """A homeserver that this test may stop."""
    server = Synapse(tmp_path / "synapse")
    await server.start()
    yield server
    await server.stop()


async def test_the_homeserver_stops_and_starts_while_an_export_runs(
    own_synapse: Synapse, arrive: Arrive, tmp_path: Path
) -> None:
    """The job waits, goes on where it was, and delivers; nobody has to ask again."""
    admin = await own_synapse.register("admin", admin=True)
    bot = await RunningBot.begin(tmp_path / "bot", own_synapse, admin, export=SMALL, homeserver={"retries": 1})
    try:
        past = await lived(own_synapse, await own_synapse.register("hugo"), files=1)
        guest = await arrive(bot, past.account, own_synapse)
        await guest.say("export")
        await _logged(bot, "job_started")
        with _standing_still(bot.pid):
            await own_synapse.stop()
        await _logged(bot, "job_waits")
        await own_synapse.start()
        _is_whole(guest, await _archive(guest, tmp_path / "volumes"), past)
        assert [line for line in bot.lines() if line["level"] == "error"] == []
        _said_nothing_private(bot, past.account)
    finally:
        await bot.kill()


async def test_a_third_person_in_the_room_gets_nothing(
    synapse: Synapse, register: Register, start_bot: StartBot, arrive: Arrive, tmp_path: Path
) -> None:
    """Somebody joins while the export runs: nothing is sent there; it comes in a new room that the person accepts."""
    bot = await start_bot(export=SMALL)
    past = await lived(synapse, await register("ida"))
    guest = await arrive(bot, past.account)
    third = await arrive(bot, await register("third"))
    await guest.say("export")
    await _logged(bot, "job_started")
    with _standing_still(bot.pid):
        await guest.quiet(1)  # what was on its way when the bot was stopped still arrives
        before = {event.event_id for event in guest.messages(guest.room)}
        await past.resident.call("POST", f"/rooms/{guest.room}/invite", {"user_id": third.client.session.user_id})
        await third.client.session.join(guest.room)
    await _logged(bot, "delivery.room_not_safe")
    new = await _invitation(past.resident, bot.user_id)
    await guest.client.session.join(new)
    await guest.hear(WAITS)
    archive = await _archive(guest, tmp_path / "volumes")
    _is_whole(guest, archive, past)
    assert {event.room_id for event in guest.files()} == {new}
    assert {event.room_id for event in guest.heard(COMPLETE)} == {new}
    seen = {event.event_id for event in guest.messages(guest.room)} - before
    await third.quiet(2)
    assert seen == {event.event_id for event in third.messages(guest.room)} == set()


async def _invitation(resident: Resident, inviter: str) -> RoomId:
    """Wait for an invitation of somebody."""
    since: dict[str, str] = {}
    async with asyncio.timeout(60):
        while True:
            news = await resident.call("GET", "/sync", timeout="500", **since)
            for room, state in news.get("rooms", {}).get("invite", {}).items():
                if any(event["sender"] == inviter for event in state["invite_state"]["events"]):
                    return RoomId(room)
            since = {"since": news["next_batch"]}


async def test_media_that_are_gone_from_the_disk_are_named(
    synapse: Synapse, register: Register, start_bot: StartBot, arrive: Arrive, tmp_path: Path
) -> None:
    """The server lists a file whose bytes it has lost: the archive says so, and everything else is in it."""
    bot = await start_bot(export=SMALL)
    past = await lived(synapse, await register("jan"), rooms=1, files=2, size=10_000)
    guest = await arrive(bot, past.account)
    lost, kept = past.media
    await guest.say("export")
    await _logged(bot, "job_started")
    with _standing_still(bot.pid):
        name = lost.rsplit("/", 1)[1]
        (synapse.folder / "media" / "local_content" / name[:2] / name[2:4] / name[4:]).unlink()
    archive = await _archive(guest, tmp_path / "volumes")
    _is_whole(guest, archive, past)
    assert archive.medium(kept) == past.media[kept]
    assert (archive.media()[lost]["missing"], archive.media()[lost]["files"]) == ("gone", [])
    held = {item["category"]: item for item in archive.manifest["categories"]}
    assert (held["media"]["count"], held["media"]["incomplete"]) == (1, {"gone": 1})


async def test_the_bot_is_stopped_while_an_export_runs(
    synapse: Synapse, register: Register, start_bot: StartBot, arrive: Arrive, tmp_path: Path
) -> None:
    """It ends in good order, and the next start goes on with the same request."""
    bot = await start_bot(export=SMALL)
    past = await lived(synapse, await register("lea"), files=2)
    guest = await arrive(bot, past.account)
    await guest.say("export")
    await _logged(bot, "job_started")
    assert await bot.stop() == 0
    assert bot.lines()[-1]["action"] == "bot.stopped"
    await bot.start()
    _is_whole(guest, await _archive(guest, tmp_path / "volumes"), past)
    assert bot.log().count('"job_started"') > 1
    assert [line for line in bot.lines() if line["level"] == "error"] == []
    _said_nothing_private(bot, past.account)


async def test_a_flood_holds_up_nobody_else_and_nothing_of_it_is_lost(
    synapse: Synapse, register: Register, start_bot: StartBot, arrive: Arrive, tmp_path: Path
) -> None:
    """Two hundred messages at once: each is answered once, the hint comes once, another person is served meanwhile."""
    bot = await start_bot(limits={"messages_per_minute": 170})
    flooder = await arrive(bot, await register("max"))
    other = await arrive(bot, await register("nia"))
    await asyncio.gather(*(flooder.say("language en") for _ in range(200)))
    await other.say("export account")
    await other.hear(COMPLETE)
    answered = len(_answers(flooder))
    async with asyncio.timeout(200):
        while len(_answers(flooder)) < 200:
            await flooder.listen()
    await flooder.quiet(2)
    assert (len(_answers(flooder)), answered < 200) == (200, True)
    assert len(flooder.heard("You are writing faster than I can answer")) == 1


def _answers(guest: Guest) -> list[str]:
    """Return the answers to ``language en``: all that was said but greeting and hint."""
    others = ("Hello! I am the data protection contact", "You are writing faster")
    bodies = [str(event.content["body"]) for event in guest.messages()]
    return [body for body in bodies if not body.startswith(others)]


@contextlib.contextmanager
def _small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """Mount a file system of this size; only the machine's administrator can."""
    folder.mkdir(parents=True, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(folder: Path, leave: int) -> Path:
    """Fill the disk but for so many bytes."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes(shutil.disk_usage(folder).free - leave))
    return ballast


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk can be mounted by root only; CI is")
@pytest.mark.parametrize("leave", [2_500_000, 0])
async def test_a_full_disk_is_waited_for(
    synapse: Synapse, admin: Credentials, register: Register, arrive: Arrive, tmp_path: Path, leave: int
) -> None:
    """No room for the files, or for nothing at all: the bot lives; when there is room again it goes on and delivers."""
    with _small_disk(tmp_path / "bot" / "data", 32):
        bot = await RunningBot.begin(tmp_path / "bot", synapse, admin, export=SMALL)
        try:
            past = await lived(synapse, await register("oto"), files=4)
            guest = await arrive(bot, past.account)
            await guest.say("export")
            await _logged(bot, "job_started")
            with _standing_still(bot.pid):
                ballast = _fill(bot.data, leave)
            if leave:
                await _logged(bot, "job_waits")
                assert next(line["code"] for line in bot.lines() if line["action"] == "job_waits") == "disk_full"
            else:
                await guest.quiet(8)
            assert bot.running
            assert guest.files() == []
            ballast.unlink()
            if not leave:  # it goes on by itself within two minutes; a restart shows the same, sooner
                await bot.restart()
            _is_whole(guest, await _archive(guest, tmp_path / "volumes"), past)
        finally:
            await bot.kill()
