"""Rectification (Art. 16 GDPR) of what the homeserver itself can put right."""

from collections.abc import Mapping

import pytest

from dpobot.errors import Rejected, Unavailable
from dpobot.model.ids import EventId
from dpobot.model.records import Case, FileRef
from dpobot.model.words import CaseState, Kind
from dpobot.store import files, jobs, rectifications
from dpobot.store.database import Tx
from dpobot.store.files import Purpose
from tests.unit.jobs.conftest import ANNA, World
from tests.unit.jobs.erasures import job_row

_OLD, _NEW = "old@example.org", "new@example.org"


async def _approved(world: World, field: str, values: Mapping[str, str | None]) -> Case:
    world.homeserver.hold("third_party_ids", ANNA, {"medium": "email", "address": _OLD})
    case = await world.case(CaseState.APPROVED, kind=Kind.RECTIFICATION, options={"field": field})
    now = world.server.now

    async def write(tx: Tx) -> None:
        await rectifications.put(tx, case.id, field, values)
        await jobs.want(tx, case_id=case.id, name="rectify", person=ANNA, wake_at=now, now=now)

    await world.database.write(write)
    return case


async def _send(world: World, case: Case, data: bytes, media_type: str) -> None:
    """Let Anna send a file into her case."""
    file = FileRef("picture.png", media_type, world.server.store(data))
    event_id, now = EventId(f"${len(world.server.media)}"), world.server.now
    await world.database.write(
        lambda tx: files.add(tx, case.id, event_id, file, author=None, purpose=Purpose.EVIDENCE, posted=True, now=now)
    )


async def test_a_display_name_is_changed_and_the_case_closed(world: World) -> None:
    """The person hears of it."""
    case = await _approved(world, "display_name", {"old": None, "new": "Anna B."})
    await world.work()
    assert world.homeserver.held("profile", ANNA) == ({"field": "displayname", "value": "Anna B."},)
    assert (await world.read(case)).state is CaseState.CLOSED
    assert (await world.read(case)).answered_at is not None
    assert "your display name has been changed" in world.said()[-1]


async def test_an_address_is_replaced(world: World) -> None:
    """The old one is no longer there."""
    case = await _approved(world, "email", {"old": _OLD, "new": _NEW})
    await world.work()
    assert [one["address"] for one in world.homeserver.held("third_party_ids", ANNA)] == [_NEW]
    assert (await world.read(case)).state is CaseState.CLOSED


async def test_the_newest_picture_of_the_case_becomes_the_avatar(world: World) -> None:
    """Other files in the case are none."""
    case = await _approved(world, "avatar", {"old": None, "new": "picture"})
    for data, media_type in ((b"first", "image/png"), (b"second", "image/jpeg"), (b"letter", "application/pdf")):
        await _send(world, case, data, media_type)
    await world.work()
    uploads = [(item.media_type, data) for _, item, data in world.homeserver._media.values()]
    assert uploads == [("image/jpeg", b"second")]
    assert list(world.parts.spool.iterdir()) == []


async def test_an_avatar_is_removed(world: World) -> None:
    """No picture is needed for that."""
    world.homeserver.hold("profile", ANNA, {"field": "avatar_url", "value": "mxc://dpobot.test/old"})
    await _approved(world, "avatar", {"old": None, "new": None})
    await world.work()
    assert world.homeserver.held("profile", ANNA) == ()
    assert "has been removed" in world.said()[-1]


@pytest.mark.parametrize(
    ("field", "values", "code"),
    [
        ("email", {"old": "third@example.org", "new": "fourth@example.org"}, "no_such_email"),
        ("avatar", {"old": None, "new": "picture"}, "no_picture"),
        ("shoe_size", {"old": None, "new": "43"}, "unknown_field"),
    ],
)
async def test_what_cant_be_done_is_for_staff(
    world: World, field: str, values: Mapping[str, str | None], code: str
) -> None:
    """The person hears why, and that somebody looks."""
    case = await _approved(world, field, values)
    await world.work()
    assert (await world.read(case)).state is CaseState.HELD
    assert (await job_row(world, case, "rectify"))["error"] == code
    assert "A person of the DPO team looks at it" in world.said()[-1]


async def test_a_server_that_refuses_is_for_staff(world: World) -> None:
    """With its code."""
    case = await _approved(world, "display_name", {"old": None, "new": "Anna B."})
    world.homeserver.fault("set_display_name", Rejected("M_FORBIDDEN", 403))
    await world.work()
    assert (await world.read(case)).state is CaseState.HELD


async def test_a_server_that_goes_away_is_waited_for(world: World) -> None:
    """Then it is done."""
    case = await _approved(world, "display_name", {"old": None, "new": "Anna B."})
    world.homeserver.fault("set_display_name", Unavailable("connection"))
    await world.work()
    await world.work(minutes=1)
    assert (await world.read(case)).state is CaseState.CLOSED
