"""Two of the team do the same, or the opposite, at the same moment: one wins, the other is told who."""

from typing import Any

import pytest

from dpobot.audit import chain
from dpobot.model.ids import RoomId, UserId
from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import reference
from tests.flow.team import DORA, EMIL, Team, code

OTHER = {DORA: EMIL, EMIL: DORA}


@pytest.fixture
def sections() -> dict[str, Any]:
    """People decide about everything."""
    return {"policy": {"approve": []}}


async def _export(team: Team) -> tuple[RoomId, str]:
    room_id = await team.stage.meet(ANNA)
    return room_id, reference(await team.stage.ask(room_id, ANNA, "export"))


async def test_two_claim_at_once(team: Team) -> None:
    """The case belongs to one of them; the other reads to whom."""
    _, case = await _export(team)
    said = await team.together(case, (DORA, "claim"), (EMIL, "claim"))
    (row,) = await team.stage.rows("case")
    winner = UserId(row["assignee"])
    assert sorted(said) == sorted(
        [
            f"{case} is yours now, `{winner}`.",
            f"I did nothing: `{winner}` has {case} already. If it shall be yours: `assign me`",
        ]
    )
    assert f"Assigned to: `{winner}`" in team.card(case)


async def test_two_approve_at_once(team: Team) -> None:
    """The archive is made once; who was slower reads by whom it was approved."""
    stage = team.stage
    room_id, case = await _export(team)
    codes = {member: code(await team.says(member, "approve", case)) for member in (DORA, EMIL)}
    said = await team.together(case, *((member, f"approve {typed}") for member, typed in codes.items()))
    (row,) = [row for row in await stage.rows("audit") if row["action"] == "case.approved"]
    (approved,) = [sentence for sentence in said if f"{case} is approved, by `{row['actor']}`." in sentence]
    (refusal,) = [sentence for sentence in said if sentence.startswith("I did nothing")]
    assert f"It was approved by `{row['actor']}`" in refusal
    assert "The work begins now." in approved
    assert await stage.states() == ["delivered"]
    assert len(stage.files(room_id)) == 1
    assert (await stage.database.read(chain.verify)).holds


async def test_one_approves_while_the_other_refuses(team: Team) -> None:
    """One of the two happens, whole; the person hears of that one alone."""
    stage = team.stage
    room_id, case = await _export(team)
    approving = code(await team.says(DORA, "approve", case))
    refusing = code(await team.says(EMIL, "refuse no_data There is nothing here of yours.", case))
    before = len(stage.said(room_id))
    said = await team.together(case, (DORA, approving), (EMIL, refusing))
    heard = "\n".join(stage.said(room_id)[before:])
    (state,) = await stage.states()
    (refusal,) = [sentence for sentence in said if sentence.startswith("I did nothing")]
    assert (state, "is approved" in heard, "refuse it" in heard) in (
        ("delivered", True, False),
        ("refused", False, True),
    )
    winner, word = (DORA, "approved") if state == "delivered" else (EMIL, "refused")
    assert f"It was {word} by `{winner}`" in refusal
    assert len(stage.files(room_id)) == (state == "delivered")


async def test_two_refuse_at_once(team: Team) -> None:
    """The person reads one of the two sentences."""
    stage = team.stage
    room_id, case = await _export(team)
    codes = {member: code(await team.says(member, f"refuse other {member} says no.", case)) for member in (DORA, EMIL)}
    said = await team.together(case, *codes.items())
    (row,) = [row for row in await stage.rows("audit") if row["action"] == "case.refused"]
    winner = UserId(row["actor"])
    (refusal,) = [sentence for sentence in said if sentence.startswith("I did nothing")]
    assert f"It was refused by `{winner}`" in refusal
    assert f"{winner} says no." in stage.said(room_id)[-1]
    assert str(OTHER[winner]) not in "\n".join(stage.said(room_id))


async def test_two_reply_at_once(team: Team) -> None:
    """Nothing is wrong with that: the person reads both, each once."""
    stage = team.stage
    room_id, case = await _export(team)
    before = len(stage.said(room_id))
    await team.together(case, (DORA, "reply It takes a day."), (EMIL, "reply It takes two days."))
    await stage.pass_time(seconds=11)
    heard = stage.said(room_id)[before:]
    assert len(heard) == 2
    assert [sum(words in sentence for sentence in heard) for words in ("takes a day", "takes two days")] == [1, 1]


async def test_a_person_takes_it_back_while_it_is_approved(team: Team) -> None:
    """Whichever comes first, the bot contradicts neither: there is an archive or there is none."""
    stage = team.stage
    room_id, case = await _export(team)
    typed = code(await team.says(DORA, "approve", case))
    stage.server.text(room_id, ANNA, "cancel")
    said = await team.together(case, (DORA, typed))
    (state,) = await stage.states()
    told = f"It was withdrawn by `{ANNA}`" in said[0]
    assert (state, len(stage.files(room_id)), told) in (("withdrawn", 0, True), ("delivered", 1, False))


_TWO = {"policy": {"approve": [], "second_approver": ["export"]}}


@pytest.mark.parametrize("sections", [_TWO])
async def test_two_must_approve_and_one_person_is_not_two(team: Team) -> None:
    """Dora's second approval is refused; Emil's lets the work begin."""
    stage = team.stage
    room_id, case = await _export(team)
    plan = await team.says(DORA, "approve", case)
    assert "Two must approve this; yours would be the first." in plan[0]
    (first,) = await team.says(DORA, code(plan), case)
    assert f"`{DORA}` has approved {case}. Two must approve this kind of request, so nothing begins yet" in first
    assert (await stage.states(), stage.files(room_id)) == (["review"], [])
    assert "1 approval so far" in team.card(case)

    (own,) = await team.says(DORA, "approve", case)
    assert f"you have approved {case} already. The second approval must come from somebody else." in own

    plan = await team.says(EMIL, "approve", case)
    assert f"Two must approve this. `{DORA}` has done so; yours would be the second." in plan[0]
    (second, *_) = await team.says(EMIL, code(plan), case)
    assert f"{case} is approved, by `{DORA}` and `{EMIL}`. The work begins now." in second
    assert await stage.states() == ["delivered"]
    assert len(stage.files(room_id)) == 1


@pytest.mark.parametrize("sections", [_TWO])
async def test_the_same_person_can_not_approve_twice_with_two_codes(team: Team) -> None:
    """Also not with two codes that she was given before either was used, both typed at once."""
    _, case = await _export(team)
    codes = [code(await team.says(DORA, "approve", case)) for _ in range(2)]
    said = await team.together(case, *((DORA, typed) for typed in codes))
    assert [sentence.startswith(f"`{DORA}` has approved") for sentence in said] == [True, False]
    assert "I did nothing" in said[1]
    assert await team.stage.states() == ["review"]


@pytest.mark.parametrize("sections", [_TWO])
async def test_a_plan_that_changes_between_two_approvals_voids_the_first(team: Team) -> None:
    """What Dora approved had no file of the shop in it: both must approve what there is now."""
    stage = team.stage
    room_id, case = await _export(team)
    await team.decides(DORA, "approve", case)
    stale = code(await team.says(EMIL, "approve", case))
    await team.sends(EMIL, f"{BODY};1".encode(), "shop.csv", case)
    await team.says(EMIL, "attach", case)

    (changed, *_) = await team.says(EMIL, stale, case)
    assert "things have changed since you were shown what would happen. Look at it anew: `approve`" in changed
    assert await stage.states() == ["review"]

    plan = await team.says(EMIL, "approve", case)
    assert "1 file of staff goes into the archive" in plan[0]
    assert "yours would be the first" in plan[0]
    await team.says(EMIL, code(plan), case)
    assert await stage.states() == ["review"]
    await team.decides(DORA, "approve", case)
    assert await stage.states() == ["delivered"]
    assert len(stage.files(room_id)) == 1
