"""Anna leaves: a copy first, a plan, a code, a day, two colleagues of the DPO team, and a receipt that Bert fetches."""

import json
from typing import Any

import pytest

from dpobot.errors import Rejected, Unavailable
from dpobot.model.ids import RoomId
from dpobot.receipt import check, codes, key
from dpobot.receipt.codes import subject_of
from tests.flow.conftest import ANNA, BERT
from tests.flow.leaving import at_home, confirmed, plan_code, receipt_code, shown
from tests.flow.stage import BOT, Stage, reference
from tests.flow.team import DORA, EMIL, Team

SECOND = {"policy": {"second_approver": ["erasure"]}}


def _life(stage: Stage) -> tuple[RoomId, RoomId]:
    """Let Anna share a room with Bert, and have one of her own."""
    shared = stage.room("club", ANNA, "one", "two", "three")
    stage.homeserver.set_membership(shared, BERT, "join")
    stage.homeserver.say(shared, BERT, "an answer")
    return shared, stage.room("diary", ANNA, "dear diary")


def _contents(stage: Stage, room_id: RoomId, person: str) -> list[Any]:
    """Return what is left of a person's events; the redactions themselves aside."""
    events = [event for event in stage.homeserver.rooms_held[room_id].events if event["type"] == "m.room.message"]
    return [event["content"] for event in events if event["sender"] == person]


@pytest.mark.parametrize("sections", [SECOND])
async def test_from_the_first_word_to_the_receipt(team: Team) -> None:
    """Nothing goes before all of them have said so, and then everything goes that the plan said."""
    stage = team.stage
    shared, diary = _life(stage)
    room_id = await at_home(stage)

    (offer,) = await stage.ask(room_id, ANNA, "delete my account")
    assert "do you want a copy of your data to keep?" in offer
    assert await stage.rows("case") == []
    await stage.ask(room_id, ANNA, "1")
    assert len(stage.files(room_id)) == 1
    (waits,) = await stage.ask(room_id, ANNA, "erase redact media")
    assert "you have not told me that you have saved it" in waits
    await stage.ask(room_id, ANNA, "received")

    case = await shown(stage, room_id, "erase redact media")
    plan = stage.said(room_id)[-1]
    assert "Everything that you have sent to rooms with others, reactions and stickers included: 3" in plan
    assert "Rooms in which nobody but you has ever been, with everything in them: 1" in plan
    said = await stage.ask(room_id, ANNA, plan_code([plan]))
    assert "A person of the DPO team decides about it" in said[-1]

    await team.decides(DORA, "approve", case)
    assert await _state(stage, case) == "review"
    await team.decides(EMIL, "approve", case)
    assert await _state(stage, case) == "approved"
    await stage.pass_time(hours=23)
    assert "A reminder: the erasure" in stage.said(room_id)[-1]
    assert len(_contents(stage, shared, ANNA)) == 3
    assert {} not in _contents(stage, shared, ANNA)

    await stage.pass_time(hours=2)
    last = stage.said(room_id)[-1]
    assert "begins now. It can no longer be undone." in last
    assert await _state(stage, case) == "closed"
    assert _contents(stage, shared, ANNA) == [{}, {}, {}]
    assert _contents(stage, shared, BERT) == [{"msgtype": "m.text", "body": "an answer"}]
    assert diary not in stage.homeserver.rooms_held
    account = stage.homeserver.accounts[ANNA]
    assert (account.deactivated, account.erased) == (True, True)
    assert (await stage.homeserver.media(ANNA)).items == ()
    assert len((await stage.homeserver.media(BERT)).items) == 1

    receipt = await _fetched(stage, receipt_code([last]))
    checked = check.verify(receipt, key.load(stage.data).public)
    assert (checked.case, checked.counts["messages"], checked.counts["rooms"]) == (case, 3, 1)
    assert checked.subject == subject_of(receipt_code([last]), ANNA)
    assert [word for word in (str(ANNA), str(BERT), "club", "dear") if word in receipt] == []


async def test_a_person_takes_it_back_within_the_day(team: Team) -> None:
    """`cancel` works until the first irreversible step, also when staff have approved; nothing has gone."""
    stage = team.stage
    shared, _ = _life(stage)
    room_id = await at_home(stage)
    case = await confirmed(stage, room_id, "erase redact without copy")
    await team.decides(DORA, "approve", case)
    await stage.pass_time(hours=20)
    (answer,) = await stage.ask(room_id, ANNA, "cancel")
    assert case in answer
    await stage.pass_time(days=3)
    assert await _state(stage, case) == "withdrawn"
    assert len([content for content in _contents(stage, shared, ANNA) if content]) == 3
    assert not stage.homeserver.accounts[ANNA].deactivated


async def test_what_is_forgotten_without_options(team: Team) -> None:
    """Who was there keeps what Anna said; her own room, and the account, are gone (privacy notice 2.1.3)."""
    stage = team.stage
    shared, diary = _life(stage)
    room_id = await at_home(stage)
    case = await confirmed(stage, room_id)
    await team.decides(DORA, "approve", case)
    await stage.pass_time(days=2)
    assert await _state(stage, case) == "closed"
    assert len([content for content in _contents(stage, shared, ANNA) if content]) == 3
    assert diary not in stage.homeserver.rooms_held
    assert stage.homeserver.accounts[ANNA].erased


async def test_a_room_that_refuses_makes_it_partial(team: Team) -> None:
    """The rest is done, the account lives, the thread says what failed, and `retry` does what was left."""
    stage = team.stage
    shared, diary = _life(stage)
    room_id = await at_home(stage)
    case = await confirmed(stage, room_id, "erase redact without copy")
    await team.decides(DORA, "approve", case)
    stage.homeserver.fault("redact", Rejected("M_FORBIDDEN", 403))
    await stage.pass_time(days=2)
    assert await _state(stage, case) == "partial"
    assert len([content for content in _contents(stage, shared, ANNA) if content]) == 3
    assert diary not in stage.homeserver.rooms_held
    assert not stage.homeserver.accounts[ANNA].deactivated
    assert "`retry`" in team.card(case)

    await team.says(DORA, "retry", case)
    assert await _state(stage, case) == "closed"
    assert _contents(stage, shared, ANNA) == [{}, {}, {}]
    assert stage.homeserver.accounts[ANNA].erased


async def test_the_receipt_is_not_ready_before_all_is_checked(team: Team) -> None:
    """Whoever has the code hears so; a code that nobody has given out leads nowhere."""
    stage = team.stage
    _life(stage)
    room_id = await at_home(stage)
    case = await confirmed(stage, room_id, "erase redact without copy")
    await team.decides(DORA, "approve", case)
    stage.homeserver.fault("redact", *[Unavailable("connection_lost")] * 3)
    await stage.pass_time(days=1, minutes=1)
    code = receipt_code(stage.said(room_id))
    bert = await stage.meet(BERT)
    (answer,) = await stage.ask(bert, BERT, f"receipt {code}")
    assert "is not over yet" in answer
    (unknown,) = await stage.ask(bert, BERT, f"receipt {codes.new_code()}")
    assert case not in unknown


async def test_by_post(team: Team) -> None:
    """A locked account can't type codes: staff make sure who asked, choose what is asked for, and pass the code on."""
    stage = team.stage
    shared, _ = _life(stage)
    day = f"{stage.server.now:%Y-%m-%d}"
    case = reference(await team.says(DORA, f"open erasure {ANNA} post {day}"))
    (refused,) = await team.says(DORA, "approve", case)
    assert "verify" in refused
    await team.says(DORA, "verify called the number on the account", case)
    await team.says(DORA, "plan redact media", case)
    await team.decides(EMIL, "approve", case)
    assert await _state(stage, case) == "approved"
    await stage.pass_time(days=2)
    assert await _state(stage, case) == "closed"
    assert _contents(stage, shared, ANNA) == [{}, {}, {}]
    code = receipt_code(team.thread(case))
    assert json.loads(await _fetched(stage, code))["case"] == case


async def _state(stage: Stage, case: str) -> str:
    """Return where a case stands once its jobs have had the minutes for which they wait."""
    for _ in range(6):
        await stage.pass_time(minutes=1)
    (row,) = [row for row in await stage.rows("case") if row["reference"] == case]
    return str(row["state"])


async def _fetched(stage: Stage, code: str) -> str:
    """Let Bert, who has nothing to do with it but the code, fetch a receipt; return its bytes as text."""
    room_id = await stage.meet(BERT)
    await stage.ask(room_id, BERT, f"receipt {code}")
    sent = [event.content for event in stage.server.heard(room_id, BOT) if "file" in event.content]
    (receipt,) = [content for content in sent if content["body"].endswith(".json")]
    return stage.server.media[receipt["file"]["url"]].decode()
