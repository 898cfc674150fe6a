"""Nothing internal reaches a person: a long conversation with every command of staff, and then a search of it all."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from unittest.mock import patch

import pytest

from dpobot.audit import chain
from dpobot.cases import queries
from dpobot.commands.staff_parse import StaffSaid, parse_staff
from dpobot.commands.staff_registry import discover_staff
from dpobot.errors import Gone, Rejected
from dpobot.homeserver.federation.support import Support
from dpobot.model.ids import Reference, RoomId, UserId
from dpobot.model.notices import SupportContacts
from dpobot.store import erasures, notices
from dpobot.store.database import Tx
from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import BOT, reference
from tests.flow.team import DORA, EMIL, Team, code

INTERNAL = tuple(f"internalword{number}" for number in range(18))
REGISTRY = discover_staff()


@dataclass
class Script:
    """Lets staff talk, and notes which commands they used and which codes they were shown."""

    team: Team
    used: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)

    async def says(self, member: UserId, text: str, name: str | None = None) -> list[str]:
        """Let somebody write."""
        said = parse_staff(text, REGISTRY.vocabulary)
        if isinstance(said, StaffSaid):
            self.used.add(said.command)
        answers = await self.team.says(member, text, name)
        assert [answer for answer in answers if "I did nothing" in answer] == []
        return answers

    async def decides(self, member: UserId, text: str, name: str | None = None) -> list[str]:
        """Let somebody begin a command, and type its code."""
        typed = code(await self.says(member, text, name))
        self.codes.add(typed)
        return await self.says(member, typed, name)


@pytest.fixture(autouse=True)
def nobody_named() -> Iterator[None]:
    """No other server publishes anything."""

    async def contacts(self: Support, server: str) -> SupportContacts:
        raise Gone("http_404", 404)

    with patch.object(Support, "contacts", contacts):
        yield


async def test_of_a_long_conversation_the_person_hears_what_is_meant_for_her(team: Team) -> None:
    """No planted word of staff, no name of theirs, no code, no line of a card, in no event and no file she gets."""
    stage, script, word = team.stage, Script(team), iter(INTERNAL)
    room_id = await stage.meet(ANNA)
    books = stage.room("books", ANNA, "one")

    await _complaint(script, room_id, word)
    await _letters(script, room_id, word)
    await _breach(script, room_id, word)
    await _restriction(script, room_id)
    await _danger(script, room_id, books, word)
    await _records(script)

    assert list(word) == []  # each was said
    assert script.used == set(REGISTRY)
    assert (await stage.database.read(chain.verify)).holds
    heard, seen = _everything(team, room_id), _everything(team, team.room)
    assert f"“{INTERNAL[2]}”" in seen  # the search would find it
    assert "a second pair of eyes" in heard  # what was meant for her is there
    forbidden = {*INTERNAL, DORA, EMIL, *script.codes, *_card_lines(team), str(team.room)}
    assert len(forbidden) > 40
    assert sorted(secret for secret in forbidden if secret in heard) == []


async def _complaint(script: Script, room_id: RoomId, word: Iterator[str]) -> None:
    """From claim to closed, with everything between that is about one case."""
    team, stage = script.team, script.team.stage
    case = reference(await stage.ask(room_id, ANNA, f"complaint {BODY}"))
    await script.says(DORA, "claim", case)
    await script.says(DORA, f"note {next(word)}", case)
    await script.says(EMIL, f"{next(word)} is what I think of it", case)
    await script.says(DORA, f"assign {EMIL}", case)
    await script.says(EMIL, f"verify {next(word)}", case)
    await script.says(EMIL, f"hold {next(word)}", case)
    await script.says(EMIL, "release", case)
    for factor in ("nature", "others", "degree"):
        await script.says(EMIL, f"assess {factor} low {next(word)}", case)
    await script.says(EMIL, f"assess conclude grant {next(word)}", case)
    await script.decides(DORA, "assess agree", case)
    await script.says(EMIL, "extend 1 it needs a second pair of eyes", case)
    await script.says(EMIL, "pause Which month was it?", case)
    await script.says(EMIL, "resume", case)
    await team.sends(EMIL, b"orders of Anna", "orders.csv", case)
    await script.says(EMIL, "attach", case)
    await team.sends(EMIL, next(word).encode(), f"{next(word)}.csv", case)
    await script.says(EMIL, f"reply {next(word)}", case)
    await script.says(EMIL, "undo", case)
    await script.says(EMIL, "reply We are sorry.", case)
    await stage.pass_time(seconds=11)
    await script.decides(EMIL, "approve", case)
    await script.says(EMIL, "close: All is well.", case)
    await script.says(EMIL, f"trail {case}", case)


async def _letters(script: Script, room_id: RoomId, word: Iterator[str]) -> None:
    """Requests that came otherwise; one is refused."""
    (opened,) = await script.says(DORA, f"open erasure {ANNA} post 2026-11-20")
    case = reference([opened])
    await script.decides(EMIL, "refuse identity We could not establish who wrote that letter.", case)
    await script.says(EMIL, f"note {next(word)}", case)
    await script.says(DORA, f"show {case}")


async def _breach(script: Script, room_id: RoomId, word: Iterator[str]) -> None:
    """An export that has to wait; the archive holds nothing of this either."""
    await script.says(DORA, f"pause-deliveries {next(word)}")
    await script.team.stage.ask(room_id, ANNA, "export")
    await script.decides(EMIL, "resume-deliveries")


async def _restriction(script: Script, room_id: RoomId) -> None:
    """An account that is suspended for a while."""
    stage = script.team.stage
    case = reference(await stage.ask(room_id, ANNA, "restrict Art. 18(1)(a)"))
    await script.decides(EMIL, "approve", case)
    await _minutes(script)
    await script.says(EMIL, "lift What was wrong is corrected.", case)
    await _minutes(script)


async def _danger(script: Script, room_id: RoomId, books: RoomId, word: Iterator[str]) -> None:
    """A room that has to go, and a server that won't have it: tried again, and then left."""
    stage = script.team.stage
    await stage.ask(room_id, ANNA, "received")
    case = reference(await script.says(DORA, f"open erasure {ANNA} post {stage.server.now:%Y-%m-%d}"))
    await script.says(EMIL, f"verify {next(word)}", case)
    await script.says(EMIL, "plan redact", case)
    for line in ("nature high", "others low", "degree high", "conclude grant"):
        await script.says(EMIL, f"assess {line} {next(word)}", case)
    await script.decides(DORA, "assess agree", case)
    await script.says(DORA, f"exceptional room {books}", case)
    for member in (DORA, EMIL):
        await script.decides(member, "approve", case)
    stage.homeserver.fault("delete_room", *[Rejected("M_UNKNOWN", 400)] * 2)
    await stage.pass_time(hours=25)
    await _minutes(script)
    await script.says(DORA, "retry", case)
    await _minutes(script)
    await script.decides(DORA, "retry skip", case)
    await _minutes(script)
    assert "closed" in await stage.states()
    await _copies_elsewhere(script, case)


async def _copies_elsewhere(script: Script, case: str) -> None:
    """A server that has copies and names nobody who could be told."""
    stage = script.team.stage

    async def found(tx: Tx) -> None:
        known = await queries.any_by_reference(tx, Reference(case))
        assert known is not None
        await notices.add_all(tx, known.id, ["other.test"], stage.server.now)
        await erasures.change(tx, known.id, erased_at=stage.server.now)

    await stage.database.write(found)
    await script.says(EMIL, "notices", case)
    await script.decides(EMIL, "notify", case)
    await _minutes(script)
    assert [row["state"] for row in await stage.rows("erasure_notice")] == ["no_contact"]


async def _minutes(script: Script) -> None:
    """Let the jobs have the minutes for which they wait."""
    for _ in range(5):
        await script.team.stage.pass_time(minutes=1)


async def _records(script: Script) -> None:
    """What is asked about all cases, and the days that follow: digest, reminders."""
    await script.says(DORA, "queue all")
    await script.says(DORA, "stats")
    await script.says(DORA, "register 2026-11-01 2026-12-31")
    await script.says(DORA, "help")
    await script.decides(DORA, "notice announce 2026-11-22")
    for _ in range(4):
        await script.team.stage.pass_time(days=8)


def _everything(team: Team, room_id: RoomId) -> str:
    """Return all that the bot has ever put into a room: contents with their edits, and what is in the files."""
    events = [event for event in team.stage.server.timeline if event.room_id == room_id and event.sender == BOT]
    texts = [json.dumps(event.content, ensure_ascii=False) for event in events]
    urls = [event.content["file"]["url"] for event in events if "file" in event.content]
    return "\n".join([*texts, *(_opened(team.stage.server.media.get(url, b"")) for url in urls)])


def _opened(data: bytes) -> str:
    """Return the bytes of a file as text, those of an archive file by file, with their names."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(name + archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def _card_lines(team: Team) -> set[str]:
    """Return every line that ever stood on a card, without what is there for the person's eyes as well."""
    shown = [event.content for event in team.stage.server.heard(team.room, BOT) if "m.new_content" in event.content]
    lines = {line for content in shown for line in content["m.new_content"]["body"].splitlines()}
    lines |= {team.stage.server.event(card).content["body"].splitlines()[0] for card in team.cards().values()}
    return {line for line in lines if len(re.sub(r"\W", "", line)) > 10}
