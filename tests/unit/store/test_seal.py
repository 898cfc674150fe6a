"""Encryption at rest: what comes out is what went in, at the same place, with keys that are kept."""

import json
import stat
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.errors import ConfigurationError
from dpobot.store.seal import Seal, SealError, load_or_create

KEY, OTHER = b"k" * 32, b"o" * 32
SEAL = Seal({"k1": KEY}, "k1")


@given(plain=st.binary(max_size=200), context=st.text(max_size=30))
def test_what_is_closed_opens_again(plain: bytes, context: str) -> None:
    """Any bytes, any context."""
    assert SEAL.open(SEAL.close(plain, context), context) == plain


def test_the_same_value_never_looks_the_same() -> None:
    """A fresh nonce each time: equal values can't be told from the envelopes."""
    assert SEAL.close(b"a", "t.c") != SEAL.close(b"a", "t.c")


def test_json_values_keep_their_shape() -> None:
    """Also what only JSON can hold: lone surrogates, deep values, null."""
    value = {"body": "\ud800 é 😀", "n": [1, 2.5, None, {"x": True}]}
    assert SEAL.open_json(SEAL.close_json(value, "t.c"), "t.c") == value


def test_a_value_does_not_open_elsewhere() -> None:
    """The context is authenticated."""
    with pytest.raises(SealError, match="not of this place"):
        SEAL.open(SEAL.close(b"secret", "inbox.sealed"), "outbox.sealed")


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_no_bit_can_be_changed(position: int, bit: int) -> None:
    """Every bit of an envelope is covered: format, key ID, nonce, ciphertext and tag."""
    sealed = bytearray(SEAL.close(b"secret", "t.c"))
    sealed[position % len(sealed)] ^= 1 << bit
    with pytest.raises(SealError):
        SEAL.open(bytes(sealed), "t.c")


@given(st.binary(max_size=60))
def test_rubbish_is_refused(rubbish: bytes) -> None:
    """Whatever bytes are in the column, the error is ours."""
    with pytest.raises(SealError):
        SEAL.open(rubbish, "t.c")


def test_old_keys_still_open_after_a_change() -> None:
    """A new current key closes; the old one opens what it closed; without it nothing opens."""
    old = SEAL.close(b"old", "t.c")
    changed = Seal({"k1": KEY, "k2": OTHER}, "k2")
    new = changed.close(b"new", "t.c")
    assert [changed.open(old, "t.c"), changed.open(new, "t.c")] == [b"old", b"new"]
    with pytest.raises(SealError, match="not in the key file"):
        SEAL.open(new, "t.c")


@pytest.mark.parametrize(
    ("keys", "current"), [({"a": KEY}, "b"), ({"a": b"short"}, "a"), ({"": KEY}, ""), ({"a" * 65: KEY}, "a" * 65)]
)
def test_unusable_keys_are_refused(keys: dict[str, bytes], current: str) -> None:
    """Wrong length, wrong name, no current one."""
    with pytest.raises(ValueError, match="key"):
        Seal(keys, current)


def test_nothing_of_keys_or_values_shows() -> None:
    """Neither the repr nor an error, with its causes, holds a key or a value."""
    key, words = b"top" * 10 + b"k!", b"zx" * 6
    seal = Seal({"k1": key}, "k1")
    try:
        seal.open(seal.close(words, "t.c"), "elsewhere")
    except SealError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error)
    assert [secret.decode() in shown + repr(seal) for secret in (key, words)] == [False, False]


def test_a_key_file_is_made_once(tmp_path: Path) -> None:
    """The second start reads what the first one made; nobody else can read it; no draft stays."""
    path = tmp_path / "seal.keys"
    first, second = load_or_create(path), load_or_create(path)
    assert second.open(first.close(b"x", "t.c"), "t.c") == b"x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["seal.keys"]


def test_an_open_key_file_is_refused(tmp_path: Path) -> None:
    """Keys that others may read are no keys."""
    path = tmp_path / "seal.keys"
    load_or_create(path)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_or_create(path)


@pytest.mark.parametrize(
    "text", ["no json", "[]", '{"keys": {}, "current": "a"}', json.dumps({"keys": {"a": "???"}, "current": "a"}), "{}"]
)
def test_a_damaged_key_file_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    """It is never replaced: what it sealed would be lost. The error does not quote it."""
    path = tmp_path / "seal.keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="no key file of dpobot"):
        load_or_create(path)
    assert path.read_text() == text


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The problem names the path."""
    with pytest.raises(ConfigurationError, match="can't be written"):
        load_or_create(tmp_path / "nowhere" / "seal.keys")
