"""Secret storage and the recovery key, against the specification's own rules and an independent AES."""

import hashlib
import hmac

import pytest
from Crypto.Cipher import AES
from Crypto.Util import Counter
from hypothesis import given
from hypothesis import strategies as st

from dpobot.matrix.secret_storage import parse_recovery_key, recovery_key, seal, unseal
from dpobot.matrix.signatures import decode

KEY = bytes(range(32))
keys = st.binary(min_size=32, max_size=32)


@given(keys)
def test_a_recovery_key_is_read_back(key: bytes) -> None:
    """48 base58 characters in twelve groups; they begin with E (prefix 0x8B 0x01)."""
    written = recovery_key(key)
    assert [len(group) for group in written.split()] == [4] * 12
    assert written.startswith("Es")
    assert parse_recovery_key(f" {written}\n") == key == parse_recovery_key(written.replace(" ", ""))


@given(keys, st.integers(0, 47), st.sampled_from("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"))
def test_a_mistyped_recovery_key_is_refused(key: bytes, place: int, character: str) -> None:
    """One wrong character is noticed by prefix, length or parity, or gives at least no right key."""
    written = recovery_key(key).replace(" ", "")
    typed = written[:place] + character + written[place + 1 :]
    if typed == written:
        assert parse_recovery_key(typed) == key
        return
    try:
        found = parse_recovery_key(typed)
    except ValueError:
        return
    assert found != key


@pytest.mark.parametrize("text", ["", "hello", "0OIl", "E" * 48, "é", "1" * 48])
def test_other_texts_are_no_recovery_keys(text: str) -> None:
    """They are refused with ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - several causes, one answer
        parse_recovery_key(text)


@given(keys, st.binary(max_size=100), st.text(st.characters(codec="ascii"), max_size=20))
def test_a_secret_comes_back_and_bit_63_is_clear(key: bytes, plain: bytes, name: str) -> None:
    """What was sealed under a name is opened with the same key and name."""
    sealed = seal(key, name, plain)
    assert unseal(key, name, sealed) == plain
    assert decode(sealed["iv"])[8] & 0x80 == 0


def test_the_format_is_that_of_the_specification() -> None:
    """Ciphertext and MAC equal what HKDF, AES-CTR and HMAC of other libraries give."""
    name, iv = "m.cross_signing.master", bytes(16)
    pseudo = hmac.digest(bytes(32), KEY, hashlib.sha256)  # HKDF extract, RFC 5869
    first = hmac.digest(pseudo, name.encode() + b"\x01", hashlib.sha256)
    second = hmac.digest(pseudo, first + name.encode() + b"\x02", hashlib.sha256)
    cipher = AES.new(first, AES.MODE_CTR, counter=Counter.new(128, initial_value=0)).encrypt(b"a secret")
    sealed = seal(KEY, name, b"a secret", iv)
    assert decode(sealed["ciphertext"]) == cipher
    assert decode(sealed["mac"]) == hmac.digest(second, cipher, hashlib.sha256)


def test_wrong_keys_names_and_altered_secrets_are_refused() -> None:
    """The MAC covers key, name and ciphertext."""
    sealed = seal(KEY, "a", b"secret")
    for key, name, value in (
        (bytes(32), "a", sealed),
        (KEY, "b", sealed),
        (KEY, "a", sealed | {"ciphertext": "AAAA"}),
        (KEY, "a", {}),
        (KEY, "a", sealed | {"mac": 7}),
    ):
        with pytest.raises(ValueError, match=r"wrong|malformed|not"):
            unseal(key, name, value)
