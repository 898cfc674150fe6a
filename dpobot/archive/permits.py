"""Permits: which events of which room our own check has let pass, in the order in which the archive has them.

The last look at a finished archive (`archive.inspect`) compares event by event: nothing more, nothing else, in no other
order. On disk they are digests of fixed length, so that they take the same memory whatever their number.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dpobot.archive.spool import disk

_FOLDER = "permits"
_DIGEST = 16  # bytes
_BLOCK = _DIGEST * 4096


def digest(room_id: str, event_id: str) -> bytes:
    """Return what stands for an event, 16 bytes."""
    text = f"{room_id}\0{event_id}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).digest()[:_DIGEST]


class Permits:
    """The permits of one archive, in a folder of its spool. ``pseudonyms``: nobody else's user ID may be in it."""

    def __init__(self, spool: Path, *, pseudonyms: bool) -> None:
        self._folder = spool / _FOLDER
        self.pseudonyms = pseudonyms

    @contextmanager
    def room(self, room_id: str) -> Iterator[Callable[[str], None]]:
        """Write a room's permits anew, one a call with an event ID; on disk when the context ends.

        Raises `Unavailable` ``disk_full``.
        """
        with disk():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with self._path(room_id).open("wb") as file:

                def permit(event_id: str) -> None:
                    file.write(digest(room_id, event_id))

                yield permit
                file.flush()
                os.fsync(file.fileno())

    def total(self) -> int:
        """Return how many permits there are in all rooms."""
        return sum(path.stat().st_size for path in self._folder.glob("*")) // _DIGEST

    def of(self, room_id: str, start: int) -> Iterator[bytes]:
        """Yield a room's permits from a place on, from 0; none for a room that was never checked."""
        path = self._path(room_id)
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(start * _DIGEST)
            while block := file.read(_BLOCK):
                yield from (block[start : start + _DIGEST] for start in range(0, len(block), _DIGEST))

    def _path(self, room_id: str) -> Path:
        return self._folder / hashlib.sha256(room_id.encode("utf-8", "surrogatepass")).hexdigest()
