"""Codes and links are secrets: whoever reads the database, or a backup of it, can use none of them."""

from tests.flow.leaving import at_home, plan_code, shown
from tests.flow.stage import Stage


async def test_a_typed_code_is_not_in_the_database_in_clear(stage: Stage, given_out: list[str]) -> None:
    """Anna is shown one and has not typed it yet: the row that waits for it holds it encrypted.

    That nothing of it is there in clear is looked at after this story, and after every other (`at_rest`).
    """
    room_id = await at_home(stage)
    await shown(stage, room_id)
    code = plan_code(stage.said(room_id))
    assert code in given_out
    assert [row["kind"] for row in await stage.rows("prompt") if row["sealed"]] != []
