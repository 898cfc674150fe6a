"""What of a volume is kept free for the pages that are written last: index.html and manifest.json."""

from dpobot.archive.contents import MOST_NAME
from dpobot.archive.messages import safe
from dpobot.archive.pages import Writer
from dpobot.archive.spool import Room, Spool, encode
from dpobot.archive.volume import pack

_PAGE = 64_000  # what stands on both anyway, pictures and their tables too
_VOLUME = 300  # a line for each volume
_SCRIPT = 40  # for each data file in the program's list; all of them are alike
_ROOM = 60  # for each room in the same list, beside its names
_LINES_OF_ADDED = 4  # a file that staff added stands in each volume's index and manifest: as much as so many volumes
_SCRIPT_BYTES = 700_000  # of the spool; one data file holds at least so much of it


def reserve(spool: Spool, writer: Writer, volume_bytes: int, named: bool) -> int:
    """Return bytes to keep free in each volume; ``named``: the program knows other volumes' rooms by name."""
    size = spool.size()
    lines = _LINES_OF_ADDED * sum(1 for _ in spool.added())
    volumes = 3 + 3 * size // max(volume_bytes, 1)
    rooms = spool.room_list()
    scripts = 3 * volumes + 2 * len(rooms) + size // _SCRIPT_BYTES
    known = sum(_named(room) if named else _ROOM for room in rooms)
    return _PAGE + _VOLUME * (volumes + lines) + _SCRIPT * scripts + known + _program(writer)


def named(spool: Spool, volume_bytes: int) -> bool:
    """Whether every volume can name all rooms; if there are very many for its size, only those that it holds."""
    return sum(_named(room) for room in spool.room_list()) <= volume_bytes // 8


def _named(room: Room) -> int:
    """Return bytes that a room takes in the program's list: its folder's name is made of its own."""
    return _ROOM + len(encode([safe(room.name, MOST_NAME), safe(room.room_id, 255)]))


def _program(writer: Writer) -> int:
    return pack("index.html", (writer.viewer.program + writer.viewer.style).encode()).cost
