"""The code of a receipt: typed by people, guessed by nobody."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.receipt import codes

CODE = "ABCD-EFGH-JKLM-NPQR-STUV"


def test_a_new_code_is_one_and_never_the_same() -> None:
    """Five groups of four, without signs that look alike."""
    made = {codes.new_code() for _ in range(200)}
    assert len(made) == 200
    assert {codes.normalised(code) for code in made} == made
    assert not set("".join(made)) & set("IO01")


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        CODE.replace("-", ""),
        CODE.replace("-", " "),
        f"  {CODE}\n",
        CODE.replace("-", "\N{EN DASH}"),
        "".join(chr(ord(sign) + 0xFEE0) for sign in CODE[:4]) + CODE[4:],  # full width
        "A-B-C-D-E-F-G-H-J-K-L-M-N-P-Q-R-S-T-U-V",
    ],
)
def test_it_is_understood_however_it_was_typed(typed: str) -> None:
    """Also from a phone, with its long dashes."""
    assert codes.normalised(typed) == CODE
    assert codes.code_hash(typed) == codes.code_hash(CODE)


@pytest.mark.parametrize("typed", ["", "ABCD", CODE + "A", CODE.replace("A", "O"), CODE.replace("A", "1"), "ä" * 20])
def test_what_is_no_code_is_none(typed: str) -> None:
    """Nothing is looked up for it."""
    assert codes.normalised(typed) is None
    with pytest.raises(ValueError, match="code of a receipt"):
        codes.code_hash(typed)


@given(st.text())
def test_any_text_is_a_code_or_none(typed: str) -> None:
    """And what is one stays the same when it is normalised again."""
    certain = codes.normalised(typed)
    assert certain is None or codes.normalised(certain) == certain


def test_a_subject_binds_code_and_user() -> None:
    """SHA-256 of both, so that anybody can compute it."""
    expected = hashlib.sha256(f"{CODE}|@anna:dpobot.test".encode()).hexdigest()
    assert codes.subject_of(CODE.lower(), "@anna:dpobot.test") == expected
    assert codes.subject_of(CODE, "@Anna:dpobot.test") != expected
