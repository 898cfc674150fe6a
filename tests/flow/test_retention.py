"""What the bot no longer needs to know is gone, as it promised."""

from tests.flow.conftest import ANNA
from tests.flow.stage import Stage


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
