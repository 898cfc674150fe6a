"""Attachments: what we encrypt, somebody else's code opens."""

import os
from pathlib import Path

import pytest
from nio.crypto.attachments import decrypt_attachment

from dpobot.matrix.media import Sealing


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 5_000_000])
async def test_another_implementation_opens_what_was_sealed(tmp_path: Path, size: int) -> None:
    """matrix-nio's own decryption, on pycryptodome, gives the same bytes for empty, odd and many-block files."""
    plain = os.urandom(size)
    path = tmp_path / "volume.zip"
    path.write_bytes(plain)
    sealing = Sealing(path)
    sealed = b"".join([block async for block in sealing.blocks()])
    keys = sealing.keys()
    assert len(sealed) == size
    assert decrypt_attachment(sealed, keys["key"]["k"], keys["hashes"]["sha256"], keys["iv"]) == plain


async def test_no_two_files_share_a_key(tmp_path: Path) -> None:
    """The same file sealed twice has other keys, counters that begin at zero, and another ciphertext."""
    path = tmp_path / "volume.zip"
    path.write_bytes(b"the same")
    first, second = Sealing(path), Sealing(path)
    sealed = [[block async for block in one.blocks()] for one in (first, second)]
    assert sealed[0] != sealed[1]
    assert first.keys()["key"]["k"] != second.keys()["key"]["k"]
    assert first.keys()["iv"] != second.keys()["iv"]


async def test_an_upload_that_is_broken_off_leaves_no_open_file(tmp_path: Path) -> None:
    """A reader that stops early closes the file; warnings are errors here."""
    path = tmp_path / "volume.zip"
    path.write_bytes(os.urandom(3_000_000))
    blocks = Sealing(path).blocks()
    assert len(await anext(blocks)) == 1 << 20
    await blocks.aclose()  # type: ignore[attr-defined] # an async generator is an iterator that can be closed
    with pytest.raises(StopAsyncIteration):
        await anext(blocks)
