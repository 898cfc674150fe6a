"""Requests that did not come through Matrix: the bot keeps their time, and nobody is believed unseen."""

from tests.flow.conftest import ANNA
from tests.flow.stage import BOT, Stage, reference
from tests.flow.team import DORA, EMIL, Team

PAULA = "@paula:elsewhere.example"


async def test_a_letter_is_answered_by_letter(team: Team) -> None:
    """The time counts from the day on which it came; what Dora replies is kept, and she is told to send it."""
    stage = team.stage
    (opened,) = await team.says(DORA, f"open complaint {PAULA} post 2026-11-02")
    case = reference([opened])
    assert f"{case} is open: complaint (Art. 77), for `{PAULA}`, received by post on 2 November 2026" in opened
    assert "due by 2 December 2026" in opened
    assert "the request came by post, and the account is not on our server. Please tell them that way." in opened
    assert "Received 2 November 2026, due 2 December 2026: 10 days left" in team.card(case)
    assert "A first answer is due by 2 December 2026" in team.card(case)
    assert "Who asks: not verified: came by post" in team.card(case)

    (told,) = await team.says(DORA, "reply We are sorry. It will not happen again.", case)
    assert "t reach this person: the request came by post" in told
    assert "“We are sorry. It will not happen again.”" in told  # to be copied into the letter
    await stage.pass_time(minutes=1)
    assert [(row["direction"], row["author"]) for row in await stage.rows("case_message")] == [("reply", DORA)]
    assert "A first answer is due" not in team.card(case)

    (done,) = await team.says(DORA, "close", case)
    assert "Please tell them that way." in done
    assert await stage.states() == ["closed"]
    assert [room for room, known in stage.server.rooms.items() if PAULA in known.members] == []
    assert {row["user_id"] for row in await stage.rows("outbox")} == {team.room}  # nothing ever left for her


async def test_a_reply_that_was_to_be_posted_can_be_struck_out(team: Team) -> None:
    """However late: the bot has sent it to nobody."""
    case = reference(await team.says(DORA, f"open question {PAULA} phone 2026-11-20"))
    await team.says(DORA, "reply We are sorry.", case)
    await team.stage.pass_time(hours=1)
    (undone,) = await team.says(DORA, "undo", case)
    assert undone == f"Your newest reply in {case} is struck out; I had sent it to nobody."
    (refusal,) = await team.says(DORA, "close", case)
    assert f"nobody has answered {case} yet" in refusal


async def test_an_export_by_e_mail_is_verified_approved_and_delivered_in_a_new_chat(team: Team) -> None:
    """Anna never wrote to the bot: it opens an encrypted chat with her, and sends nothing until she is in it."""
    stage = team.stage
    (opened,) = await team.says(DORA, f"open export {ANNA} e-mail 2026-11-20")
    case = reference([opened])
    (room_id,) = [room for room, known in stage.server.rooms.items() if ANNA in known.members]
    assert stage.server.rooms[room_id].encrypted
    (told,) = stage.said(room_id)
    assert "A request in your name has reached us" in told
    assert "It came by e-mail, on 20 November 2026; our answer is due by 21 December 2026." in told
    assert "If that was not you, please tell us here at once." in told

    assert "Who asks: not verified: came by e-mail" in team.card(case)
    await team.says(DORA, "claim", case)
    assert "Next: find out who asks." in team.card(case)
    (refusal,) = await team.says(DORA, "approve", case)
    assert f"it is not known who asks in {case}, so nothing of the person can be given out" in refusal

    (verified,) = await team.says(DORA, "verify called back on the number in the account", case)
    assert f"`{DORA}` has established that {case} comes from `{ANNA}`" in verified
    assert "Who asks: verified by staff on 22 November 2026" in team.card(case)
    plan = await team.says(EMIL, "approve", case)
    assert "identity established; the request came by e-mail" in plan[0]
    await team.decides(EMIL, "approve", case)
    assert stage.files(room_id) == []  # she has not come yet
    assert await stage.states() == ["working"]

    stage.server.join(room_id, ANNA)
    await stage.settle()
    assert await stage.states() == ["delivered"]
    assert len(stage.files(room_id)) == 1
    assert stage.manifest(room_id)["person"] == ANNA
    assert _rooms_of_anna(stage) == 1


def _rooms_of_anna(stage: Stage) -> int:
    return sum(1 for room in stage.server.rooms.values() if {ANNA, BOT} == set(room.members))


async def test_a_request_in_somebodys_name_is_noticed_by_them(team: Team) -> None:
    """Anna did not write that letter; she says so, and Dora reads it in the case."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await team.says(DORA, f"open erasure {ANNA} post 2026-11-19"))
    assert "A request in your name has reached us" in stage.said(room_id)[-1]
    (answer,) = await stage.ask(room_id, ANNA, "That was not me!")
    assert f"I have added that to your request {case}" in answer
    assert "│ That was not me!" in team.thread(case)[-1]
    (refused, *_) = await team.says(DORA, "approve", case)
    assert "it is not known who asks" in refused


async def test_days_and_people_that_make_no_sense_open_nothing(team: Team) -> None:
    """Each with a sentence of its own."""
    said = {
        f"open export {PAULA} post 2026-11-23": "23 November 2026 is still to come",
        f"open export {PAULA} post 2019-11-23": "more than three years ago",
        f"open export {PAULA} post 2026-11": "the time for the answer counts from one day",
        f"open export {PAULA} pigeon 2026-11-20": "“pigeon” is not what belongs there",
        "open export paula post 2026-11-20": "“paula” is no user ID",
        f"open export {PAULA} post": "is missing",
    }
    for text, answer in said.items():
        (refusal,) = await team.says(DORA, text)
        assert answer in refusal, text
    assert await team.stage.rows("case") == []
