"""Messages whose key came late: what is kept of them until then, and what becomes of them."""

from datetime import datetime

from dpobot.inbox import intake
from dpobot.matrix.api import Received
from dpobot.store import inbox
from dpobot.store.database import Tx
from dpobot.store.inbox import InboxRow


def received(row: InboxRow) -> Received:
    """Return the undecryptable event that a row keeps, as it was received."""
    return Received(
        event_id=row.event_id,
        room_id=row.room_id,
        sender=row.sender,
        sent_at=row.sent_at,
        type=str(row.payload.get("type", "m.room.encrypted")),
        content=row.payload.get("content", {}),
        encrypted=row.encrypted,
        undecryptable=str(row.payload.get("code", "failed")),
    )


async def resolve(tx: Tx, row: InboxRow, readable: Received, now: datetime) -> None:
    """Turn a row into what it says, to be handled now; one that was handled already stays as it is."""
    await inbox.resolved(tx, row.id, intake.kind_of(readable), intake.kept(readable), now)
