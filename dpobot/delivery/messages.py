"""What is to be said: rendered at once, and written to the outbox in the transaction that decided it."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.model.records import Reply
from dpobot.store import outbox, people
from dpobot.store.database import Tx
from dpobot.store.outbox import Relation
from dpobot.text.render import Renderer


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes. Without a room: the person's safe direct message, found or made when it is sent.

    ``cleartext``: the message holds no personal data and may go to a room that is not encrypted.
    """

    person: UserId
    room_id: RoomId | None = None
    cleartext: bool = False


def key(*parts: object) -> str:
    """Return the idempotency key of a message: the same parts give the same Matrix transaction, and so one event."""
    return sha256("|".join(str(part) for part in parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StaffPlace:
    """Where in the staff room a message goes: the main time line, or with ``relation`` a case's card or thread."""

    room_id: RoomId
    language: str
    case_id: int | None = None
    relation: Relation | None = None


async def post(tx: Tx, renderer: Renderer, now: datetime, address: Address, reply: Reply, message_key: str) -> None:
    """Put a reply in the outbox, in the person's language; posting the same key again changes nothing."""
    person = await people.get(tx, address.person)
    content = renderer.message(reply, person.language if person else "en")
    await outbox.put(
        tx,
        outbox.OutboxItem(
            key=message_key,
            user_id=address.person,
            room_id=address.room_id,
            content=content,
            cleartext=address.cleartext,
            created_at=now,
        ),
    )


async def sent_as(tx: Tx, message_key: str) -> EventId | None:
    """Return the event that a message became, once it is sent."""
    return await outbox.event_of(tx, message_key)
