"""Seeing, room by room: what is done again after a crash comes out the same, and what doesn't fit is held."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dpobot.archive.package import SEEN
from dpobot.archive.spool import Spool
from dpobot.clock import SystemClock
from dpobot.engine.api import Hold, StepResult
from dpobot.errors import Unavailable
from dpobot.jobs.collecting import Collecting
from dpobot.jobs.progress import Tally
from dpobot.jobs.seeing import permits
from dpobot.model.ids import RoomId, UserId
from dpobot.model.records import ExportOptions
from dpobot.model.words import Scope, Section
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.journal import Journal

ANNA, BERT = UserId("@anna:dpobot.test"), UserId("@bert:dpobot.test")
ROOMS = (RoomId("!a"), RoomId("!b"))
WANTED = ExportOptions(scope=Scope.VISIBLE, sections=frozenset({Section.MESSAGES}))


@dataclass
class Forgetful(Journal):
    """A journal whose machine dies before it has noted the first step with a word in its name."""

    dies_at: str = ""

    async def step(self, name: str, do: Any, progress: Any = None) -> StepResult:
        if name in self.results or not self.dies_at or self.dies_at not in name:
            return await super().step(name, do, progress)
        await do()
        raise Unavailable("power_cut")


@pytest.fixture
def homeserver() -> FakeHomeserver:
    """Two rooms in which Anna and Bert take turns."""
    made = FakeHomeserver()
    for person in (ANNA, BERT):
        made.add_account(person)
    for room in ROOMS:
        made.add_room(room)
        for person in (BERT, ANNA):
            made.send(room, person, {"membership": "join"}, "m.room.member", state_key=person)
            made.set_membership(room, person, "join")
        for number in range(7):
            made.say(room, (ANNA, BERT)[number % 2], f"{number} by {BERT}")
    return made


async def collected(homeserver: FakeHomeserver, spool: Spool, journal: Journal, names: str = "pseudonyms") -> Tally:
    """Collect what Anna may read, three events a page."""
    tally = Tally(SystemClock().now())
    await Collecting(homeserver, spool, journal, ANNA, WANTED, 3, names).all(tally)
    return tally


def bytes_of(spool: Spool) -> list[bytes]:
    """Return all events and all permits."""
    allowed = permits(spool)
    return [b"".join(spool.events(number)) for number in (1, 2)] + [b"".join(allowed.of(room, 0)) for room in ROOMS]


@pytest.mark.parametrize("dies_at", ["events:1:1", "visible:1:2", "story:2:1", "seen:1", "seen:2", "nowhere"])
async def test_a_power_cut_changes_nothing(homeserver: FakeHomeserver, tmp_path: Path, dies_at: str) -> None:
    """Wherever it came between doing and noting: the same bytes, the same figures, nothing left of what was read."""
    whole = Spool(tmp_path / "whole")
    expected = await collected(homeserver, whole, Journal())
    spool, journal = Spool(tmp_path / "cut"), Forgetful(dies_at=dies_at)
    if dies_at != "nowhere":
        with pytest.raises(ExceptionGroup):
            await collected(homeserver, spool, journal)
    journal.dies_at = ""
    tally = await collected(homeserver, spool, journal)
    assert bytes_of(spool) == bytes_of(whole)
    assert (tally.events, tally.size) == (expected.events, expected.size) == (18, sum(map(len, bytes_of(whole)[:2])))
    assert spool.kept(SEEN) == {"pseudonyms": True, "people": 1, "others": 8, "left_out": {}}
    assert [path.name for path in spool.folder.glob("read-*")] == []


async def test_what_was_sent_meanwhile_is_no_disagreement(homeserver: FakeHomeserver, tmp_path: Path) -> None:
    """Somebody writes between the three readings: the story knows more than was given, and that is all."""
    say, answer = homeserver.say, homeserver.visible_events

    async def busy(room_id: RoomId, user: UserId, start: str | None, limit: int = 500) -> Any:
        page = await answer(room_id, user, start, limit)
        for person in (ANNA, BERT):
            say(room_id, person, "meanwhile")
        return page if start is None else type(page)(page.events, None)

    homeserver.visible_events = busy  # type: ignore[method-assign] # somebody is always writing
    spool = Spool(tmp_path / "spool")
    tally = await collected(homeserver, spool, Journal())
    assert tally.events == sum(1 for number in (1, 2) for _ in spool.events(number))
    assert permits(spool).total() == tally.events


async def test_own_events_that_the_story_lacks_hold_the_package(homeserver: FakeHomeserver, tmp_path: Path) -> None:
    """The story is not the one of this room: nothing can be said about anything in it."""
    story = homeserver.story

    async def other(room_id: RoomId, user: UserId, start: str | None, limit: int = 1000) -> Any:
        page = await story(room_id, user, start, limit)
        return type(page)(page.told[1:], page.next, page.visibility) if start is None else page

    homeserver.story = other  # type: ignore[method-assign] # a server that forgets
    with pytest.raises(ExceptionGroup) as raised:
        await collected(homeserver, Spool(tmp_path / "spool"), Journal())
    assert raised.group_contains(Hold, match="visible_disagreement")
