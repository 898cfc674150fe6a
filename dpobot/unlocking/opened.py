"""An archive as the person has it: volumes as they came or unpacked, several at once. Nothing in them is trusted."""

import json
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, Self

from dpobot.errors import ConfigurationError

MOST_DOCUMENT = 512 * 1024 * 1024  # bytes of a JSON document that is read whole, such as the key backup
MOST_LINE = 16 * 1024 * 1024  # bytes of an event's line; Matrix's limit is 65,536
_MANIFEST = "manifest.json"
_WANTED = re.compile(
    r"manifest\.json|media\.json|rooms/[^/]+/events(?:-\d{1,9})?\.jsonl|account/(?:account_data|key_backup)[^/]*\.json"
    r"|media/[^/]+|viewer/media[^/]*\.js"
)
_PART = re.compile(r"-(\d+)\.jsonl$")


class _Place(Protocol):
    """One volume, packed or not."""

    path: Path

    def names(self) -> Iterable[str]:
        """Return the entries, as they are named."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """Open an entry to be read as a stream."""
        ...


class _Packed:
    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self.path, self._file = path, file

    def names(self) -> Iterable[str]:
        return self._file.namelist()

    def open(self, name: str) -> IO[bytes]:
        return self._file.open(name)


class _Unpacked:
    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> Iterable[str]:
        found = [
            path
            for pattern in ("*", "account/*", "media/*", "viewer/*", "rooms/*/*")
            for path in _glob(self.path, pattern)
        ]
        return [path.relative_to(self.path).as_posix() for path in found]

    def open(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb")


def _glob(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield files only; a link could lead anywhere."""
    return (path for path in sorted(folder.glob(pattern)) if path.is_file() and not path.is_symlink())


class Opened:
    """The volumes of one archive as one: every entry by its name."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Look into all of ``paths``. Raises `ConfigurationError` if one is no volume, or they are of two archives."""
        self._entries: dict[str, _Place] = {}
        self._references: dict[str, Path] = {}
        with ExitStack() as stack:
            for path in paths:
                self._add(path, stack)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *trouble: object) -> None:
        self._stack.close()

    def events(self) -> list[tuple[str, str]]:
        """Return folder and file of all events, part after part of one room after the other."""
        files = [name for name in self._entries if name.startswith("rooms/")]
        return sorted(((name.split("/")[1], name) for name in files), key=lambda each: (each[0], _part(each[1])))

    def documents(self, start: str) -> Iterator[Any]:
        """Yield the JSON documents whose names begin so; calls ``dpobot(...)`` of the viewer's files, too."""
        for name in sorted(self._entries):
            if name.startswith(start):
                yield self._document(name)

    def lines(self, name: str) -> Iterator[bytes | None]:
        """Yield each line of an entry, None for one that is too long to be an event."""
        with self.reading(name) as file:
            while line := file.readline(MOST_LINE):
                if line.endswith(b"\n") or len(line) < MOST_LINE:
                    yield line
                    continue
                while (rest := file.readline(MOST_LINE)) and not rest.endswith(b"\n"):
                    pass
                yield None

    def holds(self, name: str) -> bool:
        """Whether there is such an entry."""
        return name in self._entries

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        """Open an entry as a stream. Raises `ConfigurationError` if its bytes can't be read."""
        place = self._entries[name]
        with _readable(place.path), place.open(name) as file:
            yield file

    def _document(self, name: str) -> Any:
        with self.reading(name) as file:
            data = file.read(MOST_DOCUMENT + 1)
        if name.endswith(".js"):
            data = data[data.find(b"(") + 1 : data.rfind(b")")]
        path = self._entries[name].path
        if len(data) > MOST_DOCUMENT:
            raise _no_archive(path, f"{name} is too large")
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise _no_archive(path, f"{name} is damaged") from error

    def _add(self, path: Path, stack: ExitStack) -> None:
        place = _place(path, stack)
        with _readable(path):
            names = list(place.names())
        if any(not safe_name(name) for name in names):
            raise _no_archive(path, "it holds names that could leave the folder")
        if _MANIFEST not in names:
            raise _no_archive(path, "it has no manifest.json")
        self._entries |= {name: place for name in names if _WANTED.fullmatch(name) and name not in self._entries}
        self._belongs(path, place)

    def _belongs(self, path: Path, place: _Place) -> None:
        held, self._entries[_MANIFEST] = self._entries[_MANIFEST], place
        manifest = self._document(_MANIFEST)
        self._entries[_MANIFEST] = held
        reference = manifest.get("reference") if isinstance(manifest, dict) else None
        if not isinstance(reference, str):
            raise _no_archive(path, "its manifest.json names no case")
        self._references.setdefault(reference, path)
        if len(self._references) > 1:
            first, second = self._references.values()
            raise ConfigurationError([f"open: {first} and {second} belong to two archives: open one after the other"])


def safe_name(name: str) -> bool:
    """Whether an entry of this name stays inside its folder and can be printed in a terminal."""
    if not name or name.startswith("/") or "\\" in name or ":" in name:
        return False
    if any(unicodedata.category(character)[0] == "C" for character in name):
        return False
    return all(part.strip(". ") for part in name.removesuffix("/").split("/"))


def _part(name: str) -> int:
    found = _PART.search(name)
    return int(found[1]) if found else 1


def _place(path: Path, stack: ExitStack) -> _Place:
    if path.is_dir():
        return _Unpacked(path)
    with _readable(path):
        return _Packed(path, stack.enter_context(zipfile.ZipFile(path)))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn whatever reading a volume can raise into a sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise ConfigurationError([f"open: {path}: there is no such file or folder"]) from error
    except OSError as error:
        raise ConfigurationError([f"open: {path}: can't be read ({error.strerror or 'damaged'})"]) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _no_archive(path, "it is no ZIP file, or a damaged one; was it downloaded completely?") from error


def _no_archive(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError([f"open: {path} is no volume that dpobot made: {why}"])
