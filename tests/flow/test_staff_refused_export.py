"""A copy that is refused: with a reason, in words that were shown before, and with the ways to object to it."""

from typing import Any

import pytest

from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import reference
from tests.flow.team import DORA, EMIL, Team, code

SENTENCE = "You had your copy on Monday, and on Tuesday; nothing has changed since."


@pytest.fixture
def sections() -> dict[str, Any]:
    """People decide about everything."""
    return {"policy": {"approve": []}}


async def test_an_export_is_refused_and_complained_about(team: Team) -> None:
    """Anna reads exactly what Dora was shown, and her complaint about it is a case of its own."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    (noted,) = await stage.ask(room_id, ANNA, "export")
    case = reference([noted])
    assert "A person of the DPO team decides about it first." in noted
    assert "Next: somebody takes it." in team.card(case)
    await team.says(DORA, "claim", case)
    assert "Next: decide." in team.card(case)

    before = len(stage.said(room_id))
    (plan,) = await team.says(DORA, f"refuse unfounded {SENTENCE}", case)
    assert "Nothing has happened yet." in plan
    assert len(stage.said(room_id)) == before
    assert await stage.states() == ["review"]

    (done,) = await team.says(DORA, f"refuse {code([plan])}", case)
    assert f"{case} is refused by `{DORA}`, on the ground `unfounded`." in done
    (heard,) = stage.said(room_id)[before:]
    assert heard in plan  # word by word
    assert f"We have looked into your request {case} and refuse it. The ground: manifestly unfounded" in heard
    assert SENTENCE in heard
    assert "`complaint …` makes a formal complaint to us." in heard
    assert "https://ico.org.uk/make-a-complaint/" in heard
    assert "You may go to court." in heard
    assert await stage.states() == ["refused"]
    assert "State: refused (`unfounded`)" in team.card(case)
    assert "manifestly unfounded" in (await stage.ask(room_id, ANNA, f"status {case}"))[0]

    acknowledgement = await stage.ask(room_id, ANNA, f"complaint {BODY} everything has changed since")
    complaint = reference(acknowledgement)
    assert complaint != case
    assert list(team.cards()) == [case, complaint]
    assert "complaint (Art. 77)" in team.card(complaint)
    assert f"{BODY} everything has changed since" in team.thread(complaint)[0]
    assert await stage.states() == ["refused", "review"]
    assert stage.files(room_id) == []


async def test_what_is_refused_stays_refused_and_the_person_is_still_heard(team: Team) -> None:
    """Emil is told who refused it; what Anna answers in her own words reaches a human."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, "export"))
    await team.decides(DORA, "refuse other We can't.", case)
    assert "The ground" not in stage.said(room_id)[-1]  # `other` is no ground: the sentence says it

    (late,) = await team.says(EMIL, "approve", case)
    assert f"t be approved as it is (refused). It was refused by `{DORA}`" in late
    (offer,) = await stage.ask(room_id, ANNA, f"{BODY} why not?")
    assert "pass your words on" in offer
    question = reference(await stage.ask(room_id, ANNA, "yes"))
    assert f"{BODY} why not?" in team.thread(question)[0]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("refuse", "`REASON` is missing"),
        ("refuse boredom We don't feel like it.", "“boredom” is not what belongs there"),
        ("refuse identity", "`text` is missing. It is written `refuse REASON text`"),
    ],
)
async def test_a_refusal_needs_a_reason_of_the_list_and_a_sentence(team: Team, said: str, answer: str) -> None:
    """Without either nothing happens, and the answer says how it is written."""
    room_id = await team.stage.meet(ANNA)
    case = reference(await team.stage.ask(room_id, ANNA, "export"))
    (refusal,) = await team.says(DORA, said, case)
    assert answer in refusal
    assert await team.stage.states() == ["review"]
