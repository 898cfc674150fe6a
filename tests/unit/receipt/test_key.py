"""The key file: made once, private, and never half written."""

import hashlib
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dpobot.errors import ConfigurationError
from dpobot.receipt import key
from dpobot.receipt.base64 import decoded, encoded


def test_it_is_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    """Only its owner may read it."""
    folder = tmp_path / "data"
    made = key.load_or_create(folder)
    path = folder / "receipt.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in folder.iterdir()] == ["receipt.key"]
    again = key.load_or_create(folder)
    assert (again.public, again.key_id) == (made.public, made.key_id)
    assert key.load(folder).public == made.public


def test_what_it_signs_its_public_key_verifies(tmp_path: Path) -> None:
    """Plain Ed25519; the name of a key is the beginning of its hash."""
    made = key.load_or_create(tmp_path)
    raw = decoded(made.public)
    Ed25519PublicKey.from_public_bytes(raw).verify(decoded(made.sign(b"x")), b"x")
    assert made.key_id == f"ed25519:{hashlib.sha256(raw).hexdigest()[:16]}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """With what to do about it."""
    key.load_or_create(tmp_path)
    path = tmp_path / "receipt.key"
    path.chmod(mode)
    with pytest.raises(ConfigurationError) as error:
        key.load_or_create(tmp_path)
    assert error.value.problems == [f"{path}: others may read this key and sign with it; chmod 600 {path}"]


@pytest.mark.parametrize("content", [b"", b"AAAA", b"\xff\xfe", b"A" * 42 + b"B", b"?" * 43])
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """It is not replaced in silence: its public key is published."""
    path = tmp_path / "receipt.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as error:
        key.load_or_create(tmp_path)
    assert str(path) in error.value.problems[0]
    assert path.read_bytes() == content


def test_a_key_that_is_not_there_is_only_made_by_who_may(tmp_path: Path) -> None:
    """Checking a receipt makes none."""
    with pytest.raises(ConfigurationError) as error:
        key.load(tmp_path)
    assert "made when dpobot first runs" in error.value.problems[0]
    assert not list(tmp_path.iterdir())


def test_who_comes_second_takes_the_key_of_who_was_first(tmp_path: Path) -> None:
    """Two processes that start at once have one key."""
    first = key.load_or_create(tmp_path)
    key._create(tmp_path / "receipt.key")
    assert key.load(tmp_path).public == first.public


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "data").write_text("")
    with pytest.raises(ConfigurationError) as error:
        key.load_or_create(tmp_path / "data")
    assert "can't be" in error.value.problems[0]


@pytest.mark.parametrize("public", ["", "AAAA", "x" * 43, encoded(bytes(31))])
def test_what_is_no_public_key_has_no_name(public: str) -> None:
    """Nor a text that is another way to write one."""
    with pytest.raises(ValueError, match=r"Base64|32 bytes"):
        key.key_id_of(public)
