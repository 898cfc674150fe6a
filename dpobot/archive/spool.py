"""What an export has collected so far: a private folder that survives crashes, written at journaled offsets."""

import errno
import hashlib
import io
import json
import math
import os
import secrets
import shutil
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from dpobot.archive import layout
from dpobot.errors import Unavailable

_PARTS = ("account", "rooms", "media", "other", "notes")
_GENERATION = "generation"
_FORMAT = 1  # raised with every change of what lies in a spool or how it is read: after an upgrade it begins anew
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))  # making one takes its time
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Room:
    """A room the person was ever in. ``number`` from 1, in the archive's order; ``missing``: why it has no events."""

    number: int
    room_id: str
    name: str | None
    membership: str
    encrypted: bool | None = None
    missing: str | None = None
    alias: str | None = None
    join_rule: str | None = None


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium the person uploaded. ``sha256`` hex of its bytes, None if ``missing`` says why they could not be had.

    ``name`` and ``media_type`` are as given at upload (untrusted); ``created_at`` ISO 8601 UTC; ``size`` bytes.
    """

    number: int
    url: str
    media_type: str
    size: int
    name: str | None
    created_at: str | None
    sha256: str | None
    missing: str | None


@dataclass(frozen=True, slots=True)
class Added:
    """A file that staff added from another system; ``number`` from 1. The rest is as with `Medium`."""

    number: int
    name: str
    media_type: str
    size: int
    sha256: str | None
    missing: str | None


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of account data, as collected."""

    category: str
    title: str
    records: Sequence[Mapping[str, Any]]
    truncated: bool
    missing: str | None


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a file ends after an append, bytes, and how many lines the append wrote."""

    offset: int
    count: int


def encode(value: object) -> bytes:
    """Return compact JSON in UTF-8; lone surrogates are escaped, NaN and infinities (which JSON lacks) become null."""
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        return json.dumps(_finite(value), allow_nan=False, separators=(",", ":")).encode()
    except ValueError:
        return encode(_finite(value))


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


@contextmanager
def disk() -> Iterator[None]:
    """Turn a full disk into `Unavailable` ``disk_full``: the job waits and goes on."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable("disk_full") from error
        raise


class Spool:
    """One export's folder (0700, files 0600). Every write is on disk when its call returns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._furnish()

    def _furnish(self) -> None:
        with disk():
            for part in (self.folder, *(self.folder / name for name in _PARTS)):
                part.mkdir(mode=0o700, parents=part is self.folder, exist_ok=True)
                part.chmod(0o700)

    # writing

    def account(
        self,
        category: str,
        records: Iterable[Mapping[str, Any]],
        *,
        truncated: bool = False,
        missing: str | None = None,
        title: str | None = None,
    ) -> int:
        """Write a category whole; return its number of records. ``missing``: a stable code why none could be had."""
        kept = list(records)
        value = Category(category, title or _title(category), kept, truncated, missing)
        self._replace(layout.spool_category(category), encode(asdict(value)))
        return len(kept)

    def rooms(self, rooms: Sequence[Room]) -> None:
        """Write the list of all rooms."""
        self._replace(layout.ROOMS, encode([asdict(room) for room in rooms]))

    def keep(self, name: str, value: object) -> None:
        """Write what was found out beside the data (``name``: see `layout.spool_note`), as JSON."""
        self._replace(layout.spool_note(name), encode(value))

    def append(self, room: int, offset: int, events: Iterable[Mapping[str, Any]]) -> Appended:
        """Append events (see `clean.own_event`) at the journaled ``offset``; what lies behind it is cut off first.

        Raises `Unavailable` ``disk_full``, and ``spool_lost`` if the file is shorter than the journal says.
        """
        lines = [encode(event) for event in events]
        return self._append(layout.spool_room(room), offset, lines)

    async def medium(self, medium: Medium, offset: int, blocks: AsyncIterable[bytes] | None) -> tuple[Appended, Medium]:
        """Write a medium's bytes, then its line at the journaled ``offset`` of the media list; return what was noted.

        ``blocks`` None: the bytes could not be had, ``medium.missing`` says why. Errors of ``blocks`` pass through and
        leave nothing behind.
        """
        noted = medium
        if blocks is not None:
            size, sha256 = await self._bytes(medium.number, blocks)
            noted = Medium(
                medium.number, medium.url, medium.media_type, size, medium.name, medium.created_at, sha256, None
            )
        return self._append(layout.MEDIA_LINES, offset, [encode(asdict(noted))]), noted

    def add(self, added: Added, offset: int) -> tuple[Appended, Added]:
        """Note a file whose bytes lie at `added_path`, at the journaled ``offset``; return what was noted.

        With ``missing`` there are no bytes. Nothing of what a crash left behind counts. Raises `Unavailable`.
        """
        noted = added
        if added.missing is None:
            path = self.added_path(added.number)
            with disk(), path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
                os.fsync(file.fileno())
            path.chmod(0o600)
            noted = replace(added, size=path.stat().st_size, sha256=digest.hexdigest())
        return self._append(layout.ADDED_LINES, offset, [encode(asdict(noted))]), noted

    def generation(self) -> str:
        """Return this spool's random name, made at the first call: what a lost spool held must not count as done.

        A spool that another version has begun, and that this one would read differently, is emptied and begun anew.
        """
        path = self.folder / _GENERATION
        if path.exists() and path.read_text("ascii").startswith(f"{_FORMAT}-"):
            return path.read_text("ascii")
        if path.exists():
            self.remove()
            self._furnish()
        self._replace(_GENERATION, f"{_FORMAT}-{secrets.token_hex(4)}".encode())
        return path.read_text("ascii")

    def remove(self) -> None:
        """Delete everything; nothing happens if it is gone already."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # reading

    def categories(self) -> list[str]:
        """Return the names of the categories, in alphabetical order."""
        return sorted(path.stem for path in (self.folder / "account").glob("*.json"))

    def category(self, name: str) -> Category:
        """Return one category."""
        return Category(**json.loads((self.folder / layout.spool_category(name)).read_bytes()))

    def room_list(self) -> list[Room]:
        """Return all rooms, by number."""
        path = self.folder / layout.ROOMS
        rooms = [Room(**item) for item in json.loads(path.read_bytes())] if path.exists() else []
        return sorted(rooms, key=lambda room: room.number)

    def kept(self, name: str) -> Any:
        """Return what `keep` wrote, None if it never did."""
        path = self.folder / layout.spool_note(name)
        return json.loads(path.read_bytes()) if path.exists() else None

    def media(self) -> Iterator[Medium]:
        """Yield all media in the order they were noted."""
        for line in self._lines(layout.MEDIA_LINES):
            yield Medium(**json.loads(line))

    def events(self, room: int) -> Iterator[bytes]:
        """Yield a room's events, one JSON object with its line end each."""
        return self._lines(layout.spool_room(room))

    @contextmanager
    def reading(self, room: int) -> Iterator[BinaryIO]:
        """Open a room's events, to be read in any order."""
        path = self.folder / layout.spool_room(room)
        if not path.exists():
            yield io.BytesIO()
            return
        with path.open("rb") as file:
            yield file

    def added(self) -> Iterator[Added]:
        """Yield all files that staff added, in the order they were noted."""
        for line in self._lines(layout.ADDED_LINES):
            yield Added(**json.loads(line))

    def added_path(self, number: int) -> Path:
        """Return where the bytes of a file that staff added lie."""
        return self.folder / layout.spool_added(number)

    def medium_path(self, number: int) -> Path:
        """Return where a medium's bytes lie."""
        return self.folder / layout.spool_medium(number)

    def size(self) -> int:
        """Return how many bytes the spool holds."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def _lines(self, name: str) -> Iterator[bytes]:
        path = self.folder / name
        if path.exists():
            with path.open("rb") as file:
                yield from file

    def _replace(self, name: str, data: bytes) -> None:
        path = self.folder / name
        draft = path.with_name(path.name + ".draft")
        try:
            with disk(), _private(draft) as file:
                file.truncate(0)
                file.write(data)
                _settle(file)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def _append(self, name: str, offset: int, lines: Sequence[bytes]) -> Appended:
        with disk(), _private(self.folder / name) as file:
            if file.seek(0, os.SEEK_END) < offset:
                raise Unavailable("spool_lost")
            file.truncate(offset)
            file.seek(offset)
            file.write(b"".join(line + b"\n" for line in lines))
            _settle(file)
            return Appended(file.tell(), len(lines))

    async def _bytes(self, number: int, blocks: AsyncIterable[bytes]) -> tuple[int, str]:
        path = self.medium_path(number)
        draft = path.with_name(path.name + ".draft")
        digest, size = hashlib.sha256(), 0
        try:
            with disk(), _private(draft) as file:
                file.truncate(0)
                async for block in blocks:
                    digest.update(block)
                    size += file.write(block)
                _settle(file)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        return size, digest.hexdigest()


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _title(category: str) -> str:
    return category.replace("_", " ").replace("-", " ").capitalize()
