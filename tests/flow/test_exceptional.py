"""A room that puts people at material risk: a worksheet, two who agree, a count, two who approve, and it is gone."""

import json

from dpobot.model.ids import RoomId
from tests.flow.conftest import ANNA, BERT
from tests.flow.leaving import at_home, confirmed, receipt_code
from tests.flow.planted import BODY
from tests.flow.stage import BOT, Stage, reference
from tests.flow.team import DORA, EMIL, Team, code

_FACTORS = ("assess nature high a home address", "assess others low their family", "assess degree high threats")


def _club(stage: Stage) -> RoomId:
    """Let Anna and Bert share a room whose topic Anna has set; she has another room besides."""
    club = stage.room("club", ANNA, "one", "two")
    stage.homeserver.set_membership(club, BERT, "join")
    stage.homeserver.send(club, ANNA, {"topic": f"{BODY} of the club"}, "m.room.topic", state_key="")
    stage.room("choir", ANNA, "a song")
    return club


async def _assessed(team: Team, case: str, conclusion: str = "grant") -> None:
    """Let Dora fill the worksheet in, and Emil agree to it."""
    for line in (*_FACTORS, f"assess conclude {conclusion} the risk is real"):
        await team.says(DORA, line, case)
    await team.decides(EMIL, "assess agree", case)


async def _by_post(team: Team) -> str:
    """Let a letter of Anna's be a case, and Dora know that it is hers."""
    case = reference(await team.says(DORA, f"open erasure {ANNA} post {team.stage.server.now:%Y-%m-%d}"))
    await team.says(DORA, "verify called the number on the account", case)
    return case


async def _minutes(stage: Stage) -> None:
    """Let the jobs have the minutes for which they wait."""
    for _ in range(5):
        await stage.pass_time(minutes=1)


async def test_a_room_that_a_letter_is_about(team: Team) -> None:
    """Nobody gets around the worksheet, and nobody approves alone; then the room is gone, and nothing but the room."""
    stage = team.stage
    club = _club(stage)
    case = await _by_post(team)
    order = f"exceptional room {club}"
    (refused,) = await team.says(DORA, order, case)
    assert "an exceptional erasure needs a worksheet that concludes to erase" in refused
    for line in (*_FACTORS, "assess conclude grant the risk is real"):
        await team.says(DORA, line, case)
    (alone,) = await team.says(DORA, "assess agree", case)
    assert "Somebody else must agree to it." in alone
    (refused,) = await team.says(DORA, order, case)
    assert "- Somebody else agrees with `assess agree`" in refused
    await team.decides(EMIL, "assess agree", case)

    answer, counted = await team.says(DORA, order, case)
    assert f"It would only erase: the whole room `{club}`, for everybody in it" in answer
    assert "Others in that room: 1 now, 1 ever" in counted
    assert "2 messages and the like, 1 state events" in counted
    (plan,) = await team.says(DORA, "approve", case)
    assert "Two must approve this; yours would be the first." in plan
    await team.says(DORA, code([plan]), case)
    (again,) = await team.says(DORA, "approve", case)
    assert "The second approval must come from somebody else." in again
    (borrowed,) = await team.says(EMIL, f"approve {code([plan])}", case)
    assert f"this code was given to `{DORA}`" in borrowed
    await stage.pass_time(days=2)
    assert club in stage.homeserver.rooms_held

    (plan,) = await team.says(EMIL, "approve", case)
    assert f"`{DORA}` has done so; yours would be the second." in plan
    await team.says(EMIL, code([plan]), case)
    await stage.pass_time(hours=23)
    assert club in stage.homeserver.rooms_held
    await stage.pass_time(hours=2)
    await _minutes(stage)
    assert await stage.states() == ["closed"]
    assert list(stage.homeserver.rooms_held) == ["!choir:dpobot.test"]
    _all_but_the_room(stage)
    (checked,) = [said for said in team.thread(case) if "was checked" in said]  # the board's own line may come after it
    assert "What was to go is gone." in checked
    assert "This is left" not in checked

    receipt = await _receipt(stage, receipt_code(team.thread(case)))
    assert (json.loads(receipt)["case"], json.loads(receipt)["counts"]["rooms"]) == (case, 1)
    assert club not in receipt


async def test_what_a_person_has_confirmed_becomes_something_else(team: Team) -> None:
    """Anna asks for all, and staff erase what she set in one room: it is their plan then, and she keeps her account."""
    stage = team.stage
    club = _club(stage)
    room_id = await at_home(stage)
    case = await confirmed(stage, room_id, "erase redact media without copy")
    await _assessed(team, case)
    (refused,) = await team.says(DORA, "exceptional state club", case)
    assert "club" in refused
    _, counted = await team.says(DORA, f"exceptional state {club}", case)
    assert "1 state events" in counted
    await team.decides(DORA, "approve", case)
    await team.decides(EMIL, "approve", case)
    assert "your account" not in stage.said(room_id)[-1]
    await stage.pass_time(hours=23)
    reminder = stage.said(room_id)[-1]
    assert "Your account stays as it is." in reminder
    await stage.pass_time(hours=2)
    last = stage.said(room_id)[-1]
    assert "what you have set in the room that it is about is taken back. Your account stays as it is." in last
    await _minutes(stage)
    assert await stage.states() == ["closed"]
    events = stage.homeserver.rooms_held[club].events
    assert [event for event in events if event["content"].get("topic")] == []
    assert [event["content"]["body"] for event in events if "body" in event["content"]] == [
        f"{BODY} one",
        f"{BODY} two",
    ]
    _all_but_the_room(stage)
    receipt = await _receipt(stage, receipt_code([last]))
    assert json.loads(receipt)["counts"] == {"state": 1}


async def test_a_worksheet_that_concludes_to_keep_the_data(team: Team) -> None:
    """Both have agreed that it stays: no room goes; a factor that is weighed anew voids both their words."""
    stage = team.stage
    club = _club(stage)
    case = await _by_post(team)
    await _assessed(team, case, "refuse")
    (refused,) = await team.says(DORA, f"exceptional room {club}", case)
    assert "an exceptional erasure needs a worksheet that concludes to erase" in refused
    await _assessed(team, case)
    await team.says(EMIL, "assess degree low it was a joke", case)
    (refused,) = await team.says(DORA, f"exceptional room {club}", case)
    assert "an exceptional erasure needs a worksheet that concludes to erase" in refused
    (plan,) = await team.says(DORA, "approve", case)
    assert "Exceptional" not in plan


async def test_another_room_between_the_two(team: Team) -> None:
    """What Dora approved is not what Emil sees: his code is void, and hers counts no more."""
    stage = team.stage
    club = _club(stage)
    case = await _by_post(team)
    await _assessed(team, case)
    await team.says(DORA, f"exceptional room {club}", case)
    await team.decides(DORA, "approve", case)
    (shown,) = await team.says(EMIL, "approve", case)
    await team.says(DORA, "exceptional room !choir:dpobot.test", case)
    (refused,) = await team.says(EMIL, code([shown]), case)
    assert "things have changed since you were shown what would happen" in refused

    stage.homeserver.set_membership(RoomId("!choir:dpobot.test"), BERT, "join")
    (shown,) = await team.says(EMIL, "approve", case)
    assert "Others in that room: 0 now, 0 ever" in shown
    await team.says(DORA, "exceptional room !choir:dpobot.test", case)
    (refused,) = await team.says(EMIL, code([shown]), case)
    assert "things have changed since you were shown what would happen" in refused
    (shown,) = await team.says(EMIL, "approve", case)
    assert "Others in that room: 1 now, 1 ever" in shown
    assert "Two must approve this; yours would be the first." in shown

    other = reference(await team.says(DORA, f"open erasure {BERT} post {stage.server.now:%Y-%m-%d}"))
    await team.says(DORA, "verify called him, too", other)
    (refused,) = await team.says(EMIL, f"approve {code([shown])}", other)
    assert f"this code belongs to {case}" in refused
    await stage.pass_time(days=3)
    assert await stage.states() == ["review", "review"]
    assert len(stage.homeserver.rooms_held) == 2


def _all_but_the_room(stage: Stage) -> None:
    """Anna's account, file and other room are as they were."""
    account = stage.homeserver.accounts[ANNA]
    assert (account.deactivated, account.erased) == (False, False)
    assert [owner for owner, _, _ in stage.homeserver._media.values()] == [ANNA, BERT]
    choir = stage.homeserver.rooms_held["!choir:dpobot.test"]
    assert [event["content"]["body"] for event in choir.events if "body" in event["content"]] == [f"{BODY} a song"]


async def _receipt(stage: Stage, receipt: str) -> str:
    """Let Bert, who has nothing but the code, fetch a receipt."""
    room_id = await stage.meet(BERT)
    await stage.ask(room_id, BERT, f"receipt {receipt}")
    sent = [event.content for event in stage.server.heard(room_id, BOT) if "file" in event.content]
    (found,) = [content for content in sent if content["body"].endswith(".json")]
    return stage.server.media[found["file"]["url"]].decode()
