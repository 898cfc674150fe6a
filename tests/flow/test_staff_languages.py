"""A person who speaks French and a team that speaks German: each hears their own language, and nothing else."""

from typing import Any

import pytest

from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import BOT, reference
from tests.flow.team import DORA, EMIL, Team, code
from tests.flow.tongues import FRENCH, GERMAN, english, other_than


@pytest.fixture
def sections() -> dict[str, Any]:
    """The staff room is a German one; people decide about everything."""
    return {"staff": {"language": "de"}, "policy": {"approve": []}}


async def test_french_to_the_person_and_german_to_the_team(team: Team) -> None:
    """From the first word to the archive; Anna chooses by numbers, and so does Dora."""
    stage = team.stage
    assert stage.server.bodies(team.room, BOT)[0].startswith("Das ist der Teamraum der Kontaktstelle")
    room_id = await stage.meet(ANNA)
    (greeting,) = stage.said(room_id)
    assert greeting.startswith("Hello!")  # nobody knows yet what she speaks
    (choices,) = await stage.ask(room_id, ANNA, "langue")
    assert "1. `language Deutsch`\n2. `language English`\n3. `language Français`" in choices
    (noted,) = await stage.ask(room_id, ANNA, "3")
    assert noted.endswith("Notre langue est maintenant\u202f: Français.")
    spoken = len(stage.said(room_id))

    await _complaint(team)
    await _archive(team)
    await _overdue(team)

    assert english(stage.said(room_id)[spoken:]) == []
    assert english([said for said in stage.said(team.room) if ".zip" not in said]) == []
    assert other_than(FRENCH, stage.said(room_id)[spoken:]) == []
    assert other_than(GERMAN, stage.said(team.room)) == []


async def _complaint(team: Team) -> None:
    stage, (room_id,) = team.stage, _rooms(team)
    (offer,) = await stage.ask(room_id, ANNA, f"{BODY} il fait beau")
    assert offer.startswith("Je suis un programme et je ne comprends pas cela.")
    (passed,) = await stage.ask(room_id, ANNA, "1")  # yes
    case = reference([passed])
    assert "│ marzipanweather il fait beau" in team.thread(case)[0]
    assert team.thread(case)[0].startswith("Die Person schrieb am 22. November 2026")
    assert "Zuständig: niemand" in team.card(case)
    assert "Stand: wartet auf eine Entscheidung" in team.card(case)
    assert await team.says(DORA, "claim", case) == [f"{case} ist jetzt Ihr Fall, `{DORA}`."]
    await team.says(DORA, "pause Quel mois, s'il vous plaît ?", case)
    assert stage.said(room_id)[-1].startswith("Avant de pouvoir continuer avec votre demande")
    (listed,) = await team.says(DORA, "queue")
    assert listed.startswith("Offene Fälle, die zuerst fälligen zuerst:")
    (shown,) = await team.says(DORA, "1")
    assert shown.startswith(case)
    await stage.ask(room_id, ANNA, f"{BODY} en mars")
    await team.says(DORA, "reply Merci, c'est corrigé.", case)
    await stage.pass_time(seconds=11)
    assert f"équipe de protection des données écrit au sujet de {case}\u202f:" in stage.said(room_id)[-1]
    (closed,) = await team.says(DORA, "close", case)
    assert closed.startswith(f"{case} ist abgeschlossen, von `{DORA}`.")


async def _archive(team: Team) -> None:
    stage, (room_id,) = team.stage, _rooms(team)
    case = reference(await stage.ask(room_id, ANNA, "mes données"))
    (plan,) = await team.says(EMIL, "approve", case)
    assert "Noch ist nichts geschehen." in plan
    await team.says(EMIL, code([plan]), case)
    assert "Vos données sont là" in stage.said(room_id)[-1]
    with stage.archive(room_id) as archive:
        assert '<html lang="fr"' in archive.read("index.html").decode()


async def _overdue(team: Team) -> None:
    stage, (room_id,) = team.stage, _rooms(team)
    case = reference(await stage.ask(room_id, ANNA, f"complaint {BODY} trop tard"))
    await stage.pass_time(days=8)
    assert "Vous n’avez pas à nous relancer" in stage.said(room_id)[-1]  # noqa: RUF001
    await stage.pass_time(days=24)
    escalation, digest = team.main()[-2:]
    assert f"{case} (Beschwerde)" in escalation
    assert f"{case} (Beschwerde)" in digest


def _rooms(team: Team) -> list[Any]:
    return [room_id for room_id, room in team.stage.server.rooms.items() if ANNA in room.members]


async def test_refusals_speak_the_language_of_who_hears_them(team: Team) -> None:
    """What Dora is shown before she refuses is the room's German; what Anna reads is French."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "language fr")
    case = reference(await stage.ask(room_id, ANNA, "export"))
    (wrong,) = await team.says(DORA, "refuse boredom Non.", case)
    (plan,) = await team.says(DORA, "refuse identity Nous ne savons pas qui écrit.", case)
    await team.says(DORA, code([plan]), case)
    refusal = stage.said(room_id)[-1]
    assert english([wrong, plan.replace("Nous ne savons pas qui écrit.", ""), refusal]) == []
    assert "Nous ne savons pas qui écrit." in plan
    assert "Nous ne savons pas qui écrit." in refusal
    assert FRENCH.search(refusal.replace("Nous ne savons pas qui écrit.", ""))
    assert "würde genau das lesen" in plan


async def test_another_language_in_the_middle_of_a_case(team: Team) -> None:
    """What is said from then on is in it, answers of staff included."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"complaint {BODY}"))
    await stage.ask(room_id, ANNA, "sprache deutsch")
    await team.says(EMIL, "reply Danke.", case)
    await stage.pass_time(seconds=11)
    assert f"Das Datenschutzteam schreibt zu {case}:" in stage.said(room_id)[-1]
    (status,) = await stage.ask(room_id, ANNA, "status")
    assert english([status]) == []
