"""``kill -9`` at twenty random moments of command, export and delivery: one answer, one archive, nothing lost."""

import asyncio
import contextlib
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dpobot.demo.synapse import Synapse
from tests.live.bot import RunningBot, StartBot
from tests.live.conftest import Register
from tests.live.guest import ACCEPTED, COMPLETE, THANKED, Arrive, Guest
from tests.live.past import Past, lived
from tests.live.received import Archive

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

ROUNDS = 5
REFERENCE = re.compile(r"DPO-\d{4}-\d{4,}")


@dataclass
class Person:
    """Somebody with a past, and what they got."""

    guest: Guest
    past: Past
    archives: list[Archive] = field(default_factory=list)


async def _arrived(synapse: Synapse, register: Register, bot: RunningBot, arrive: Arrive) -> Person:
    past = await lived(synapse, await register("kim"), files=2)  # two volumes of 1 MB
    return Person(await arrive(bot, past.account), past)


class Killer:
    """Ends the bot without warning at moments that a seeded dice chooses, and starts it again."""

    def __init__(self, bot: RunningBot, dice: random.Random) -> None:
        self._bot = bot
        self._dice = dice
        self.moments: list[str] = []

    async def strike(self, phase: str, sign: str | None, people: list[Person], up_to: float) -> None:
        """Kill up to so many seconds after the log says ``sign``, or at once if it does not come."""
        seen = self._bot.log().count(f'"{sign}"')
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5 if sign else 0):
                while self._bot.log().count(f'"{sign}"') == seen:
                    await asyncio.sleep(0.01)
        pause = self._dice.uniform(0, up_to)
        await asyncio.sleep(pause)
        await self._bot.kill()
        last = self._bot.lines()[-1]["action"] if self._bot.log().endswith("\n") else "within a line"
        self.moments.append(f"{phase}: {pause:.3f} s, after {last}")
        await self._bot.start()
        for person in people:
            await person.guest.listen(0)


async def test_twenty_kills_change_nothing(
    synapse: Synapse, register: Register, start_bot: StartBot, arrive: Arrive, tmp_path: Path
) -> None:
    """Two people ask five times each; in every round the bot dies in command, export, delivery and thanks."""
    seed = random.SystemRandom().randrange(1_000_000)
    bot = await start_bot(export={"page_events": 10, "volume_megabytes": 1})
    people = [await _arrived(synapse, register, bot, arrive) for _ in range(2)]
    killer = Killer(bot, random.Random(seed))
    for number in range(1, ROUNDS + 1):
        for person in people:
            await person.guest.say("export")
        await killer.strike("command", None, people, 0.5)
        await killer.strike("export", "job_started", people, 0.6)
        await killer.strike("delivery", "export.packed", people, 0.5)
        for person in people:
            await person.guest.hear(COMPLETE, number)
            await _keep(person, tmp_path / f"volumes-{number}-{id(person)}")
            await person.guest.say("received")
        await killer.strike("thanks", None, people, 0.5)
        for person in people:
            await person.guest.hear(THANKED, number)
    print(f"seed {seed}", *killer.moments, sep="\n")
    assert len(killer.moments) == 4 * ROUNDS
    for person in people:
        await person.guest.quiet(3)
        _is_whole(person)
        await _is_gone(person)
    broken = [line for line in bot.lines() if line["level"] in ("error", "critical")]
    assert broken == []


async def _keep(person: Person, folder: Path) -> None:
    """Fetch the volumes of this round: the ones of earlier rounds are gone from the server."""
    known = sum(len(archive.volumes) for archive in person.archives)
    files = person.guest.files()[known:]
    folder.mkdir()
    paths = [
        await person.guest.client.fetch(dict(file.content), folder / f"{number}.zip")
        for number, file in enumerate(files)
    ]
    person.archives.append(Archive.read(paths))


def _is_whole(person: Person) -> None:
    """Each sentence once for each request, each volume once, everything in each archive."""
    guest = person.guest
    assert guest.unread() == []
    for sentence in (ACCEPTED, COMPLETE, THANKED):
        said = guest.heard(sentence)
        numbers = [REFERENCE.findall(str(event.content["body"]))[0] for event in said]
        assert (len(numbers), len(set(numbers))) == (ROUNDS, ROUNDS), sentence
    for archive in person.archives:
        told = [volume["file"] for volume in archive.manifest["volumes"]]
        assert len(told) == len(archive.volumes) > 1
        assert person.past.events - set(archive.event_rooms()) == set()
        assert len(archive.events()) == len(archive.event_rooms()) == archive.manifest["totals"]["events"]
        assert archive.wrong_digests() == []
    names = [str(event.content["body"]) for event in guest.files()]
    assert len(names) == len(set(names)) == sum(len(archive.volumes) for archive in person.archives)


async def _is_gone(person: Person) -> None:
    """After ``received`` no volume's bytes are on the server, and the case is closed: nothing is open."""
    for event in person.guest.files():
        assert not await person.guest.client.session.media_exists(event.content["file"]["url"])
    before = len(person.guest.messages())
    await person.guest.say("received")
    while len(person.guest.messages()) == before:
        await person.guest.listen()
    assert person.guest.heard(THANKED)[ROUNDS:] == []
