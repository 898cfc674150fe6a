"""Something goes wrong on our side: the person hears it once, with a number, and the bot goes on."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from dpobot.commands.desk import Desk
from dpobot.errors import Unavailable
from dpobot.model.records import Incoming, Reply
from dpobot.store.database import Tx
from tests.flow.conftest import ANNA, BERT
from tests.flow.planted import BODY
from tests.flow.stage import Stage


class Broken:
    """A desk that breaks on every message with one word in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        serve = Desk.serve

        async def broken(desk: Desk, tx: Tx, now: datetime, incoming: Incoming) -> Sequence[Reply]:
            if BODY not in incoming.body:
                return await serve(desk, tx, now, incoming)
            self.calls += 1
            await serve(desk, tx, now, incoming)
            raise KeyError(incoming.body)

        monkeypatch.setattr(Desk, "serve", broken)


async def test_a_defect_is_told_after_five_attempts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A neutral sentence with a number that is in the log, too; what the command had begun is undone."""
    broken = Broken(monkeypatch)
    room_id = await stage.meet(ANNA)
    assert await stage.ask(room_id, ANNA, f"complaint {BODY}") == []
    for _ in range(6):
        await stage.pass_time(minutes=1)
    (sentence,) = stage.said(room_id)[1:]
    assert broken.calls == 5
    assert "Something went wrong on our side" in sentence
    assert BODY not in sentence
    assert await stage.rows("case") == []
    assert [row["state"] for row in await stage.rows("inbox")] == ["done", "failed"]


async def test_the_number_leads_to_the_log(stage: Stage, monkeypatch: pytest.MonkeyPatch, logged: list[str]) -> None:
    """Whoever reads the log finds the place by what the person quotes."""
    Broken(monkeypatch)
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, BODY)
    for _ in range(6):
        await stage.pass_time(minutes=1)
    number = stage.said(room_id)[-1].split()[-1].strip("`.")
    assert len(number) == 8
    assert any(number in line for line in logged)


async def test_later_messages_and_others_are_served(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bert is served at once, Anna's next message after the broken one is given up."""
    Broken(monkeypatch)
    room_id = await stage.meet(ANNA)
    stage.server.text(room_id, ANNA, BODY)
    stage.server.text(room_id, ANNA, "rights")
    await stage.settle()
    assert len(await stage.ask(await stage.meet(BERT), BERT, "rights")) == 1
    for _ in range(6):
        await stage.pass_time(minutes=1)
    error, rights = stage.said(room_id)[1:]
    assert "Something went wrong" in error
    assert "eight rights" in rights


async def test_a_database_that_is_away_is_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction goes through for a while: the message is answered afterwards, once."""
    room_id = await stage.meet(ANNA)
    times = iter(range(3))

    async def away(*_: object) -> Sequence[Reply]:
        next(times)
        raise Unavailable("database")

    with monkeypatch.context() as patch:
        patch.setattr(Desk, "serve", away)
        assert await stage.ask(room_id, ANNA, "rights") == []
    await stage.pass_time(minutes=1)
    assert len(stage.said(room_id)) == 2


async def test_an_answer_that_can_not_be_sent_holds_up_nothing_for_good(stage: Stage) -> None:
    """A defect in sending is tried ten times; then Anna's later answers come all the same."""
    room_id = await stage.meet(ANNA)
    stage.server.faults["send"] = [ValueError(BODY) for _ in range(10)]
    assert await stage.ask(room_id, ANNA, "cases") == []
    stage.server.text(room_id, ANNA, "rights")
    for _ in range(14):
        await stage.pass_time(minutes=11)
    (answer,) = stage.said(room_id)[1:]
    assert "eight rights" in answer
    assert [row["state"] for row in await stage.rows("outbox")] == ["sent", "failed", "sent"]


async def test_a_homeserver_that_is_away_for_a_day_is_waited_for(stage: Stage) -> None:
    """The answer comes when the server does; nothing is given up."""
    room_id = await stage.meet(ANNA)
    stage.server.faults["send"] = stage.away(40)
    await stage.ask(room_id, ANNA, "rights")
    for _ in range(48):
        await stage.pass_time(minutes=30)
    assert len(stage.said(room_id)) == 2
