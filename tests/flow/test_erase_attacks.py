"""Attacks on an erasure, each with the sentence that comes back: nothing of Anna's goes by somebody else's hand."""

from pathlib import Path
from typing import Any

import pytest

from dpobot.model.ids import EventId
from dpobot.model.words import Trust
from dpobot.store.database import Database
from tests.fakes.matrix import FakeServer
from tests.flow.conftest import ANNA, BERT, world
from tests.flow.leaving import at_home, confirmed, plan_code, shown
from tests.flow.stage import Stage, play, reference
from tests.flow.team import DORA, EMIL, Team

BY_POLICY: dict[str, Any] = {"policy": {"approve": ["export", "erasure"]}}


def _untouched(stage: Stage) -> bool:
    """Say whether Anna's account, file and words are as they were."""
    words = [event["content"] for room in stage.homeserver.rooms_held.values() for event in room.events]
    gone = stage.homeserver.accounts[ANNA].deactivated or {} in words
    return not gone and any(owner == ANNA for owner, _, _ in stage.homeserver._media.values())


async def test_the_code_of_another_persons_case(stage: Stage) -> None:
    """Bert's code confirms nothing of Anna's; nor does hers confirm anything in his room."""
    anna, bert = await at_home(stage), await at_home(stage, BERT)
    await shown(stage, anna)
    await shown(stage, bert, person=BERT)
    code = plan_code(stage.said(bert))
    for words in (code, f"erase {code}"):
        (answer,) = await stage.ask(anna, ANNA, words)
        assert "nothing has been confirmed" in answer or "I have done nothing" in answer
    assert await stage.states() == ["confirming", "confirming"]
    assert _untouched(stage)


async def test_a_code_of_staff(team: Team) -> None:
    """What Dora was shown in the staff room is not good in Anna's."""
    stage = team.stage
    room_id = await at_home(stage)
    case = await confirmed(stage, room_id)
    (plan,) = await team.says(DORA, "approve", case)
    code = plan.split("`approve ")[1][:6]
    await stage.ask(room_id, ANNA, code)
    assert await stage.states() == ["review"]


@pytest.mark.parametrize("key", ["✅", "👍", "✔\ufe0f"])
async def test_a_reaction_confirms_nothing(stage: Stage, key: str) -> None:
    """Reactions are not encrypted: whoever runs a server of the room can write them in Anna's name."""
    room_id = await at_home(stage)
    await shown(stage, room_id)
    plan = stage.server.heard(room_id, stage.bot.matrix.user_id)[-1]
    stage.server.react(room_id, ANNA, plan.event_id, key)
    await stage.settle()
    assert await stage.states() == ["confirming"]


@pytest.mark.parametrize("words", ["yes", "ok", "1"])
async def test_a_yes_confirms_nothing(stage: Stage, words: str) -> None:
    """Only the code does; a number picks other options, and the bot counts anew."""
    room_id = await at_home(stage)
    await shown(stage, room_id)
    await stage.ask(room_id, ANNA, words)
    assert await stage.states() == ["confirming"]


async def test_an_edit_confirms_nothing(stage: Stage) -> None:
    """An earlier message that is changed into the code is not followed."""
    room_id = await at_home(stage)
    event_id = stage.server.text(room_id, ANNA, "privacy")
    await stage.settle()
    await shown(stage, room_id)
    stage.server.edit(room_id, ANNA, EventId(event_id), plan_code(stage.said(room_id)))
    await stage.settle()
    assert await stage.states() == ["confirming"]


async def test_from_a_second_device_that_is_not_verified(stage: Stage) -> None:
    """Whoever reads along on an unverified device sees the code, and it does not help them."""
    room_id = await at_home(stage)
    await shown(stage, room_id)
    stage.server.devices[ANNA] = Trust.UNSIGNED
    (answer,) = await stage.ask(room_id, ANNA, plan_code(stage.said(room_id)))
    assert "verif" in answer
    assert await stage.states() == ["confirming"]


async def test_from_a_device_that_is_an_hour_old(stage: Stage) -> None:
    """Somebody took the account over an hour ago, with its recovery key: their device is signed, and too new."""
    room_id = await at_home(stage)
    stage.server.signing_keys[ANNA] = "of a burglar"
    await stage.ask(room_id, ANNA, "rights")
    await stage.pass_time(hours=1)
    said = await stage.ask(room_id, ANNA, "erase redact media without copy")
    assert "only a device that I have known for some time can go on with this" in said[-1]
    assert "I have counted" not in "\n".join(stage.said(room_id))
    await stage.pass_time(hours=1)
    assert "I have counted" not in "\n".join(stage.said(room_id))

    stage.server.signing_keys.pop(ANNA)  # Anna sees it on her own device
    (answer,) = await stage.ask(room_id, ANNA, "cancel")
    assert reference(said) in answer
    await stage.pass_time(days=9)
    assert await stage.states() == ["withdrawn"]
    assert _untouched(stage)


async def test_the_code_typed_on_a_new_device(stage: Stage) -> None:
    """Anna has the plan before her; the burglar types its code."""
    room_id = await at_home(stage)
    await shown(stage, room_id)
    stage.server.signing_keys[ANNA] = "of a burglar"
    (answer,) = await stage.ask(room_id, ANNA, plan_code(stage.said(room_id)))
    assert "I have done nothing: I have known the device that you are writing from only since" in answer
    assert await stage.states() == ["confirming"]


async def test_a_device_that_waited_goes_on_by_itself(stage: Stage) -> None:
    """Who speaks with the bot for the first time need not ask again: the plan comes when the device is known."""
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "erase without copy")
    await stage.pass_time(hours=24, minutes=1)
    assert "I have counted" in stage.said(room_id)[-1]


async def test_words_after_the_plan_was_shown(stage: Stage) -> None:
    """What Anna has sent since was not in the plan that the code stands for: a new plan, a new code."""
    club = stage.room("club", ANNA, "one")
    stage.homeserver.set_membership(club, BERT, "join")
    room_id = await at_home(stage)
    await shown(stage, room_id, "erase redact without copy")
    old = plan_code(stage.said(room_id))
    stage.homeserver.say(club, ANNA, "one more")
    said = await stage.ask(room_id, ANNA, old)
    assert "Something has changed since you saw the plan, so what you confirmed no longer holds." in said[-1]
    assert await stage.states() == ["confirming"]
    (refused,) = await stage.ask(room_id, ANNA, old)
    assert "I have done nothing" in refused or "used already" in refused
    said = await stage.ask(room_id, ANNA, plan_code(stage.said(room_id)))
    assert "You have confirmed the erasure" in said[-1]


async def test_codes_are_not_guessed(stage: Stage) -> None:
    """After a few wrong ones the right one is no longer good."""
    room_id = await at_home(stage)
    await shown(stage, room_id)
    right = plan_code(stage.said(room_id))
    for number in range(5):
        await stage.ask(room_id, ANNA, f"erase 2222{number + 2}2")
    await stage.ask(room_id, ANNA, right)
    assert await stage.states() == ["confirming"]


@pytest.mark.parametrize("sections", [{"policy": {"approve": []}}])
async def test_a_copy_that_is_still_open(team: Team) -> None:
    """In 2019 data was deleted while the access request was open; here it waits, also within the cooling-off."""
    stage = team.stage
    room_id = await at_home(stage)
    asked = reference(await stage.ask(room_id, ANNA, "access"))
    (answer,) = await stage.ask(room_id, ANNA, "erase without copy")
    assert asked in answer
    assert "As long as that is open, nothing of yours is erased." in answer


@pytest.mark.parametrize("sections", [BY_POLICY])
async def test_a_copy_asked_for_while_it_cools_off(team: Team) -> None:
    """The erasure is approved and due, and waits for the copy all the same."""
    stage = team.stage
    room_id = await at_home(stage)
    await confirmed(stage, room_id)
    await stage.ask(room_id, ANNA, "access")
    await stage.pass_time(days=3)
    assert _untouched(stage)
    assert "waits, and nothing has been erased" in "\n".join(stage.said(room_id))


@pytest.mark.parametrize("sections", [BY_POLICY])
async def test_a_legal_hold_while_it_cools_off(team: Team) -> None:
    """What was put on hold in the last minute stops it; staff and person hear so."""
    stage = team.stage
    room_id = await at_home(stage)
    case = await confirmed(stage, room_id)
    await team.says(DORA, "hold a court has asked", case)
    await stage.pass_time(days=3)
    assert _untouched(stage)
    assert await stage.states() == ["held"]
    (answer,) = await team.says(EMIL, "approve", case)
    assert "legal hold" in answer


@pytest.mark.parametrize("sections", [{"policy": {"second_approver": ["erasure"]}}])
async def test_one_approver_where_two_are_needed(team: Team) -> None:
    """Dora's second code is not a second person."""
    stage = team.stage
    room_id = await at_home(stage)
    case = await confirmed(stage, room_id)
    await team.decides(DORA, "approve", case)
    (answer,) = await team.says(DORA, "approve", case)
    assert "somebody else" in answer
    await stage.pass_time(days=3)
    assert await stage.states() == ["review"]
    assert _untouched(stage)


async def test_nobody_approves_before_the_person_has_confirmed(team: Team) -> None:
    """A plan that was only shown is not what Anna wants."""
    stage = team.stage
    room_id = await at_home(stage)
    case = await shown(stage, room_id)
    (answer,) = await team.says(DORA, "approve", case)
    assert "confirm" in answer or "code" in answer
    assert await stage.states() == ["confirming"]


async def test_a_policy_that_was_loosened_a_moment_ago(
    sqlite_database: Database, data: Path, server: FakeServer
) -> None:
    """Whoever gets at the configuration can't let erasures through, or shorten the wait, and act at once."""
    homeserver = world(server)
    async with play(sqlite_database, data, server, homeserver) as stage:
        room_id = await at_home(stage)
    loose = {**BY_POLICY, "erasure": {"cooling_off_hours": 0, "new_device_hours": 0, "loosening_hours": 0}}
    async with play(sqlite_database, data, server, homeserver, **loose) as stage:
        case = await confirmed(stage, room_id)
        assert await stage.states() == ["review"]
        (row,) = await stage.rows("erasure")
        assert (row["cooled_off_at"] - row["confirmed_at"]).total_seconds() >= 24 * 3600
        await stage.pass_time(hours=25)
        assert _untouched(stage)
        await stage.ask(room_id, ANNA, f"cancel {case}")
        case = await shown(stage, room_id)
        await stage.ask(room_id, ANNA, plan_code(stage.said(room_id)))
        assert f"The erasure {case} of your account and your data begins now." in stage.said(room_id)[-1]  # it counts


@pytest.mark.parametrize("sections", [{**BY_POLICY, "erasure": {"daily_cap": 1}}])
async def test_no_more_in_a_day_than_the_cap(team: Team) -> None:
    """Two are due at the same time: one begins, the other waits a day."""
    stage = team.stage
    for person in (ANNA, BERT):
        await confirmed(stage, await at_home(stage, person), person=person)
    await stage.pass_time(hours=26)
    for _ in range(6):
        await stage.pass_time(minutes=1)
    accounts = stage.homeserver.accounts
    assert sorted((accounts[ANNA].erased, accounts[BERT].erased)) == [False, True]
    for _ in range(8):
        await stage.pass_time(hours=4)
    assert (accounts[ANNA].erased, accounts[BERT].erased) == (True, True)
