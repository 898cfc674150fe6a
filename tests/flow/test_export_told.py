"""What an export holds is what was asked for; what could not be had is named with its reason."""

from datetime import datetime

from dpobot.errors import Gone, Rejected
from dpobot.model.ids import RoomId
from tests.flow.conftest import ANNA, BERT
from tests.flow.planted import BODY, DISPLAY_NAME
from tests.flow.stage import Stage


def missing(manifest: dict[str, object]) -> str:
    """Return everything the manifest says of categories, as text."""
    return str(manifest["categories"])


async def test_only_what_was_asked_for(stage: Stage) -> None:
    """`export messages` holds messages and neither account data nor media."""
    stage.room("books", ANNA, "one")
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export messages")
    names = stage.archive(room_id).namelist()
    assert stage.own_words(room_id) == [f"{BODY} one"]
    assert [name for name in names if name.startswith("media/") and "." in name] == []
    assert "collect" not in stage.homeserver.calls
    assert "media" not in stage.homeserver.calls


async def test_only_account_data(stage: Stage) -> None:
    """`export account` holds the profile, and no page of a room is asked for."""
    stage.room("books", ANNA, "one")
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export account")
    with stage.archive(room_id) as archive:
        assert DISPLAY_NAME.encode() in archive.read("account/profile.json")
    assert stage.own_words(room_id) == []
    assert "own_events" not in stage.homeserver.calls


async def test_dates_bound_what_is_in_it(stage: Stage) -> None:
    """A day that is named last is wanted whole."""
    room = stage.room("books", ANNA)
    for day in (1, 2, 3):
        moment = datetime.fromisoformat(f"2026-03-0{day}T23:59:00+00:00")
        content = {"msgtype": "m.text", "body": f"{BODY} {day}"}
        stage.homeserver.send(room, ANNA, content, origin_server_ts=int(moment.timestamp() * 1000))
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export messages since 2026-03-02 until 2026-03-02")
    assert stage.own_words(room_id) == [f"{BODY} 2"]


async def test_nobody_elses_words(stage: Stage) -> None:
    """What Bert said in the same room stays out."""
    room = stage.room("books", ANNA, "one")
    stage.homeserver.set_membership(room, BERT, "join")
    stage.homeserver.say(room, BERT, "the words of somebody else")
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export messages")
    assert stage.own_words(room_id) == [f"{BODY} one"]


async def test_media_that_are_gone_are_named(stage: Stage) -> None:
    """Lost bytes and withheld ones are two different reasons."""
    stage.homeserver.lose_media(stage.homeserver.upload(ANNA, b"lost", "lost.txt"))
    stage.homeserver.upload(ANNA, b"withheld", "withheld.txt", quarantined=True)
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export media")
    manifest = missing(stage.manifest(room_id))
    assert "gone" in manifest
    assert "quarantined" in manifest
    assert await stage.states() == ["delivered"]


async def test_a_category_that_can_not_be_had_is_named(stage: Stage) -> None:
    """The homeserver says why; the rest of the archive is complete."""
    stage.homeserver.hold("devices", ANNA, missing="not_offered")
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export")
    assert "not_offered" in missing(stage.manifest(room_id))


async def test_a_refused_room_is_named(stage: Stage) -> None:
    """One room can't be read: the others are there, and the manifest says which one is missing and why."""
    stage.room("alpha", ANNA, "one")
    stage.room("beta", ANNA, "two")
    stage.homeserver.fault("own_events", Gone("M_NOT_FOUND", 404))
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export messages")
    assert stage.own_words(room_id) == [f"{BODY} two"]
    with stage.archive(room_id) as archive:
        assert b"M_NOT_FOUND" in archive.read("rooms.json") + archive.read("manifest.json")


async def test_a_token_that_is_no_longer_good_stops_the_export(stage: Stage) -> None:
    """An archive without rooms must not go out as if it were complete: staff must look, the person hears so."""
    stage.room("alpha", ANNA, "one")
    stage.homeserver.fault("own_events", Rejected("M_UNKNOWN_TOKEN", 401))
    room_id = await stage.meet(ANNA)
    said = await stage.ask(room_id, ANNA, "export")
    assert "could not complete" in said[-1]
    assert stage.files(room_id) == []
    assert await stage.states() == ["held"]
    assert len(await stage.rows("alert")) == 1


async def test_an_account_without_anything_gets_an_archive_too(stage: Stage) -> None:
    """ "Nothing held" is an answer."""
    room_id = await stage.meet(BERT)
    await stage.ask(room_id, BERT, "export messages")
    assert stage.manifest(room_id)["totals"]["events"] == 0


async def test_two_people_at_once(stage: Stage) -> None:
    """Each gets their own words."""
    stage.room("alpha", ANNA, "of Anna")
    stage.room("beta", BERT, "of Bert")
    rooms: dict[str, RoomId] = {person: await stage.meet(person) for person in (ANNA, BERT)}
    for person in (ANNA, BERT):
        stage.server.text(rooms[person], person, "export messages")
    await stage.settle()
    assert stage.own_words(rooms[ANNA]) == [f"{BODY} of Anna"]
    assert stage.own_words(rooms[BERT]) == [f"{BODY} of Bert"]


async def test_asking_twice_opens_one_case(stage: Stage) -> None:
    """The second request while the first is open names the first one; so many times, so many sentences."""
    room_id = await stage.meet(ANNA)
    stage.server.text(room_id, ANNA, "export")
    stage.server.text(room_id, ANNA, "export")
    await stage.settle()
    assert await stage.states() == ["delivered"]
    assert len(stage.files(room_id)) == 1
    assert len([sentence for sentence in stage.said(room_id) if "asked for that already" in sentence]) == 1
