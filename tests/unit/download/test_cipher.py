"""Volumes at rest: any part reads as it was, nothing else opens them, and no change goes unnoticed."""

import hashlib
import io
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.download import cipher, token
from dpobot.download.cipher import PIECE, Altered, Reader
from dpobot.download.shelf import Shelf
from dpobot.errors import Unavailable
from tests.unit.download.conftest import content

KEY = bytes(range(32))
_FOUR = 3 * PIECE + 77


@pytest.fixture(scope="module")
def plain() -> bytes:
    """Three pieces and a bit."""
    return content(9, _FOUR)


def _encrypted(data: bytes, key: bytes = KEY) -> bytes:
    target = io.BytesIO()
    assert cipher.encrypt(io.BytesIO(data), target, key) == hashlib.sha256(data).hexdigest()
    return target.getvalue()


@pytest.fixture(scope="module")
def path(plain: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, encrypted."""
    file = tmp_path_factory.mktemp("cipher") / "1"
    file.write_bytes(_encrypted(plain))
    return file


_PLACES = st.one_of(st.integers(0, _FOUR + 10), st.sampled_from([PIECE - 1, PIECE, 2 * PIECE, _FOUR - 1, _FOUR]))


@given(start=_PLACES, length=st.one_of(st.integers(0, 100), st.integers(0, 2 * _FOUR)))
def test_any_part_reads_as_it_was(plain: bytes, path: Path, start: int, length: int) -> None:
    """From anywhere, of any length, in any order."""
    with closing(Reader(path, KEY, _FOUR)) as reader:
        assert reader.read(start, length) == plain[start : start + length]


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
def test_its_size_is_known_beforehand(tmp_path: Path, size: int) -> None:
    """A tag of 16 bytes for each piece; an empty file is empty."""
    data, file = content(1, size), tmp_path / "1"
    file.write_bytes(_encrypted(data))
    assert file.stat().st_size == cipher.encrypted_size(size)
    with closing(Reader(file, KEY, size)) as reader:
        assert reader.read(0, size) == data


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:5] + bytes([data[5] ^ 1]) + data[6:],
        lambda data: data[PIECE + 16 : 2 * PIECE + 32] + data[: PIECE + 16] + data[2 * PIECE + 32 :],
        lambda data: data[: PIECE + 16] * 3 + data[3 * PIECE + 48 :],
        lambda data: data[:-1],
        lambda data: data[: -(77 + 16)],
        lambda data: data + b"x",
        lambda data: bytes(len(data)),
    ],
)
def test_no_change_goes_unnoticed(path: Path, tmp_path: Path, change: object) -> None:
    """A bit, two pieces exchanged, one repeated, an end cut off or added: nothing of it is given out."""
    assert callable(change)
    file = tmp_path / "1"
    file.write_bytes(change(path.read_bytes()))
    with pytest.raises(Altered), closing(Reader(file, KEY, _FOUR)) as reader:
        reader.read(0, _FOUR)


def test_another_key_opens_nothing(path: Path) -> None:
    """Not even a byte."""
    with closing(Reader(path, bytes(32), _FOUR)) as reader, pytest.raises(Altered):
        reader.read(0, 1)


def test_each_volume_and_each_content_has_its_own_key() -> None:
    """So that a counter as nonce never meets the same key with other bytes (NIST SP 800-38D, 8)."""
    one, other = token.new_token(), token.new_token()
    places = [(one, 1, 10, "a"), (other, 1, 10, "a"), (one, 2, 10, "a"), (one, 1, 11, "a"), (one, 1, 10, "b")]
    keys = [token.key_of(*place) for place in places]
    assert (len(set(keys)), {len(key) for key in keys}) == (5, {32})
    assert token.key_of(*places[0]) == keys[0]
    with pytest.raises(ValueError, match="no"):
        token.key_of("x", 1, 10, "a")


def test_what_the_database_knows_opens_nothing(tmp_path: Path, plain: bytes) -> None:
    """Its hash is not the secret, and no key comes of it."""
    secret = token.new_token()
    assert token.is_token(token.hash_of(secret)) is False
    assert token.same(token.hash_of(secret), token.hash_of(secret)) is True
    assert [token.same(*pair) for pair in ((None, None), ("", ""), ("a", None), ("a", "b"))] == [False] * 4
    source = tmp_path / "plain"
    source.write_bytes(plain)
    Shelf(tmp_path / "shelf").put(7, secret, 1, source, len(plain), hashlib.sha256(plain).hexdigest())
    data = (tmp_path / "shelf" / "7" / "1").read_bytes()
    assert not any(plain[at : at + 16] in data for at in range(0, _FOUR - 16, PIECE // 2))


def test_a_volume_is_moved_whole_or_not_at_all(tmp_path: Path, plain: bytes) -> None:
    """Private, without its plain file, and as often as wanted; one that is not what was packed is refused."""
    shelf, secret, source = Shelf(tmp_path / "shelf"), token.new_token(), tmp_path / "plain"
    digest = hashlib.sha256(plain).hexdigest()
    source.write_bytes(plain)
    (tmp_path / "shelf" / "7").mkdir(parents=True)
    (tmp_path / "shelf" / "7" / "1.part").write_bytes(b"what a crash has left")
    for _ in range(2):
        shelf.put(7, secret, 1, source, _FOUR, digest)
    found = [(path.name, path.stat().st_mode & 0o777) for path in sorted((tmp_path / "shelf" / "7").iterdir())]
    assert (found, source.exists()) == ([("1", 0o600), ("link", 0o600)], False)
    assert shelf.links() == {7: token.hash_of(secret)}
    with closing(shelf.open(7, secret, 1, _FOUR, digest)) as reader:
        assert reader.read(0, _FOUR) == plain
    source.write_bytes(plain[:-1])
    for number in (2, 3):
        with pytest.raises(Unavailable, match="spool_lost"):
            shelf.put(7, secret, number, source, _FOUR, digest)
        assert not (tmp_path / "shelf" / "7" / str(number)).exists()
        source.unlink(missing_ok=True)


def test_another_link_of_a_case_begins_anew(tmp_path: Path, plain: bytes) -> None:
    """What a job had shelved here before it went on elsewhere, and came back, is not taken for the new link's."""
    shelf, digest, source = Shelf(tmp_path / "shelf"), hashlib.sha256(plain).hexdigest(), tmp_path / "plain"
    first, second = token.new_token(), token.new_token()
    for secret, numbers in ((first, (1, 2)), (second, (1,))):
        for number in numbers:
            source.write_bytes(plain)
            shelf.put(7, secret, number, source, _FOUR, digest)
    assert sorted(path.name for path in (tmp_path / "shelf" / "7").iterdir()) == ["1", "link"]
    with closing(shelf.open(7, second, 1, _FOUR, digest)) as reader:
        assert reader.read(0, _FOUR) == plain
    assert shelf.links() == {7: token.hash_of(second)}


def test_its_folders_are_private(tmp_path: Path) -> None:
    """Nobody else on the machine sees even how many links there are."""
    source = tmp_path / "plain"
    source.write_bytes(b"x")
    Shelf(tmp_path / "shelf").put(7, token.new_token(), 1, source, 1, hashlib.sha256(b"x").hexdigest())
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "shelf", tmp_path / "shelf" / "7")] == [0o700] * 2


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    """As any trouble of the disk's."""
    (tmp_path / "shelf").write_text("no folder")
    (tmp_path / "plain").write_bytes(b"x")
    with pytest.raises(Unavailable, match="disk"):
        Shelf(tmp_path / "shelf").put(7, token.new_token(), 1, tmp_path / "plain", 1, "0")
