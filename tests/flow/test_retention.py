"""What the bot no longer needs to know is gone, as it promised."""

from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import BOT, Stage, reference
from tests.flow.team import DORA, Team


async def test_words_that_nobody_took_up_are_forgotten(stage: Stage) -> None:
    """The bot says until when it keeps them for an answer, and keeps to it."""
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "my neighbour reads my letters")
    assert [row["kind"] for row in await stage.rows("prompt") if row["kind"] != "choice"] == ["pass_on"]
    await stage.pass_time(days=1)
    await stage.bot.retention.once()
    assert [row["kind"] for row in await stage.rows("prompt") if row["kind"] != "choice"] == ["pass_on"]
    await stage.pass_time(days=1, minutes=1)
    await stage.bot.retention.once()
    assert await stage.rows("prompt") == []


async def test_after_ninety_days_nothing_tells_that_a_message_came(stage: Stage) -> None:
    """What was said is dropped when it is answered; that it was said, some months later."""
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "rights")
    assert {row["sealed"] for name in ("inbox", "outbox") for row in await stage.rows(name)} == {None}
    await stage.pass_time(days=89)
    await stage.bot.retention.once()
    assert len(await stage.rows("inbox")) > 0
    await stage.pass_time(days=2)
    await stage.bot.retention.once()
    assert (await stage.rows("inbox"), await stage.rows("outbox")) == ([], [])


async def test_after_a_year_the_bot_has_said_nothing_of_a_person(team: Team) -> None:
    """In the staff room it takes back its card, her words, her file; what Dora wrote is Dora's."""
    stage, server = team.stage, team.stage.server
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"complaint {BODY}"))
    server.attach(room_id, ANNA, b"evidence", "letter.pdf")
    await stage.settle()
    card, before = team.cards()[case], set(server.media)
    for words in ("a note", "claim", "show", "reply It will not happen again."):
        await team.says(DORA, words, case)
    await stage.pass_time(seconds=11)
    await team.says(DORA, "close", case)
    heard = len(server.heard(room_id, BOT))
    await stage.pass_time(days=364)
    await stage.bot.retention.once()
    assert case in team.cards()
    await stage.pass_time(days=2)
    await stage.bot.retention.once()
    said = "\n".join(str(event.content) for event in server.heard(team.room, BOT) if event.state_key is None)
    assert [word for word in (ANNA, BODY, "letter.pdf", case) if word in said] == []
    assert server.thread(card)[0].content["body"] == "a note"
    assert {event.sender for event in server.thread(card)} == {DORA}
    assert len(before - set(server.media)) == 1  # the bot's copy; what Anna has uploaded is hers
    assert len(server.heard(room_id, BOT)) >= heard
    assert [(row["person"], row["reference"]) for row in await stage.rows("case")] == [("expired", case)]
