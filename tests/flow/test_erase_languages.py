"""An erasure of a person who speaks French by a team that speaks German: not one English sentence on the way."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from dpobot.errors import Rejected
from dpobot.model.ids import RoomId
from tests.flow.conftest import ANNA, BERT
from tests.flow.leaving import at_home
from tests.flow.stage import BOT, Stage, reference
from tests.flow.team import DORA, EMIL, Team
from tests.flow.tongues import FRENCH, GERMAN, english, other_than

_CODE = re.compile(r"`(?:[a-z ]+ )?([A-HJ-NP-Z2-9]{6})`")
_WORKSHEET = (
    "assess nature high Adresse",
    "assess others low niemand",
    "assess degree high Drohungen",
    "assess conclude grant Das wiegt mehr",
)
_RECEIPT = re.compile(r"(?:[A-HJ-NP-Z2-9]{4}-){4}[A-HJ-NP-Z2-9]{4}")


@pytest.fixture
def sections() -> dict[str, Any]:
    """The staff room is a German one; two approve."""
    return {"staff": {"language": "de"}, "policy": {"approve": [], "second_approver": ["erasure"]}}


def _last(wanted: re.Pattern[str], said: Sequence[str]) -> str:
    found = wanted.findall(said[-1])
    assert found, said[-1]
    return str(found[-1])


async def _minutes(stage: Stage) -> None:
    """Let the jobs have the minutes for which they wait."""
    for _ in range(6):
        await stage.pass_time(minutes=1)


async def _approved(team: Team, case: str) -> None:
    """Let both approve it."""
    for member in (DORA, EMIL):
        await team.says(member, _last(_CODE, await team.says(member, "approve", case)), case)


async def _french(stage: Stage, person: Any = ANNA) -> tuple[RoomId, int]:
    """Let a person have spoken with the bot for two days, and French from now on; return from where on."""
    room_id = await at_home(stage, person)
    await stage.ask(room_id, person, "langue français")
    return room_id, len(stage.said(room_id)) - 1


async def test_french_to_the_person_and_german_to_the_team(team: Team) -> None:
    """Wrong codes, another plan, what failed, what is left and the receipt included."""
    stage = team.stage
    club = stage.room("club", ANNA, "un", "deux")
    stage.homeserver.set_membership(club, BERT, "join")
    stage.room("diary", ANNA, "trois")
    room_id, spoken = await _french(stage)
    for words in ("supprimer mon compte", "effacer caviarder médias sans copie", "oui", "erase 222222"):
        await stage.ask(room_id, ANNA, words)
    case = reference(stage.said(room_id)[-4:])
    await stage.ask(room_id, ANNA, "effacer caviarder médias directs sans copie")
    old = _last(_CODE, stage.said(room_id))
    stage.homeserver.say(club, ANNA, "encore")
    await stage.ask(room_id, ANNA, old)
    await stage.ask(room_id, ANNA, old)
    await stage.ask(room_id, ANNA, _last(_CODE, [said for said in stage.said(room_id) if _CODE.search(said)]))
    await team.says(DORA, "plan", case)
    await team.says(DORA, "plan redact", case)
    await team.says(DORA, f"exceptional room {club}", case)
    await _approved(team, case)
    await stage.ask(room_id, ANNA, f"statut {case}")
    await stage.pass_time(hours=23)
    stage.homeserver.fault("redact", Rejected("M_FORBIDDEN", 403))
    await stage.pass_time(hours=2)
    receipt = _RECEIPT.findall("\n".join(stage.said(room_id)))[-1]
    await _minutes(stage)
    assert await stage.states() == ["partial"]
    await stage.ask(room_id, ANNA, f"annuler {case}")
    bert, told = await _french(stage, BERT)
    await stage.ask(bert, BERT, f"récépissé {receipt}")
    await team.says(DORA, "retry skip", case)
    await team.says(DORA, "retry", case)
    await _minutes(stage)
    assert await stage.states() == ["closed"]
    await stage.ask(bert, BERT, f"récépissé {receipt}")

    sent = [event.content["file"] for event in stage.server.heard(bert, BOT) if "file" in event.content]
    page = stage.server.media[sent[-1]["url"]].decode()
    assert '<html lang="fr"' in page
    for heard in (stage.said(room_id)[spoken:], stage.said(bert)[told:]):
        assert english([said for said in heard if not said.startswith("receipt-")]) == []
        assert other_than(FRENCH, heard) == []
    assert english(stage.said(team.room)) == []
    assert other_than(GERMAN, stage.said(team.room)) == []


async def test_what_else_is_done_to_an_account(team: Team) -> None:
    """A restriction, a correction, and an exceptional erasure, each to its end."""
    stage = team.stage
    club = stage.room("club", ANNA, "un")
    room_id, spoken = await _french(stage)
    case = reference(await stage.ask(room_id, ANNA, "limiter"))
    await team.says(DORA, _last(_CODE, await team.says(DORA, "approve", case)), case)
    await _minutes(stage)
    await team.says(DORA, "lift C'est corrigé.", case)
    await _minutes(stage)
    for words in ("rectifier photo de profil", "rectifier nom d'affichage", "rectifier courriel a@example.org"):
        await stage.ask(room_id, ANNA, words)
    case = reference(await stage.ask(room_id, ANNA, "statut"))
    await team.says(DORA, _last(_CODE, await team.says(DORA, "approve", case)), case)
    await _minutes(stage)

    day = f"{stage.server.now:%Y-%m-%d}"
    case = reference(await team.says(DORA, f"open erasure {ANNA} post {day}"))
    for words in (f"exceptional room {club}", "verify am Telefon", *_WORKSHEET):
        await team.says(DORA, words, case)
    await team.says(EMIL, _last(_CODE, await team.says(EMIL, "assess agree", case)), case)
    await team.says(DORA, f"exceptional room {club}", case)
    await _approved(team, case)
    await stage.pass_time(hours=26)
    await _minutes(stage)
    assert (await stage.states())[-1] == "closed"

    heard = stage.said(room_id)[spoken:]
    assert english(heard) == []
    assert other_than(FRENCH, heard) == []
    assert english(stage.said(team.room)) == []
    assert other_than(GERMAN, stage.said(team.room)) == []
