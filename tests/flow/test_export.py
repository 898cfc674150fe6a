"""A person asks for a copy of their data, from the first word to the deleted archive."""

from dpobot.model.ids import RoomId
from tests.flow.conftest import ANNA
from tests.flow.stage import Stage, reference

ROOM = RoomId("!books:dpobot.test")


async def test_anna_asks_receives_and_confirms(stage: Stage) -> None:
    """Greeting, acceptance, files, and after `received` the server's copy is gone and the case closed."""
    stage.homeserver.add_room(ROOM, "Books")
    stage.homeserver.set_membership(ROOM, ANNA, "join")
    stage.homeserver.say(ROOM, ANNA, "my own words")
    room_id = await stage.meet(ANNA)
    assert len(stage.said(room_id)) == 1
    said = await stage.ask(room_id, ANNA, "export")
    number = reference(said)
    assert len(stage.files(room_id)) == 1
    names = stage.archive(room_id).namelist()
    assert "index.html" in names
    assert [case["state"] for case in await stage.rows("case")] == ["delivered"]
    assert list((stage.data / "spool").iterdir()) == []
    thanks = await stage.ask(room_id, ANNA, "received")
    assert number in thanks[0]
    assert stage.files(room_id) == []
    assert stage.server.media == {}
    assert [case["state"] for case in await stage.rows("case")] == ["closed"]
