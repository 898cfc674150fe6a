"""Where the volumes of links lie on this machine: a private folder for each case, holding nothing in clear."""

import os
import shutil
from pathlib import Path

from dpobot.download import cipher, token
from dpobot.download.cipher import Reader
from dpobot.errors import Unavailable


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
            if not target.exists():
                self._folder.mkdir(mode=0o700, exist_ok=True)
                target.parent.mkdir(mode=0o700, exist_ok=True)
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

    def _path(self, case_id: int, number: int) -> Path:
        return self._folder / str(case_id) / str(number)


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
