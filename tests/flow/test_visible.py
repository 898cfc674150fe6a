"""`export visible`: staff decide, others are called by pseudonyms, and what the two checks disagree on never leaves."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from dpobot.archive.facts import Package
from dpobot.archive.package import package
from dpobot.archive.pseudonyms import Pseudonyms
from dpobot.errors import Unavailable
from dpobot.jobs import releasing
from dpobot.model.ids import RoomId, UserId
from dpobot.model.words import Scope
from tests.flow.conftest import ANNA, BERT
from tests.flow.planted import BODY
from tests.flow.stage import Stage, StageHomeserver, play, reference
from tests.flow.team import DORA, Team


@pytest.fixture
def sections() -> dict[str, Any]:
    """Copies of what others wrote may be asked for here."""
    return {"export": {"visible": "staff"}}


def _member(stage: Stage, room: RoomId, user: UserId, membership: str) -> None:
    content = {"membership": membership, "displayname": f"the name of {user}"}
    stage.homeserver.send(room, user, content, "m.room.member", state_key=user)
    stage.homeserver.set_membership(room, user, membership)


def _room(stage: Stage) -> RoomId:
    """Bert's room, in which only those who are there can read; Anna comes, and goes; both talk all the time."""
    room = stage.homeserver.add_room(RoomId("!books"), "Books")
    _member(stage, room, BERT, "join")
    content = {"history_visibility": "joined"}
    stage.homeserver.send(room, BERT, content, "m.room.history_visibility", state_key="")
    stage.homeserver.say(room, BERT, f"{BODY} before Anna")
    _member(stage, room, ANNA, "join")
    stage.homeserver.say(room, ANNA, f"{BODY} by Anna")
    stage.homeserver.say(room, BERT, f"{BODY} to {ANNA} by {BERT}")
    _member(stage, room, ANNA, "leave")
    stage.homeserver.say(room, BERT, f"{BODY} after Anna")
    return room


async def _asked(team: Team) -> tuple[RoomId, str]:
    """Let Anna ask; return her room and the case's reference."""
    room_id = await team.stage.meet(ANNA)
    return room_id, reference(await team.stage.ask(room_id, ANNA, "export visible"))


async def _approved(team: Team) -> RoomId:
    room_id, name = await _asked(team)
    await team.decides(DORA, "approve", name)
    return room_id


def _events(stage: Stage, room_id: RoomId) -> list[dict[str, Any]]:
    with stage.archive(room_id) as archive:
        files = [name for name in archive.namelist() if name.endswith(".jsonl")]
        return [json.loads(line) for name in files for line in archive.read(name).splitlines()]


async def _held(team: Team, room_id: RoomId, code: str) -> None:
    assert await team.stage.states() == ["held"]
    assert [alert["code"] for alert in await team.stage.rows("alert")] == [code]
    assert (team.stage.server.media, team.stage.files(room_id)) == ({}, [])


async def test_it_is_not_offered_unless_the_configuration_says_so(stage: Stage) -> None:
    """As things are set by default, nobody can ask for it; no case is opened."""
    room_id = await stage.meet(ANNA)
    said = await stage.ask(room_id, ANNA, "export visible")
    assert "offer copies of what other people wrote" in said[-1]
    assert await stage.states() == []


async def test_staff_decide_and_see_what_they_decide_about(team: Team) -> None:
    """Policy would approve an export; never this one. Card and plan say whose rights are at stake."""
    _room(team.stage)
    room_id, name = await _asked(team)
    assert await team.stage.states() == ["review"]
    assert "a person of the DPO team decides" in "\n".join(team.stage.said(room_id))
    assert "also what other people wrote" in team.card(name)
    plan = "\n".join(await team.says(DORA, "approve", name))
    assert [word for word in ("Art. 15(4) GDPR", "what other people wrote") if word not in plan] == []
    assert team.stage.files(room_id) == []


async def test_what_both_could_read_is_in_it_and_others_have_pseudonyms(team: Team) -> None:
    """Bert's words while Anna was there, not those before or after; nowhere among the messages his name or ID."""
    _room(team.stage)
    room_id = await _approved(team)
    said = [(event["sender"], event["content"].get("body")) for event in _events(team.stage, room_id)]
    assert [(who, body) for who, body in said if body] == [
        (ANNA, f"{BODY} by Anna"),
        ("Person 1", f"{BODY} to {ANNA} by Person 1"),
    ]
    with team.stage.archive(room_id) as archive:
        texts = {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}
        about = [name for name in texts if name.startswith(("rooms/", "viewer/room"))]
        assert [name for name in about if BERT in texts[name] or f"the name of {BERT}" in texts[name]] == []
        assert "Person 1, Person 2 and so on" in texts["index.html"]
    assert team.stage.manifest(room_id)["scope"] == "visible"


async def test_a_copy_of_the_own_messages_is_as_it_was(team: Team) -> None:
    """`export mine` beside it: approved by policy, with Anna's messages alone and not a letter changed."""
    room = _room(team.stage)
    _member(team.stage, room, ANNA, "join")
    team.stage.homeserver.say(room, ANNA, f"for {BERT}")
    room_id = await team.stage.meet(ANNA)
    await team.stage.ask(room_id, ANNA, "export mine")
    assert {event["sender"] for event in _events(team.stage, room_id)} == {ANNA}
    assert f"for {BERT}" in [event["content"].get("body") for event in _events(team.stage, room_id)]


async def test_a_server_that_gives_too_much_holds_the_package(team: Team) -> None:
    """The homeserver leaks what was said before Anna came: our own check sees it, and nothing at all leaves."""
    room = _room(team.stage)
    team.stage.homeserver.rooms_held[room].leaks = True
    room_id = await _approved(team)
    await _held(team, room_id, "visible_disagreement")
    assert "a safeguard found something unusual" in "\n".join(team.stage.said(room_id))


async def test_an_event_that_the_rooms_story_does_not_know_holds_the_package(team: Team) -> None:
    """The server gives something as a room's event that its administrator can't see there."""
    room = _room(team.stage)
    answer = team.stage.homeserver.visible_events

    async def more(room_id: RoomId, user: UserId, start: str | None, limit: int = 500) -> Any:
        page = await answer(room_id, user, start, limit)
        return replace(page, events=(*page.events, {**page.events[-1], "event_id": "$unheard", "sender": BERT}))

    team.stage.homeserver.visible_events = more  # type: ignore[method-assign] # a server with a fault
    room_id = await _approved(team)
    await _held(team, room_id, "visible_disagreement")
    assert team.stage.homeserver.rooms_held[room].leaks is False


async def test_a_name_that_was_not_replaced_holds_the_package(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pseudonyms fail: the last look at the finished archive finds another person's ID as a sender."""
    _room(team.stage)
    monkeypatch.setattr(Pseudonyms, "replaced", lambda _, event: dict(event))
    room_id = await _approved(team)
    await _held(team, room_id, "foreign_sender")


@pytest.mark.parametrize(("asked", "packed"), [("mine", Scope.VISIBLE), ("visible", Scope.MINE)])
async def test_an_archive_of_another_scope_than_asked_for_is_held(
    team: Team, monkeypatch: pytest.MonkeyPatch, asked: str, packed: Scope
) -> None:
    """What says `visible` of itself is never released as `mine`, nor the other way round."""
    _room(team.stage)

    def other(spool: Any, target: Any, facts: Any, *args: Any) -> Package:
        return package(spool, target, replace(facts, scope=packed), *args)

    monkeypatch.setattr(releasing, "package", other)
    if asked == "visible":
        room_id = await _approved(team)
    else:
        room_id = await team.stage.meet(ANNA)
        await team.stage.ask(room_id, ANNA, "export mine")
    await _held(team, room_id, "scope")


async def test_a_configuration_that_has_changed_since_the_approval_counts(team: Team) -> None:
    """Staff approved it; before the work could begin, the admin took the possibility away: it is held."""
    _room(team.stage)
    stage = team.stage
    stage.homeserver.fault("rooms", Unavailable("timeout"))
    room_id = await _approved(team)
    await stage.bot.engine.stop()
    assert isinstance(stage.homeserver, StageHomeserver)
    async with play(stage.database, stage.data, stage.server, stage.homeserver) as restarted:
        await restarted.pass_time(hours=1)
        await _held(Team(restarted, team.room), room_id, "visible_not_offered")


@pytest.mark.parametrize("method", ["own_events", "visible_events", "story"])
async def test_it_goes_on_after_an_interruption(team: Team, method: str) -> None:
    """The homeserver fails in the middle of one of the three readings: the archive is the same in the end."""
    _room(team.stage)
    team.stage.homeserver.fault(method, Unavailable("timeout"))
    room_id = await _approved(team)
    await team.stage.pass_time(hours=1)
    events = _events(team.stage, room_id)
    kinds = [re.sub(r"^m\.room\.", "", event["type"]) for event in events]
    assert kinds == ["member", "history_visibility", "member", "message", "message", "member"]
