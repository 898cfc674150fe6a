"""A link on its way: sent as words into a room that was looked at the moment before."""

from collections.abc import Mapping
from typing import Any

from dpobot.delivery.messages import key
from dpobot.matrix.api import Courier
from dpobot.model.ids import EventId, RoomId
from dpobot.model.records import Case


async def send(matrix: Courier, case: Case, room_id: RoomId, content: Mapping[str, Any], token_hash: str) -> EventId:
    """Send the message that holds a link; sending it again gives the same event.

    The caller has checked the room at this moment (`delivery.rooms`); who comes in between that look and the encryption
    gets no key either: Rejected("other_members").
    """
    both = frozenset({case.person, matrix.user_id})
    return await matrix.send(room_id, content, txn_id=key("link", case.id, token_hash), only=both)
