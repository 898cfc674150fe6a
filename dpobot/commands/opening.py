"""From a message to the case that it asks for."""

from collections.abc import Mapping
from typing import Any

from dpobot.cases import service
from dpobot.commands.spec import Context
from dpobot.model.records import Case, Incoming
from dpobot.model.words import Channel, Kind


async def open_case(context: Context, incoming: Incoming, kind: Kind, options: Mapping[str, Any] | None = None) -> Case:
    """Open the case of a message, or return the one that it has opened. Raises `Refusal` ``already_open``."""
    opening = service.Opening(
        person=incoming.sender,
        kind=kind,
        channel=Channel.MATRIX,
        trust=incoming.trust,
        local=incoming.local,
        room_id=incoming.room_id,
        event_id=incoming.event_id,
        options=options or {},
        received_at=incoming.received_at,
    )
    return (await service.open_case(context.tx, context.now, opening, context.rules)).case
