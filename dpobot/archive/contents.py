"""What the program in index.html is told: which data files lie where, and which rooms there are."""

from collections.abc import Iterable, Sequence
from typing import Any

from dpobot.archive import layout
from dpobot.archive.messages import safe
from dpobot.archive.rooms import RoomTotal
from dpobot.archive.shelf import Summary
from dpobot.archive.viewer_data import Scripts

MOST_NAME = 80  # characters of a room's name


def contents(
    reference: str, volume: int, volumes: Sequence[Summary], scripts: Scripts, rooms: Iterable[RoomTotal], named: bool
) -> dict[str, Any] | None:
    """Return a volume's contents; None if no volume has anything to search.

    ``named``: rooms that lie in other volumes have their names, too.
    """
    listed = [
        {"number": item.number, "folder": item.file.removesuffix(".zip"), "scripts": list(scripts.of(item.number))}
        for item in volumes
    ]
    if not any(item["scripts"] for item in listed):
        return None
    known = {
        str(total.room.number): _room(total, named or total.first_volume <= volume <= total.last_volume)
        for total in rooms
        if total.events
    }
    return {"reference": reference, "volume": volume, "volumes": listed, "rooms": known}


def _room(total: RoomTotal, named: bool) -> dict[str, Any]:
    room = total.room
    return {
        "name": safe(room.name, MOST_NAME) if named else "",
        "room_id": safe(room.room_id, 255) if named else "",
        "encrypted": total.encrypted,
        "events": total.events,
        "folder": layout.room_folder(room.number, room.name) if named else f"rooms/{room.number:04d}",
    }
