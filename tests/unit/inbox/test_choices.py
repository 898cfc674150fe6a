"""Numbers stand for what was offered: to a person in their room, to staff in theirs."""

from typing import Any

from dpobot.commands.choices import KIND
from dpobot.commands.registry import discover
from tests.unit.inbox.conftest import SIRI, Room


async def _offers(room: Room, person: str) -> list[dict[str, Any]]:
    return [row for row in await room.stage.rows("prompt") if (row["kind"], row["person"]) == (KIND, person)]


async def test_a_greeting_offers_its_commands_by_number(room: Room) -> None:
    """A number that is typed says the same as the command."""
    direct = await room.stage.meet(SIRI)
    (offer,) = await _offers(room, SIRI)
    assert offer["room_id"] == direct
    answers = await room.stage.ask(direct, SIRI, "1")
    assert answers == await room.stage.ask(direct, SIRI, next(iter(discover())))


async def test_what_is_offered_in_one_room_is_not_answered_in_another(room: Room) -> None:
    """Staff are asked in the staff room; the same person's direct message is their own."""
    await room.hears(SIRI, "queue")
    assert {row["room_id"] for row in await _offers(room, SIRI)} == {room.id}
