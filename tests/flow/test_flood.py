"""Somebody writes faster than anybody reads: nothing is lost, the order stays, others are served meanwhile."""

from tests.flow.conftest import ANNA, BERT
from tests.flow.planted import BODY
from tests.flow.stage import Stage

SECTIONS = ("privacy 1", "privacy 2")


async def test_three_hundred_messages_at_once(stage: Stage) -> None:
    """One sentence asks for patience; all are answered in their order; Bert does not wait."""
    room_id = await stage.meet(ANNA)
    asked = ["rights" if number % 3 else "cases" for number in range(300)]
    for text in asked:
        stage.server.text(room_id, ANNA, text)
    await stage.settle()
    now = len(stage.said(room_id))
    assert now < 100
    assert len(await stage.ask(await stage.meet(BERT), BERT, "rights")) == 1
    for _ in range(8):
        await stage.pass_time(minutes=1)
    said = stage.said(room_id)[1:]
    answers = [
        "rights" if "eight rights" in sentence else "cases" for sentence in said if "faster than" not in sentence
    ]
    assert answers == asked
    assert len(said) - len(answers) == 1
    assert {row["state"] for row in await stage.rows("inbox")} == {"done"}


async def test_a_flood_of_requests_opens_one_case(stage: Stage) -> None:
    """Forty times the same wish is one wish."""
    room_id = await stage.meet(ANNA)
    for _ in range(40):
        stage.server.text(room_id, ANNA, "export")
    await stage.settle()
    await stage.pass_time(minutes=2)
    assert await stage.states() == ["delivered"]
    assert len(stage.files(room_id)) == 1


async def test_free_text_is_offered_to_a_human_and_passed_on(stage: Stage) -> None:
    """What the bot does not understand is kept until the person says yes, and then belongs to a case."""
    room_id = await stage.meet(ANNA)
    (offer,) = await stage.ask(room_id, ANNA, f"the {BODY} was strange lately")
    assert "pass your words on" in offer
    assert await stage.rows("case") == []
    (passed,) = await stage.ask(room_id, ANNA, "yes")
    assert "DPO-" in passed
    assert [case["kind"] for case in await stage.rows("case")] == ["question"]
    assert len(await stage.rows("case_message")) == 1
    (added,) = await stage.ask(room_id, ANNA, f"and {BODY} again")
    assert "added that" in added
    assert len(await stage.rows("case_message")) == 2


async def test_free_text_that_is_not_to_be_passed_on_is_forgotten(stage: Stage) -> None:
    """No means no."""
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, f"the {BODY} was strange lately")
    (answer,) = await stage.ask(room_id, ANNA, "no")
    assert "forgotten your words" in answer
    assert await stage.rows("case_message") == []
    assert [row["sealed"] for row in await stage.rows("prompt") if row["kind"] == "pass_on"] == [None]


async def test_an_edit_changes_nothing_that_was_taken(stage: Stage) -> None:
    """A request can't be altered afterwards, and the person hears so."""
    room_id = await stage.meet(ANNA)
    first = stage.server.text(room_id, ANNA, "rights")
    await stage.settle()
    edit = {
        "msgtype": "m.text",
        "body": "* export",
        "m.new_content": {"msgtype": "m.text", "body": "export"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": first},
    }
    stage.server.say(room_id, ANNA, edit)
    await stage.settle()
    assert "changed an earlier message" in stage.said(room_id)[-1]
    assert await stage.rows("case") == []


async def test_a_file_is_answered_and_its_caption_kept(stage: Stage) -> None:
    """Nobody may think that a file was read."""
    room_id = await stage.meet(ANNA)
    content = {"msgtype": "m.image", "filename": "saffronledger.pdf", "body": f"look at the {BODY}", "file": {}}
    stage.server.say(room_id, ANNA, content)
    await stage.settle()
    taken, offer = stage.said(room_id)[1:]
    assert "have not taken your file" in taken
    assert "pass your words on" in offer


async def test_odd_content_is_answered_like_anything_else(stage: Stage) -> None:
    """Bodies of the wrong type, none at all, markup, control characters: a sentence each, and the bot lives."""
    room_id = await stage.meet(ANNA)
    odd: list[dict[str, object]] = [
        {},
        {"msgtype": 7, "body": ["list"]},
        {"msgtype": "m.text", "body": None},
        {"msgtype": "m.text", "body": "<script>alert(1)</script>"},
        {"msgtype": "m.text", "body": "\u202e\x00\x07" * 50},
        {"msgtype": "m.text", "body": "export " + "x" * 60_000},
        {"msgtype": "m.text", "body": "rights", "m.relates_to": "nothing"},
        {"msgtype": "m.file", "body": {"a": 1}, "filename": 5},
    ]
    for content in odd:
        stage.server.say(room_id, ANNA, content)
        await stage.settle()
    await stage.pass_time(minutes=10)
    assert {row["state"] for row in await stage.rows("inbox")} == {"done"}
    assert len(await stage.ask(room_id, ANNA, "rights")) == 1
