"""A volume at rest: AES-256-GCM in pieces, so that any part of it can be read, and none can be changed unnoticed.

A piece is 64 KiB of plain bytes and its tag (16 bytes); the nonce is the piece's number. The key is used for one volume
with one content only (`token.key_of`), which its size belongs to: pieces can't be exchanged, left out or cut off.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dpobot.errors import DpobotError

PIECE = 65_536  # plain bytes
_TAG = 16


class Altered(DpobotError):
    """A file does not hold what was put into it."""


def encrypt(source: BinaryIO, target: BinaryIO, key: bytes) -> str:
    """Write the plain bytes of ``source`` to ``target``, encrypted; return their SHA-256, hex."""
    cipher, number, digest = AESGCM(key), 0, hashlib.sha256()
    while piece := source.read(PIECE):
        digest.update(piece)
        target.write(cipher.encrypt(_nonce(number), piece, None))
        number += 1
    return digest.hexdigest()


def encrypted_size(size: int) -> int:
    """Return how many bytes so many plain ones take."""
    return size + -(-size // PIECE) * _TAG


class Reader:
    """Reads plain bytes of an encrypted file from any place. ``size``: of the plain bytes. Blocks: for a thread.

    Raises `Altered` if the file has not the size that it must have, `OSError` if it can't be opened.
    """

    def __init__(self, path: Path, key: bytes, size: int) -> None:
        self._cipher = AESGCM(key)
        self._size = size
        self._file = path.open("rb", buffering=0)
        if os.fstat(self._file.fileno()).st_size != encrypted_size(size):
            self._file.close()
            raise Altered("size")

    def close(self) -> None:
        """Give the file back; closing twice is harmless."""
        self._file.close()

    def read(self, start: int, length: int) -> bytes:
        """Return plain bytes, fewer only at the end. Raises `Altered`."""
        end = min(start + length, self._size)
        if start >= end:
            return b""
        first = start // PIECE
        plain = b"".join(self._pieces(first, -(-end // PIECE)))
        return plain[start - first * PIECE : end - first * PIECE]

    def _pieces(self, first: int, end: int) -> Iterator[bytes]:
        self._file.seek(first * (PIECE + _TAG))
        for number in range(first, end):
            piece = self._piece()
            try:
                yield self._cipher.decrypt(_nonce(number), piece, None)
            except InvalidTag:
                raise Altered("tag") from None

    def _piece(self) -> bytes:
        """Return the next piece with its tag: a read may bring less than it is asked for."""
        found = b""
        while len(found) < PIECE + _TAG and (more := self._file.read(PIECE + _TAG - len(found))):
            found += more
        return found


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
