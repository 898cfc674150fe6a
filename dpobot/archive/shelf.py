"""The row of volumes: which one is being filled, how much room it has left, what each one holds."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from dpobot.archive import layout
from dpobot.archive.volume import Packed, Volume
from dpobot.errors import Rejected

SMALLEST = 500_000  # bytes; below this a volume's own pages would leave no room for the data


@dataclass(slots=True)
class RoomPart:
    """The part of a room that lies in one volume. ``parts`` is known at the end."""

    number: int
    room_id: str
    name: str
    folder: str
    part: int
    events: int = 0
    pages: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Contents:
    """What a volume holds."""

    number: int
    events: int = 0
    rooms: list[RoomPart] = field(default_factory=list)
    media: int = 0
    account: int = 0
    other: int = 0
    pieces: dict[str, dict[str, Any]] = field(default_factory=dict)  # entry -> which piece of which file


@dataclass(frozen=True, slots=True)
class Summary:
    """What every volume's page says about a volume."""

    number: int
    file: str
    events: int
    first_room: str
    last_room: str
    rooms: int
    media: int
    account: int
    other: int

    def manifest(self) -> dict[str, Any]:
        """Return the volume as the manifest says it."""
        wanted = ("number", "file", "events", "rooms", "media", "account", "other")
        return {key: value for key, value in asdict(self).items() if key in wanted}


class Shelf:
    """Volumes in ``target``, each below ``limit`` bytes. One is open, those before wait for index and manifest.

    ``reserve``: bytes of each that index and manifest take at most (`budget.reserve`).
    """

    def __init__(
        self, target: Path, reference: str, at: datetime, limit: int, reserve: int, opening: list[Packed]
    ) -> None:
        if limit < SMALLEST:
            raise Rejected("volume_too_small")
        self._target, self._reference, self._at, self.limit = target, reference, at, limit
        self._opening = opening
        self._reserve = reserve
        self.capacity = limit - self._reserve - sum(entry.cost for entry in opening)
        if self.capacity < SMALLEST // 2:
            raise Rejected("volume_too_small")
        self.before_turn: Callable[[], None] | None = None
        self.held = 0  # bytes promised to what is staged for this volume
        self.promised = 0  # bytes promised to what is written when this volume is finished
        self.summaries: list[Summary] = []
        self._open(1)

    @property
    def number(self) -> int:
        """The number of the volume that is open."""
        return self.contents.number

    @property
    def left(self) -> int:
        """Bytes that entries may still cost in the open volume."""
        taken = self.volume.position + self.volume.entry_costs + self.held + self.promised
        return self.limit - self._reserve - taken

    @property
    def fresh(self) -> bool:
        """Whether the open volume holds nothing yet but what each volume begins with."""
        return self.bare and not self.held

    @property
    def bare(self) -> bool:
        """Whether nothing has been put into the open volume yet, whatever is staged for it."""
        return len(self.volume.entries) == len(self._opening)

    def place(self, entry: Packed) -> int:
        """Put an entry into the open volume, or into the next if it does not fit; return the volume's number."""
        if entry.cost > self.left and not self.fresh:
            self.turn()
        if entry.cost > self.left:
            raise Rejected("volume_too_small")
        self.put(entry)
        return self.number

    def put(self, entry: Packed) -> None:
        """Put an entry into the open volume; the caller knows that it fits."""
        self.volume.add(entry)

    def turn(self) -> None:
        """Set the open volume aside and begin the next."""
        number = self.number + 1
        self.rest()
        self._open(number)

    def rest(self) -> None:
        """Set the open volume aside."""
        if self.before_turn:
            self.before_turn()
        contents = self.contents
        names = [room.name for room in contents.rooms] or [""]
        self.summaries.append(
            Summary(
                contents.number,
                self.volume.path.name,
                contents.events,
                names[0],
                names[-1],
                len(contents.rooms),
                contents.media,
                contents.account,
                contents.other,
            )
        )
        self.volume.suspend()
        self._note(contents.number).write_text(json.dumps(asdict(contents)), "utf-8")

    def take(self, number: int) -> tuple[Volume, Contents]:
        """Return a volume that was set aside, to be finished."""
        volume = self._volume(number)
        volume.resume()
        note = self._note(number)
        raw = json.loads(note.read_bytes())
        note.unlink()
        rooms = [RoomPart(**room) for room in raw.pop("rooms")]
        return volume, Contents(**raw, rooms=rooms)

    def _open(self, number: int) -> None:
        self.volume = self._volume(number)
        self.volume.create()
        self.contents = Contents(number)
        self.promised = 0
        for entry in self._opening:
            self.volume.add(entry)

    def _volume(self, number: int) -> Volume:
        return Volume(self._target / layout.volume_name(self._reference, number), self._at)

    def folder(self, number: int) -> str:
        """Return the folder that a volume is to be unpacked into: named like its file."""
        return layout.volume_name(self._reference, number).removesuffix(".zip")

    def _note(self, number: int) -> Path:
        return self._target / f"{number}.contents"
