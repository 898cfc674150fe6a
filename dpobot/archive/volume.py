"""One ZIP volume: entries of known size, written one after the other (APPNOTE.TXT 6.3.10, ZIP64 where it is needed).

The standard library can't add an entry that is compressed already, nor tell how large one will be; both are needed to
stay below a size and to split rooms between volumes. The result is read back with the standard library (inspect.py).
"""

import hashlib
import json
import struct
import zlib
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

STORED, DEFLATED = 0, 8
BLOCK = 256 * 1024
_LEVEL = 6
_LARGE = 0xFFFFFFFF
_MANY = 0xFFFF
_UTF8 = 0x800
_UNIX_FILE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Packed:
    """An entry ready to be written: its packed bytes are ``data``, or lie in the file ``path`` from ``start`` on."""

    name: str
    method: int
    crc: int
    size: int
    packed: int
    sha256: str
    data: bytes = b""
    path: Path | None = None
    start: int = 0

    @property
    def cost(self) -> int:
        """Return bytes of the volume that this entry takes at most: itself, its headers, its line in the manifest."""
        return self.packed + 420 + 4 * len(self.name.encode())


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that is in a volume."""

    name: str
    method: int
    crc: int
    size: int
    packed: int
    sha256: str
    offset: int


def pack(name: str, data: bytes) -> Packed:
    """Deflate a small file in memory."""
    squeezer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    packed = squeezer.compress(data) + squeezer.flush()
    return Packed(name, DEFLATED, zlib.crc32(data), len(data), len(packed), hashlib.sha256(data).hexdigest(), packed)


def store(name: str, path: Path, start: int = 0, length: int | None = None) -> Packed:
    """Take ``length`` bytes of a file (None: to its end) as they are."""
    size = path.stat().st_size - start if length is None else length
    crc, digest = 0, hashlib.sha256()
    with path.open("rb") as file:
        file.seek(start)
        left = size
        while left and (block := file.read(min(BLOCK, left))):
            crc = zlib.crc32(block, crc)
            digest.update(block)
            left -= len(block)
    return Packed(name, STORED, crc, size, size, digest.hexdigest(), path=path, start=start)


class Stage:
    """A file deflated block by block into a staging file, its packed size known before each block is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_bytes(b"")
        self._squeezer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
        self._offer = (b"", b"", self._squeezer)
        self._crc, self._digest = 0, hashlib.sha256()
        self.size = self.packed = 0

    def offer(self, data: bytes) -> int:
        """Return how many packed bytes ``data`` would add; `keep` adds it."""
        squeezer = self._squeezer.copy()
        packed = squeezer.compress(data) + squeezer.flush(zlib.Z_SYNC_FLUSH)
        self._offer = (data, packed, squeezer)
        return len(packed) + 8

    def keep(self) -> None:
        """Add what was offered last."""
        data, packed, self._squeezer = self._offer
        self._offer = (b"", b"", self._squeezer)
        self._write(packed)
        self._crc = zlib.crc32(data, self._crc)
        self._digest.update(data)
        self.size += len(data)
        self.packed += len(packed)

    def finish(self, name: str) -> Packed:
        """Return the staged entry; nothing can be added any more."""
        tail = self._squeezer.flush()
        self._write(tail)
        return Packed(
            name, DEFLATED, self._crc, self.size, self.packed + len(tail), self._digest.hexdigest(), path=self._path
        )

    def _write(self, packed: bytes) -> None:
        with self._path.open("ab") as file:  # opened each time: nothing stays open when packing breaks off
            file.write(packed)


class Volume:
    """A ZIP file in the making. `suspend` and `resume` let it wait on disk until all volumes are known."""

    def __init__(self, path: Path, at: datetime) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self.position = 0
        self.entry_costs = 0
        self._date = _dos_date(at)

    def create(self) -> None:
        """Begin an empty file that only we may read."""
        self.path.touch(mode=0o600, exist_ok=False)

    def add(self, entry: Packed) -> None:
        """Write an entry at the end."""
        noted = Entry(entry.name, entry.method, entry.crc, entry.size, entry.packed, entry.sha256, self.position)
        header = self._local(noted)
        with self.path.open("r+b") as file:
            file.seek(self.position)
            file.write(header)
            _copy(entry, file)
            self.position = file.tell()
        self.entries.append(noted)
        self.entry_costs += entry.cost - entry.packed

    def suspend(self) -> None:
        """Put what is known of the entries beside the volume and forget it."""
        note = {"position": self.position, "entries": [asdict(entry) for entry in self.entries]}
        self._note.write_text(json.dumps(note), "utf-8")
        self.entries = []

    def resume(self) -> None:
        """Know the entries again."""
        note = json.loads(self._note.read_bytes())
        self.position = note["position"]
        self.entries = [Entry(**entry) for entry in note["entries"]]
        self._note.unlink()

    def close(self) -> int:
        """Write the central directory; return the size of the volume in bytes."""
        start = self.position
        with self.path.open("r+b") as file:
            file.seek(start)
            for entry in self.entries:
                file.write(self._central(entry))
            length = file.tell() - start
            file.write(_end(len(self.entries), length, start))
            file.truncate()
            return file.tell()

    @property
    def _note(self) -> Path:
        return self.path.with_suffix(".entries")

    def _local(self, entry: Entry) -> bytes:
        large = entry.size >= _LARGE or entry.packed >= _LARGE
        extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.packed) if large else b""
        shown = replace(entry, size=_LARGE, packed=_LARGE) if large else entry
        name = entry.name.encode()
        return b"PK\x03\x04" + self._common(shown, 45 if large else 20, len(name), len(extra)) + name + extra

    def _common(self, entry: Entry, version: int, name: int, extra: int) -> bytes:
        date, time = self._date
        return struct.pack(
            "<HHHHHLLLHH", version, _UTF8, entry.method, time, date, entry.crc, entry.packed, entry.size, name, extra
        )

    def _central(self, entry: Entry) -> bytes:
        wide = [value for value in (entry.size, entry.packed, entry.offset) if value >= _LARGE]
        extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        shown = replace(entry, size=min(entry.size, _LARGE), packed=min(entry.packed, _LARGE))
        name = entry.name.encode()
        version = 45 if wide else 20
        return (
            b"PK\x01\x02"
            + struct.pack("<H", 3 << 8 | version)  # made on Unix: the mode below counts
            + self._common(shown, version, len(name), len(extra))
            + struct.pack("<HHHLL", 0, 0, 0, _UNIX_FILE, min(entry.offset, _LARGE))
            + name
            + extra
        )


def _end(entries: int, length: int, start: int) -> bytes:
    """Return the end of central directory, after its ZIP64 form if a value does not fit."""
    wide = b""
    if entries >= _MANY or length >= _LARGE or start >= _LARGE:
        record = struct.pack("<QHHLLQQQQ", 44, 3 << 8 | 45, 45, 0, 0, entries, entries, length, start)
        wide = b"PK\x06\x06" + record + b"PK\x06\x07" + struct.pack("<LQL", 0, start + length, 1)
    count = min(entries, _MANY)
    tail = struct.pack("<HHHHLLH", 0, 0, count, count, min(length, _LARGE), min(start, _LARGE), 0)
    return wide + b"PK\x05\x06" + tail


def _copy(entry: Packed, file: BinaryIO) -> None:
    if entry.path is None:
        file.write(entry.data)
        return
    with entry.path.open("rb") as source:
        source.seek(entry.start)
        left = entry.packed
        while left and (block := source.read(min(BLOCK, left))):
            file.write(block)
            left -= len(block)
    if left:
        raise OSError("a file became shorter while it was packed")


def _dos_date(at: datetime) -> tuple[int, int]:
    moment = max(at.astimezone(UTC), datetime(1980, 1, 1, tzinfo=UTC))
    date = (moment.year - 1980) << 9 | moment.month << 5 | moment.day
    return date, moment.hour << 11 | moment.minute << 5 | moment.second // 2


class Draft:
    """A page whose last lines are not known yet, deflated so far; `cost` is what it takes at most with them."""

    def __init__(self, name: str, head: bytes) -> None:
        self.name = name
        self._head = head
        self._squeezer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
        self._packed = self._squeezer.compress(head) + self._squeezer.flush(zlib.Z_SYNC_FLUSH)

    @property
    def cost(self) -> int:
        """Return bytes of the volume for head, headers, and a tail of up to 2,000 bytes."""
        return len(self._packed) + 2_500 + 4 * len(self.name.encode())

    def finish(self, tail: bytes) -> Packed:
        """Return the entry."""
        data = self._head + tail
        packed = self._packed + self._squeezer.compress(tail) + self._squeezer.flush()
        digest = hashlib.sha256(data).hexdigest()
        return Packed(self.name, DEFLATED, zlib.crc32(data), len(data), len(packed), digest, packed)
