"""A message that can't be read is answered all the same; should its key come later, it is dealt with once."""

from pathlib import Path

from dpobot.model.ids import RoomId
from dpobot.store.database import Database
from tests.fakes.matrix import FakeServer
from tests.flow.conftest import ANNA
from tests.flow.stage import Stage, StageHomeserver, play


def unreadable(stage: Stage, room_id: RoomId, body: str, session: str = "late") -> None:
    """Let Anna send something whose key the bot does not have; the fake keeps what it will turn out to say."""
    content = {"algorithm": "m.megolm.v1.aes-sha2", "session_id": session, "plain": {"msgtype": "m.text", "body": body}}
    stage.server.say(room_id, ANNA, content, type="m.room.encrypted", undecryptable="no_session")


async def test_after_the_wait_the_person_hears_about_it(stage: Stage) -> None:
    """First the key may still be on its way; then Anna is told what to do, and only once."""
    room_id = await stage.meet(ANNA)
    unreadable(stage, room_id, "export")
    unreadable(stage, room_id, "export")
    await stage.settle()
    assert len(stage.said(room_id)) == 1
    await stage.pass_time(seconds=21)
    (sentence,) = stage.said(room_id)[1:]
    assert "read your last message" in sentence
    assert await stage.rows("case") == []


async def test_a_key_within_the_wait_makes_the_message_a_normal_one(stage: Stage) -> None:
    """Anna never hears that anything was wrong, and her request is carried out once."""
    room_id = await stage.meet(ANNA)
    unreadable(stage, room_id, "export")
    await stage.pass_time(seconds=5)
    stage.server.late_keys.add("late")
    await stage.pass_time(seconds=30)
    assert await stage.states() == ["delivered"]
    assert len(stage.files(room_id)) == 1
    assert [sentence for sentence in stage.said(room_id) if "read your last message" in sentence] == []


async def test_a_key_after_the_sentence_still_counts_once(stage: Stage) -> None:
    """However often the same key is announced, the message is dealt with once."""
    room_id = await stage.meet(ANNA)
    unreadable(stage, room_id, "export")
    await stage.pass_time(seconds=21)
    stage.server.late_keys.add("late")
    await stage.pass_time(seconds=5)
    await stage.pass_time(seconds=5)
    assert await stage.states() == ["delivered"]
    assert len(stage.files(room_id)) == 1


async def test_a_key_that_came_just_before_a_restart_counts(
    sqlite_database: Database, data: Path, server: FakeServer, homeserver: StageHomeserver
) -> None:
    """The key is in the bot's hands, but it died before it used it: the message is read when its turn comes."""
    async with play(sqlite_database, data, server, homeserver) as stage:
        room_id = await stage.meet(ANNA)
        unreadable(stage, room_id, "rights")
        await stage.settle()
    server.keys_announced = False
    server.late_keys.add("late")
    async with play(sqlite_database, data, server, homeserver) as stage:
        await stage.pass_time(seconds=21)
        assert "eight rights" in stage.said(room_id)[-1]
        assert len(stage.said(room_id)) == 2


async def test_others_do_not_wait_for_a_missing_key(stage: Stage) -> None:
    """What Anna writes after the unreadable message is answered after the wait, in order."""
    room_id = await stage.meet(ANNA)
    unreadable(stage, room_id, "export")
    stage.server.text(room_id, ANNA, "rights")
    await stage.settle()
    await stage.pass_time(seconds=21)
    assert len(stage.said(room_id)) == 3
    assert "eight rights" in stage.said(room_id)[-1]
