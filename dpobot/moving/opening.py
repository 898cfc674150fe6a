"""Archives on disk: volumes, an unpacked folder, or portable.json alone; and the one picture that is taken along."""

import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dpobot.moving import parcel
from dpobot.moving.parcel import Parcel
from dpobot.moving.stopped import ImportStopped

NAME = "portable.json"
MOST_BYTES = 64 * 1024 * 1024  # of portable.json
MOST_PICTURE = 20 * 1024 * 1024

_DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, KeyError)
_HINT = "name the first volume (its file ends in -01.zip), the folder it was unpacked into, or its portable.json"

Read = Callable[[str, int], bytes | None]  # a file's name in the archive, most bytes: None if it is not there


@dataclass(frozen=True, slots=True)
class Opened:
    """What was found: the parcel, the digest of its bytes, and where files beside it can be read."""

    parcel: Parcel
    digest: str
    places: tuple[Read, ...]

    def picture(self, file: str) -> bytes | None:
        """Return a file of the archive, None if it is in none of the volumes that were named, or is too large."""
        found = (place(file, MOST_PICTURE) for place in self.places)
        return next((data for data in found if data is not None), None)


def opened(paths: Sequence[Path]) -> Opened:
    """Open what the person named. Raises `ImportStopped`."""
    places = tuple(_place(path) for path in paths)
    for place in places:
        raw = place(NAME, MOST_BYTES)
        if raw is not None:
            return Opened(parcel.parse(raw), parcel.digest(raw), places)
    raise ImportStopped("there is no portable.json in it, or it is too large", _HINT)


def _place(path: Path) -> Read:
    if path.is_dir():
        return lambda name, most: _file(path, name, most)
    if not path.is_file():
        raise ImportStopped(f"there is no file {path.name}", _HINT)
    if zipfile.is_zipfile(path):
        return lambda name, most: _entry(path, name, most)
    if path.suffix.lower() != ".json":
        raise ImportStopped(f"{path.name} is not an archive of dpobot", _HINT)
    # the file itself is what was named, whatever it is called; files beside it are found as in the folder
    return lambda name, most: _whole(path, most) if name == NAME else _file(path.parent, name, most)


def _file(folder: Path, name: str, most: int) -> bytes | None:
    path = (folder / name).resolve()
    inside = path.is_relative_to(folder.resolve())  # a name out of the archive must not lead out of it
    return _whole(path, most) if inside and path.is_file() else None


def _whole(path: Path, most: int) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= most else None
    except OSError as error:
        raise ImportStopped(f"{path.name} can't be read ({error.strerror})", "look at who may read it") from error


def _entry(volume: Path, name: str, most: int) -> bytes | None:
    try:
        with zipfile.ZipFile(volume) as archive:
            if name not in archive.namelist() or archive.getinfo(name).file_size > most:
                return None
            with archive.open(name) as file:
                data = file.read(most + 1)  # what the directory of a ZIP says of sizes need not be true
            return data if len(data) <= most else None
    except _DAMAGED as error:
        raise ImportStopped(f"{volume.name} is damaged", "get it again from where you got it") from error
