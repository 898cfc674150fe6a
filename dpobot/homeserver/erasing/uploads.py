"""What a person uploaded: which of it a room names, and the deletion of all of it."""

import json
import re

from dpobot.homeserver.category import Subject
from dpobot.homeserver.erasing.pages import judged
from dpobot.homeserver.erasing.redactable import Fate
from dpobot.homeserver.http import Http
from dpobot.model.ids import Mxc, RoomId, UserId, server_of

DELETE_ALL = "DELETE /_synapse/admin/v1/users/{user}/media"
ENDPOINTS = (DELETE_ALL,)

_BATCH = 100
_MXC = re.compile(r"mxc://([^/\"'\s\\<>]+)/([A-Za-z0-9_~.-]+)")


async def media_in(http: Http, room_id: RoomId, user: UserId) -> frozenset[Mxc] | None:
    """Return the media of our server that the person's events in a room name; None if encrypted events may name more.

    Wherever it stands: as file, thumbnail, picture of a profile or a room, or inside formatted text.
    """
    named: set[Mxc] = set()
    async for event, chosen in judged(http, room_id, user):
        if event.get("type") == "m.room.encrypted" and chosen is not Fate.EMPTY:
            return None
        named |= mentioned(json.dumps(event.get("content")), server_of(user))
    return frozenset(named)


def mentioned(text: str, server: str) -> frozenset[Mxc]:
    """Return the media of one server that a text names (spec, "Matrix Content (mxc://) URIs")."""
    return frozenset(Mxc(f"mxc://{host}/{media}") for host, media in _MXC.findall(text) if host == server)


async def delete_all(subject: Subject) -> int:
    """Delete a batch of what the person uploaded; return how many went."""
    answer = await subject.ask(DELETE_ALL, params={"limit": _BATCH, "order_by": "created_ts", "dir": "f"})
    deleted = answer.get("deleted_media")
    return len(deleted) if isinstance(deleted, list) else 0
