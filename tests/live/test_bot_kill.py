"""``kill -9`` at twenty random moments of command, export and delivery: one answer, one archive, nothing lost."""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dpobot.demo.synapse import Synapse
from tests.live.bot import RunningBot, StartBot
from tests.live.conftest import Register
from tests.live.guest import ACCEPTED, COMPLETE, THANKED, Arrive, Guest
from tests.live.killer import Killer
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


async def test_twenty_kills_change_nothing(
    synapse: Synapse, register: Register, start_bot: StartBot, arrive: Arrive, tmp_path: Path
) -> None:
    """Two people ask five times each; in every round the bot dies in command, export, delivery and thanks."""
    seed = random.SystemRandom().randrange(1_000_000)
    bot = await start_bot(export={"page_events": 10, "volume_megabytes": 1})
    people = [await _arrived(synapse, register, bot, arrive) for _ in range(2)]
    killer = Killer(bot, random.Random(seed), [person.guest.listen for person in people])
    for number in range(1, ROUNDS + 1):
        for person in people:
            await person.guest.say("export")
        await killer.strike("command", 0.5)
        await killer.strike("export", 0.6, "job_started")
        await killer.strike("delivery", 0.5, "export.packed")
        for person in people:
            await person.guest.hear(COMPLETE, number)
            await _keep(person, tmp_path / f"volumes-{number}-{id(person)}")
            await person.guest.say("received")
        await killer.strike("thanks", 0.5)
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
