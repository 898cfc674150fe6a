"""What is wrong in an account is put right: by its owner's words, staff's code and the homeserver's hand.

The new values are planted words: the fixtures look for them in every line of the log and every byte at rest.
"""

from typing import Any

from dpobot.errors import Rejected
from dpobot.model.ids import RoomId
from tests.flow.conftest import ANNA, BERT
from tests.flow.planted import BODY, DISPLAY_NAME, FILE_NAME
from tests.flow.stage import Stage, reference
from tests.flow.team import DORA, EMIL, Team

_NAME = f"{DISPLAY_NAME} of {BODY}"
_OLD, _NEW = f"{BODY}@example.org", f"{DISPLAY_NAME}@example.org"


def _profile(stage: Stage) -> dict[str, Any]:
    return {one["field"]: one["value"] for one in stage.homeserver.held("profile", ANNA)}


def _addresses(stage: Stage) -> list[str]:
    return [one["address"] for one in stage.homeserver.held("third_party_ids", ANNA)]


def _elsewhere(team: Team, room_id: RoomId, *words: str) -> list[str]:
    """Return what the bot has said with these words in it, but to her or in a case's thread."""
    said = [
        text for room in team.stage.server.rooms if room not in (room_id, team.room) for text in team.stage.said(room)
    ]
    said += [*team.main(), *(team.card(name) for name in team.cards())]
    return [text for text in said for word in words if word in text]


async def test_a_display_name(team: Team) -> None:
    """The values are in her room and in the case's thread: neither card, digest nor anybody else has them."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    await stage.meet(BERT)
    (noted,) = await stage.ask(room_id, ANNA, f"rectify display name {_NAME}")
    case = reference([noted])
    assert f"You want your display name to be “{_NAME}”." in noted
    assert "To be corrected: the display name" in team.card(case)
    (plan,) = await team.says(DORA, "approve", case)
    assert f"Display name: none → `{_NAME}`" in plan
    assert _profile(stage)["displayname"] == DISPLAY_NAME
    (again,) = await stage.ask(room_id, ANNA, f"rectify display name {_NAME} II")
    assert case in again  # what staff look at does not change under their hands
    await team.decides(EMIL, "approve", case)
    assert _profile(stage)["displayname"] == _NAME
    assert "your display name has been changed" in stage.said(room_id)[-1]
    assert "the correction is made; the person is told." in team.thread(case)[-1]
    assert await stage.states() == ["closed"]
    await stage.pass_time(days=1)
    assert _elsewhere(team, room_id, DISPLAY_NAME, BODY) == []
    assert [row["detail"] for row in await stage.rows("audit") if BODY in str(row)] == []


async def test_a_picture(team: Team) -> None:
    """Approved before it is there it waits for staff; what she then sends is shown, and taken."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    (noted,) = await stage.ask(room_id, ANNA, "rectify avatar")
    case = reference([noted])
    assert "Please send the new picture here now." in noted
    await team.decides(DORA, "approve", case)
    assert await stage.states() == ["held"]
    assert "there is no picture in your request. Please send it here." in stage.said(room_id)[-1]
    for data in (b"first", b"second"):
        stage.server.attach(room_id, ANNA, data, FILE_NAME, media_type="image/png")
        await stage.settle()
    assert any(FILE_NAME in text for text in team.thread(case))
    await team.decides(EMIL, "approve", case)
    assert await stage.states() == ["closed"]
    shown = [
        data for owner, item, data in stage.homeserver._media.values() if item.url == _profile(stage)["avatar_url"]
    ]
    assert shown == [b"second"]
    assert "your account has the new picture" in stage.said(room_id)[-1]
    assert list((stage.data / "spool").iterdir()) == []


async def test_an_address(team: Team) -> None:
    """One that she does not have is not replaced; staff see why, she corrects herself, and it is."""
    stage = team.stage
    stage.homeserver.hold("third_party_ids", ANNA, {"medium": "email", "address": _OLD})
    room_id = await stage.meet(ANNA)
    wrong = reference(await stage.ask(room_id, ANNA, f"rectify email wrong@example.org {_NEW}"))
    (plan,) = await team.says(DORA, "approve", wrong)
    assert f"E-mail address: `wrong@example.org` → `{_NEW}`" in plan
    await team.decides(DORA, "approve", wrong)
    assert await stage.states() == ["held"]
    assert "does not have the e-mail address that was to be replaced" in stage.said(room_id)[-1]
    assert "State: held (`no_such_email`)" in team.card(wrong)
    assert _addresses(stage) == [_OLD]
    await stage.ask(room_id, ANNA, f"cancel {wrong}")

    case = reference(await stage.ask(room_id, ANNA, f"rectify email {_OLD} {_NEW}"))
    await team.decides(EMIL, "approve", case)
    assert _addresses(stage) == [_NEW]
    assert "the e-mail address of your account has been changed" in stage.said(room_id)[-1]
    assert await stage.states() == ["withdrawn", "closed"]
    assert _elsewhere(team, room_id, _OLD, _NEW) == []


async def test_one_that_staff_or_the_server_refuse(team: Team) -> None:
    """Nothing changes, and she hears which of the two it was."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"rectify display name {_NAME}"))
    await team.decides(DORA, "refuse unfounded That is somebody else's name.", case)
    assert "That is somebody else's name." in stage.said(room_id)[-1]
    assert await stage.states() == ["refused"]

    case = reference(await stage.ask(room_id, ANNA, f"rectify display name {_NAME}"))
    stage.homeserver.fault("set_display_name", Rejected("M_FORBIDDEN", 403))
    await team.decides(DORA, "approve", case)
    assert await stage.states() == ["refused", "held"]
    assert "the server refused" in stage.said(room_id)[-1]
    assert "State: held (`M_FORBIDDEN`)" in team.card(case)
    assert _profile(stage)["displayname"] == DISPLAY_NAME
