"""The dry run of an erasure: what is counted, what the person reads, what becomes of a confirmation."""

from datetime import timedelta

import pytest

from dpobot.commands import choices, erase_codes
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs import survey
from dpobot.model.erasure import Survey
from dpobot.model.ids import RoomId
from dpobot.model.words import CaseState, Channel, Kind
from dpobot.store import cases, erasures, jobs, prompts
from tests.unit.jobs.conftest import ANNA, World
from tests.unit.jobs.erasures import ALL, BERT, GROUP, WAIVED, again, ask, confirm, live, read, states


async def _survey(world: World) -> Survey:
    """Count what there is of Anna, as she asks for it."""
    case = await ask(world)
    await world.work()
    known = await read(world, case)
    assert known.plan is not None
    return Survey.from_json(known.plan["survey"])


async def test_everything_is_counted_and_the_bots_own_room_is_left_out(world: World) -> None:
    """Events by what becomes of them, rooms by who was in them, files by who could see them, and the account's data."""
    live(world)
    assert await _survey(world) == Survey(
        messages=7,
        state=4,
        state_kept=1,
        shared_rooms=3,
        left_rooms=1,
        sole_rooms=1,
        direct_rooms=1,
        media=2,
        media_bytes=8,
        media_private=1,
        devices=2,
        addresses=0,
        account_data=0,
        sso_links=0,
        servers=("elsewhere.test",),
    )


async def test_where_encrypted_events_may_name_files_only_those_are_private_that_are_certain(world: World) -> None:
    """A file that a room of one's own names in clear is; one that no event names may be in the encrypted ones."""
    live(world)
    world.homeserver.upload(ANNA, b"somewhere")
    world.homeserver.send(GROUP, ANNA, {"ciphertext": "x"}, "m.room.encrypted")
    found = await _survey(world)
    assert (found.media, found.media_private) == (3, 1)


async def test_a_room_with_the_bot_in_which_others_were_is_an_ordinary_room(world: World) -> None:
    """What was said there is not between the two of them."""
    live(world)
    world.homeserver.set_membership(world.room, BERT, "join")
    assert (await _survey(world)).shared_rooms == 4


async def test_an_invitation_is_nothing_of_theirs(world: World) -> None:
    """Nor does anybody look into a room that they were only invited to."""
    live(world)
    before = await _survey(world)
    invited = world.homeserver.add_room(RoomId("!invited:elsewhere.test"))
    world.homeserver.set_membership(invited, BERT, "join")
    world.homeserver.set_membership(invited, ANNA, "invite")
    assert await _survey(world) == before


async def test_the_person_sees_the_plan_and_types_its_code(world: World) -> None:
    """The question holds case, plan and code as `commands.erase_codes` reads them, in the plan's room."""
    live(world)
    case = await ask(world)
    await world.work()
    now = world.server.now
    prompt = await world.database.read(lambda tx: prompts.newest_open(tx, ANNA, now, (erase_codes.KIND,)))
    assert prompt is not None
    known = await read(world, case)
    assert (prompt.content["case_id"], prompt.content["plan_hash"]) == (case.id, known.plan_hash)
    assert prompt.room_id == world.room
    assert f"`{prompt.content['code']}`" in world.said()[-1]
    assert "elsewhere.test" in world.said()[-1]


async def test_options_can_be_chosen_by_number(world: World) -> None:
    """Each choice is the whole command that asks for it."""
    live(world)
    await ask(world)
    await world.work()
    now = world.server.now
    prompt = await world.database.read(lambda tx: prompts.newest_open(tx, ANNA, now, (choices.KIND,)))
    assert prompt is not None
    assert prompt.content == {"choices": ["erase redact", "erase media", "erase direct"]}


async def test_the_words_of_the_questions_are_those_of_the_commands() -> None:
    """Jobs and commands don't import each other; what they call a question is the same all the same."""
    assert (survey.CODE, survey.CHOICE) == (erase_codes.KIND, choices.KIND)


async def test_what_was_confirmed_and_still_holds_goes_to_staff(world: World) -> None:
    """The person hears until when they can take it back."""
    live(world)
    case = await ask(world)
    await world.work()
    await confirm(world, case)
    await world.work()
    known = await read(world, case)
    assert (await world.read(case)).state is CaseState.REVIEW
    assert known.cooled_off_at == world.server.now + timedelta(hours=24)
    assert "cancel" in world.said()[-1]


async def test_a_message_since_the_plan_makes_a_new_plan_and_a_new_code(world: World) -> None:
    """Nothing is confirmed then."""
    live(world)
    case = await ask(world)
    await world.work()
    world.homeserver.say(GROUP, ANNA, "one more thing")
    await confirm(world, case)
    await world.work()
    known = await read(world, case)
    assert (await world.read(case)).state is CaseState.CONFIRMING
    assert (known.confirmed_hash, known.cooled_off_at) == (None, None)
    assert world.said()[-1].startswith("Something has changed")


async def test_what_others_do_undoes_no_confirmation(world: World) -> None:
    """In a large room other servers come at any time."""
    live(world)
    case = await ask(world)
    await world.work()
    world.homeserver.set_membership(GROUP, type(ANNA)("@new:third.test"), "join")
    await confirm(world, case)
    await world.work()
    assert (await world.read(case)).state is CaseState.REVIEW


async def test_erase_again_shows_another_plan(world: World) -> None:
    """With other options, and a code of its own."""
    live(world)
    case = await ask(world)
    await world.work()
    first = (await read(world, case)).plan_hash
    await again(world, case, ALL)
    await world.work()
    assert (await read(world, case)).plan_hash != first
    assert "All files that you have uploaded: 2" in world.said()[-1]


async def test_a_device_that_is_too_new_is_waited_for(world: World) -> None:
    """Then the plan comes by itself."""
    live(world)
    case = await ask(world)
    until = world.server.now + timedelta(hours=5)
    await world.database.write(lambda tx: erasures.change(tx, case.id, survey_after=until))
    await world.work(hours=4)
    assert world.said() == []
    await world.work(hours=1)
    assert len(world.said()) == 1


@pytest.mark.parametrize("method", ["rooms", "own_counts", "people", "media_in", "media", "collect"])
async def test_a_server_that_goes_away_is_waited_for(world: World, method: str) -> None:
    """The plan is the same, and is shown once."""
    live(world)
    world.homeserver.fault(method, Unavailable("connection"))
    case = await ask(world)
    await world.work()
    await world.work(minutes=1)
    assert await states(world, case) == [("survey", "done")]
    assert len(world.said()) == 1


async def test_what_cant_be_counted_is_for_staff(world: World) -> None:
    """The person hears that; nothing is confirmed without a plan."""
    live(world)
    world.homeserver.fault("rooms", Rejected("M_UNKNOWN", 400))
    case = await ask(world)
    await world.work()
    assert (await world.read(case)).state is CaseState.REVIEW
    assert "could not count" in world.said()[-1]


async def test_a_request_from_outside_is_planned_for_staff_alone(world: World) -> None:
    """Nobody is written to: who asked is not known to be the person."""
    live(world)
    case = await world.case(CaseState.REVIEW, kind=Kind.ERASURE, channel=Channel.POST)
    await world.database.write(lambda tx: erasures.put(tx, case.id, WAIVED))
    now = world.server.now
    await world.database.write(
        lambda tx: jobs.want(tx, case_id=case.id, name="survey", person=ANNA, wake_at=now, now=now)
    )
    await world.work()
    assert (await read(world, case)).plan is not None
    assert world.said() == []


async def test_an_exceptional_erasure_counts_its_room(world: World) -> None:
    """Members and the person's own events; no code is asked for."""
    live(world)
    case = await world.case(CaseState.REVIEW, kind=Kind.ERASURE)
    exception = {"exceptional": {"scope": "room", "room_id": GROUP}}
    await world.database.write(lambda tx: erasures.put(tx, case.id, WAIVED))
    await world.database.write(lambda tx: cases.update(tx, case, {"options": exception}))
    now = world.server.now
    await world.database.write(
        lambda tx: jobs.want(tx, case_id=case.id, name="survey", person=ANNA, wake_at=now, now=now)
    )
    await world.work()
    plan = (await read(world, case)).plan
    assert plan is not None
    assert (plan["people"], plan["events"]) == ({"joined": 2, "ever": 2}, {"messages": 5, "state": 2, "kept": 1})
    assert world.said() == []


async def test_a_case_that_is_over_is_not_counted(world: World) -> None:
    """It was taken back before the survey began."""
    case = await ask(world)
    withdrawn = {"state": CaseState.WITHDRAWN}
    await world.database.write(lambda tx: cases.update(tx, case, withdrawn))
    await world.work()
    assert await states(world, case) == [("survey", "cancelled")]
    assert world.homeserver.calls == []
