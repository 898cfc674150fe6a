"""A person asks what is held about them: the statement, without the data."""

from dpobot.model.ids import RoomId
from tests.flow.conftest import ANNA
from tests.flow.stage import Stage, reference

ROOM = RoomId("!books:dpobot.test")
STATEMENT = {
    "statement.html",
    "statement.json",
    "statement.pdf",
    "recipients.html",
    "recipients.json",
    "recipients.csv",
}


async def _life(stage: Stage) -> RoomId:
    stage.homeserver.add_room(ROOM, "Books")
    stage.homeserver.set_membership(ROOM, ANNA, "join")
    stage.homeserver.say(ROOM, ANNA, "my own words")
    stage.homeserver.upload(ANNA, b"picture", "shelf.png", "image/png")
    return await stage.meet(ANNA)


async def test_anna_gets_the_statement_and_nothing_of_the_data(stage: Stage) -> None:
    """Counted is everything, handed out the statement alone; `received` ends it as with a copy."""
    room_id = await _life(stage)
    said = await stage.ask(room_id, ANNA, "access")
    number = reference(said)
    assert "statement" in said[0]
    archive = stage.archive(room_id)
    names = {name for name in archive.namelist() if not name.startswith("schemas/")}
    assert names == {"index.html", "README.txt", "manifest.json", *STATEMENT}
    told = archive.read("statement.html").decode()
    assert "Entries: 1." in told
    assert not any("my own words" in archive.read(name).decode(errors="ignore") for name in archive.namelist())
    assert [case["kind"] for case in await stage.rows("case")] == ["access"]
    assert number in (await stage.ask(room_id, ANNA, "received"))[0]
    assert [case["state"] for case in await stage.rows("case")] == ["closed"]
    assert stage.server.media == {}


async def test_statement_copy_and_recipients_are_asked_side_by_side(stage: Stage) -> None:
    """Three different questions: none stands in the way of another."""
    room_id = await _life(stage)
    for words in ("access", "copies", "export"):
        assert "DPO-" in (await stage.ask(room_id, ANNA, words))[0]
    states = {(case["kind"], case["state"]) for case in await stage.rows("case")}
    assert {kind for kind, _ in states} == {"access", "export"}
    assert len(await stage.rows("case")) == 3
    assert "refused" not in {state for _, state in states}


async def test_words_beside_it_still_reach_a_human(stage: Stage) -> None:
    """What a person adds is kept with the case, and does not hold the statement up."""
    room_id = await _life(stage)
    said = await stage.ask(room_id, ANNA, "access why do you keep my address?")
    assert "DPO-" in said[0]
    assert stage.archive(room_id).namelist()
    assert [row["direction"] for row in await stage.rows("case_message")] == ["person"]
