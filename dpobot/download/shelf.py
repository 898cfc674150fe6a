"""Where the volumes of links lie on this machine: a private folder for each case, holding nothing in clear."""

import os
import shutil
from pathlib import Path

from dpobot.download import cipher, token
from dpobot.download.cipher import Reader
from dpobot.errors import Unavailable

_LINK = "link"  # beside the volumes of a link: the hash of its secret


class Shelf:
    """The folder of all links. Its methods block, and are for a thread; they raise Unavailable("disk")."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, case_id: int, secret: str, number: int, source: Path, size: int, sha256: str) -> None:
        """Encrypt a plain file and delete it. Whole or not at all; harmless to repeat, also when the file is gone.

        ``size``, ``sha256``: of the plain bytes. Raises Unavailable("spool_lost") if the file does not hold them.
        """
        target = self._path(case_id, number)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            _claim(target.parent, token.hash_of(secret))
            if not target.exists():
                _write(source, target, token.key_of(secret, number, size, sha256), sha256)
            source.unlink(missing_ok=True)
        except FileNotFoundError as error:
            raise Unavailable("spool_lost") from error
        except OSError as error:
            raise Unavailable("disk") from error

    def open(self, case_id: int, secret: str, number: int, size: int, sha256: str) -> Reader:
        """Return what reads a volume. Raises `Altered`, `OSError`."""
        return Reader(self._path(case_id, number), token.key_of(secret, number, size, sha256), size)

    def remove(self, case_id: int) -> bool:
        """Delete all that is kept for a case; False if there was nothing."""
        folder = self._folder / str(case_id)
        if not folder.exists():
            return False
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise Unavailable("disk") from error
        return True

    def links(self) -> dict[int, str | None]:
        """Return which cases have something here, each with the hash of its link's secret, None if nobody noted it."""
        if not self._folder.exists():
            return {}
        cases = [path for path in self._folder.iterdir() if path.name.isdecimal()]
        return {int(path.name): _link(path) for path in cases}

    def _path(self, case_id: int, number: int) -> Path:
        return self._folder / str(case_id) / str(number)


def _claim(folder: Path, link: str) -> None:
    """Make the folder of a link; what lies there for another link of the same case, begun here earlier, goes."""
    if _link(folder) not in (None, link):
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    draft = folder / f"{_LINK}.part"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(link)
    draft.rename(folder / _LINK)


def _link(folder: Path) -> str | None:
    try:
        return (folder / _LINK).read_text("ascii")
    except FileNotFoundError:
        return None


def _write(source: Path, target: Path, key: bytes, sha256: str) -> None:
    draft = target.with_suffix(".part")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as plain, os.fdopen(handle, "wb") as file:
        if cipher.encrypt(plain, file, key) != sha256:
            raise Unavailable("spool_lost")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(target)
    _sync(target.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
