"""Numbered choices: what an answer offers can be said by its number (the desks look the number up)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from dpobot.commands.choices import KIND
from dpobot.delivery.messages import key
from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.store import prompts
from dpobot.store.database import Tx

VALID = timedelta(minutes=30)


async def offer(
    tx: Tx, now: datetime, person: UserId, room_id: RoomId, message_key: str, choices: Sequence[str]
) -> None:
    """Keep what is offered to somebody in a room by the message of that key; without choices nothing is kept."""
    if not choices:
        return
    await prompts.ask(
        tx,
        person=person,
        room_id=room_id,
        kind=KIND,
        event_id=EventId(key(KIND, message_key)),  # the event that is answered may have led to a question of its own
        content={"choices": list(choices)},
        now=now,
        expires_at=now + VALID,
    )
