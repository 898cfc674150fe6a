"""Files that staff add: from systems that have no interface into the archive, or with an answer to the person."""

from typing import Any

import pytest

from dpobot.model.ids import RoomId
from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import Stage, reference
from tests.flow.team import DORA, EMIL, Team

ORDERS = b"order;price\n1;42\n"


@pytest.fixture
def sections() -> dict[str, Any]:
    """People decide about everything."""
    return {"policy": {"approve": []}}


def _received(stage: Stage, room_id: RoomId) -> list[bytes]:
    """Return the bytes of all files that the person was sent."""
    urls = [stage.server.event(event_id).content["file"]["url"] for event_id in stage.files(room_id)]
    return [stage.server.media[url] for url in urls]


async def test_a_list_of_the_shop_goes_into_the_archive(team: Team) -> None:
    """It lies under other/ and is named in the manifest; a file that nobody attached is not there."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, "export"))
    (nothing,) = await team.says(DORA, "attach", case)
    assert f"There is no file in the thread of {case} that could be attached." in nothing

    await team.sends(DORA, ORDERS, "orders.csv", case)
    assert f"I keep this file with {case}; the person does not see it." in team.thread(case)[-1]
    (attached,) = await team.says(EMIL, "attach", case)
    assert attached == f"1 file goes into the archive of {case}."
    await team.sends(DORA, b"only for colleagues", "internal.csv", case)
    await team.decides(EMIL, "approve", case)

    assert await stage.states() == ["delivered"]
    with stage.archive(room_id) as archive:
        added = [name for name in archive.namelist() if name.startswith("other/")]
        assert [archive.read(name) for name in added] == [ORDERS]
    assert len(_received(stage, room_id)) == 1  # the archive, and no file beside it


async def test_a_file_goes_with_the_next_reply(team: Team) -> None:
    """Once; a second reply has none."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"complaint {BODY}"))
    await team.sends(DORA, ORDERS, "orders.csv", case)
    (attached,) = await team.says(DORA, "attach", case)
    assert attached == f"1 file goes to the person with the next `reply …` in {case}."
    await stage.pass_time(minutes=1)
    assert _received(stage, room_id) == []

    (goes,) = await team.says(DORA, "reply Here is what we have.", case)
    assert "1 file belongs to it." in goes
    await stage.pass_time(seconds=11)
    words = [said for said in stage.said(room_id) if "Here is what we have." in said]
    assert ["1 file follows." in said for said in words] == [True]
    assert _received(stage, room_id) == [ORDERS]
    sent = stage.server.event(stage.files(room_id)[0]).content
    assert (sent["filename"], sent["info"]["mimetype"]) == ("orders.csv", "text/csv")
    assert sent["file"]["url"] not in {
        event.content["file"]["url"] for event in stage.server.heard(team.room, DORA) if "file" in event.content
    }  # a copy of the bot's own

    await team.says(DORA, "reply And that is all.", case)
    await stage.pass_time(seconds=11)
    assert _received(stage, room_id) == [ORDERS]


async def test_a_reply_that_is_taken_back_gives_its_files_back(team: Team) -> None:
    """They go with the next one, and only with that."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"complaint {BODY}"))
    await team.sends(DORA, ORDERS, "orders.csv", case)
    await team.says(DORA, "attach", case)
    await team.says(DORA, "reply regrettable words", case)
    await team.says(DORA, "undo", case)
    await stage.pass_time(minutes=1)
    assert _received(stage, room_id) == []
    (goes,) = await team.says(DORA, "reply better words", case)
    assert "1 file belongs to it." in goes
    await stage.pass_time(seconds=11)
    assert _received(stage, room_id) == [ORDERS]
    assert "regrettable" not in "\n".join(stage.said(room_id))


async def test_a_file_that_is_gone_is_said_to_both(team: Team) -> None:
    """Anna is not left waiting for it, and Dora can send it again."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"complaint {BODY}"))
    await team.sends(DORA, ORDERS, "orders.csv", case)
    await team.says(DORA, "attach", case)
    stage.server.media.clear()
    await team.says(DORA, "reply Here is what we have.", case)
    await stage.pass_time(seconds=11)
    assert "orders.csv" in stage.said(room_id)[-1]
    assert _received(stage, room_id) == []
    told = team.thread(case)[-1]
    assert "The person did not get this file, and has been told so: `orders.csv`" in told
    assert "The server no longer has it." in told
