"""Who sees what of a person before and after an erasure, on their own homeserver and on another one.

What is measured here is what docs/erasure.md tells people; the tests compare the two, cell by cell. Both erasures are
carried out by the running bot, as people ask for them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from dpobot.homeserver.verifying.synapse_leftovers import SynapseLeftovers
from dpobot.model.erasure import Residual
from dpobot.model.ids import RoomId, UserId
from dpobot.receipt import reasons
from tests.live.bot import RunningBot
from tests.live.federation import Federation, arrived, federation
from tests.live.http import Client
from tests.live.seen_by_bot import AT_ONCE, erase_by_bot, verified
from tests.live.seen_life import SHARED, Life, live
from tests.live.seen_observers import Seen, Sight, look, observers
from tests.live.seen_table import ROWS, documented, table

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]  # two lives on two servers, on a machine that may be busy
__all__ = ["federation"]  # the fixture

BEFORE, FORGET, REDACT = "Before", "After an erasure", "After an erasure with redact and media"
NEW = {"joined later", "visitor", "first of a new server"}
SPOKEN = {"messages", "thread", "reactions"}


@dataclass(frozen=True)
class Watched:
    """What everybody saw at a time; ``left``: what dpobot itself finds to be left, by the name of the room."""

    seen: Seen
    left: Mapping[str, Sequence[Residual]]


@pytest.fixture(scope="module")
async def watched(federation: Federation, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Watched]:
    """Everybody looks before, after an erasure without options, and after one with ``redact`` and ``media``.

    Both are asked of the running bot, as people do, side by side: two people, in rooms of their own.
    """
    admin, folder = await federation.at_home("admin", admin=True), tmp_path_factory.mktemp("bot")
    bot = await RunningBot.begin(folder / "bot", federation.home, admin.credentials, None, **AT_ONCE)

    async def forget() -> Mapping[str, Watched]:
        life = await live(federation, "forget")
        before = await look(life, await observers(life, admin, "before"), "before")
        await erase_by_bot(bot, admin, life, folder / "forget", "without copy")
        return {BEFORE: Watched(before, {}), FORGET: await _afterwards(life, admin, everything=False)}

    async def redact() -> Mapping[str, Watched]:
        life = await live(federation, "redact")
        await erase_by_bot(bot, admin, life, folder / "redact", "redact media without copy")
        return {REDACT: await _afterwards(life, admin, everything=True)}

    try:
        forgotten, redacted = await asyncio.gather(forget(), redact())
        await verified(bot, 2)
    finally:
        await bot.stop()
    return {**forgotten, **redacted}


@pytest.fixture
def seen(watched: Mapping[str, Watched]) -> Mapping[str, Seen]:
    """What everybody saw, by the time."""
    return {when: part.seen for when, part in watched.items()}


async def _afterwards(life: Life, admin: Client, *, everything: bool) -> Watched:
    """Wait until the other server has heard of the erasure, and let everybody look, dpobot itself, too."""
    leftovers = SynapseLeftovers(life.federation.home.url, admin.credentials.access_token)
    person = UserId(life.alice.user_id)
    left = {
        name: await leftovers.of_room(RoomId(room), person, everything=everything) for name, room in life.rooms.items()
    }
    await leftovers.close()
    for room in SHARED:
        # a room's events arrive in their order: with the last one the redactions before it are there
        await arrived(life.rita, life.rooms[room], await life.bob.say(life.rooms[room], "That was all."))
    for room in ("across", "across encrypted"):
        await life.gone_from(room)
    return Watched(await look(life, await observers(life, admin, "after"), "after"), left)


@pytest.mark.parametrize("when", [BEFORE, FORGET, REDACT])
async def test_the_document_tells_what_was_measured(seen: Mapping[str, Seen], when: str) -> None:
    """Each cell of the table, also where the truth is not what one would wish."""
    assert documented().get(when) == table(seen[when])


async def test_every_mark_is_in_a_row(seen: Mapping[str, Seen]) -> None:
    """What is measured and not shown would be kept silent about."""
    shown = {(row.what, room) for row in ROWS for room in row.rooms}
    assert {(mark.what, mark.room) for part in seen.values() for _, mark in part} - shown == set()


async def test_before_everybody_sees_everything_they_may(seen: Mapping[str, Seen]) -> None:
    """Otherwise that somebody no longer sees it would mean nothing."""
    assert set(seen[BEFORE].values()) == {Sight.SEEN}


async def test_who_comes_later_or_has_no_account_sees_no_message(seen: Mapping[str, Seen]) -> None:
    """Notice 2.1.3: not shared with any unregistered or new users, but what Synapse shows of threads."""
    told = {
        mark.what
        for (name, mark), sight in seen[FORGET].items()
        if name in NEW and mark.what in SPOKEN and sight is Sight.SEEN
    }
    assert told == {"thread"}


async def test_who_was_there_keeps_their_copy(seen: Mapping[str, Seen]) -> None:
    """Notice 2.1.3: that user will still have access."""
    kept = {
        sight
        for (name, mark), sight in seen[FORGET].items()
        if name in {"member", "member elsewhere"} and mark.what in SPOKEN | {"file", "file, fetched"}
    }
    assert kept == {Sight.SEEN}


async def test_redacted_means_for_everybody_on_every_server(seen: Mapping[str, Seen]) -> None:
    """Of what was said nobody sees anything, but an admin who asks for an event by its ID, until it is censored."""
    who = {name for (name, mark), sight in seen[REDACT].items() if mark.what in SPOKEN and sight is Sight.SEEN}
    assert who == {"admin, one event"}


async def test_what_only_the_person_could_read_is_gone(seen: Mapping[str, Seen]) -> None:
    """Notice 2.1.3, with any option: the room that they were alone in, and its files, for admins, too."""
    sole = [
        sight
        for when in (FORGET, REDACT)
        for (_, mark), sight in seen[when].items()
        if mark.room in {"sole", "address"}
    ]
    assert set(sole) == {Sight.GONE}


async def test_files_are_gone_by_their_address(seen: Mapping[str, Seen]) -> None:
    """With ``media``, wherever no other server holds a copy."""
    files = {sight for (_, mark), sight in seen[REDACT].items() if mark.what == "file"}
    assert files == {Sight.GONE}


@pytest.mark.parametrize("when", [FORGET, REDACT])
async def test_what_members_still_see_is_what_the_verification_finds(watched: Mapping[str, Watched], when: str) -> None:
    """Where something that was to go is seen, dpobot's own look afterwards lists it; elsewhere it lists nothing."""
    was_to_go = {"state"} if when == FORGET else {"state", *SPOKEN}
    visible = {
        mark.room
        for (name, mark), sight in watched[when].seen.items()
        if name == "member" and mark.what in was_to_go and sight is Sight.SEEN
    }
    assert {room for room, left in watched[when].left.items() if reasons.unexpected(left)} == visible
