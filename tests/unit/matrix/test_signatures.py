"""Signed JSON, compared with libolm (python-olm), which nobody here wrote."""

import base64
import json
from typing import Any

import olm.pk
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.matrix.signatures import SigningKey, canonical, decode, encode, is_key, is_signed

SEED = bytes(range(32))
ME = "@dpo:example.org"

values = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.booleans(), st.text(st.characters(codec="utf-8"), max_size=8)),
    max_size=5,
)


@given(values)
def test_signatures_equal_those_of_libolm(value: dict[str, Any]) -> None:
    """Our key signs as libolm's PkSigning does, with the same public key."""
    value = {name: item for name, item in value.items() if name not in ("signatures", "unsigned")}
    other = olm.pk.PkSigning(SEED)
    ours = SigningKey(SEED)
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert (ours.public, ours.sign(value)) == (other.public_key, other.sign(text))


def test_signatures_and_unsigned_are_not_signed() -> None:
    """What is signed leaves both members out, and the object itself stays whole (spec: Signing JSON)."""
    value = {"b": 1, "a": "é", "signatures": {"x": {}}, "unsigned": {"age": 1}}
    before = json.dumps(value)
    assert canonical(value).decode() == '{"a":"é","b":1}'
    assert json.dumps(value) == before


def test_a_good_signature_is_accepted_and_a_forged_one_is_not() -> None:
    """One altered value, one other key, one other name: each makes the signature worthless."""
    key, other = SigningKey(SEED), SigningKey(bytes(32))
    value: dict[str, Any] = {"a": 1}
    value["signatures"] = {ME: {"ed25519:X": key.sign(value)}}
    assert is_signed(value, ME, "ed25519:X", key.public)
    assert not is_signed(value | {"a": 2}, ME, "ed25519:X", key.public)
    assert not is_signed(value, ME, "ed25519:X", other.public)
    assert not is_signed(value, "@eve:example.org", "ed25519:X", key.public)
    assert not is_signed(value, ME, "ed25519:Y", key.public)


@pytest.mark.parametrize(
    "signatures",
    [
        None,
        [],
        "x",
        {},
        {ME: None},
        {ME: []},
        {ME: {"ed25519:X": 7}},
        {ME: {"ed25519:X": "!"}},
        {ME: {"ed25519:X": "AAAA"}},
    ],
)
def test_malformed_signatures_count_as_none(signatures: object) -> None:
    """Whatever a stranger puts there, the answer is False and the object is unchanged."""
    value = {"a": 1, "signatures": signatures}
    assert is_signed(value, ME, "ed25519:X", SigningKey(SEED).public) is False
    assert value == {"a": 1, "signatures": signatures}


@pytest.mark.parametrize("public", [None, 7, "", "AAAA", "é", encode(bytes(31)), encode(bytes(33))])
def test_malformed_keys_verify_nothing(public: object) -> None:
    """A key that is no key is refused, not raised about."""
    value = {"a": 1, "signatures": {ME: {"ed25519:X": encode(bytes(64))}}}
    assert (is_key(public), is_signed(value, ME, "ed25519:X", public)) == (False, False)


@given(st.binary(max_size=40))
def test_base64_comes_back(data: bytes) -> None:
    """Unpadded and padded base64 are both read."""
    assert decode(encode(data)) == data == decode(base64.b64encode(data).decode())
