"""A receipt is good to the last sign, or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.model.erasure import Residual
from dpobot.receipt import check
from dpobot.receipt.canonical import canonical
from dpobot.receipt.check import ReceiptError, verify
from dpobot.receipt.codes import subject_of
from tests.unit.receipt.bad import BAD, resigned
from tests.unit.receipt.conftest import ANNA, AT, CODE, KEY, OTHER, receipt


def code_of(document: str, public: str = KEY.public) -> str:
    """Return the code with which a receipt is refused."""
    with pytest.raises(ReceiptError) as error:
        verify(document, public)
    return error.value.code


def test_a_good_receipt_says_what_was_signed() -> None:
    """Counts, what is left and why, times to the second; and that it is Anna's to who has the code."""
    checked = verify(receipt(), KEY.public)
    assert (checked.case, checked.plan, checked.notice) == ("DPO-2026-0042", "ab" * 32, "2026-11-22")
    assert checked.counts == {"messages": 2031, "media": 3, "rooms": 1}
    assert checked.residuals == (
        Residual("server_logs", 0, "log_files"),
        Residual("state_kept", 12, "keeps_room_working"),
    )
    assert set(checked.times.values()) == {AT.replace(microsecond=0)}
    assert checked.subject == subject_of(CODE, ANNA)
    assert checked.key_id == KEY.key_id


def test_it_names_nobody() -> None:
    """Neither who nor where."""
    assert "anna" not in receipt()
    assert "dpobot.test" not in receipt()
    assert set(json.loads(receipt())) == {
        "version", "case", "plan", "counts", "residuals", "times", "notice", "subject", "key_id", "signature",
    }  # fmt: skip


def test_white_space_around_it_is_no_matter() -> None:
    """Editors end a file with a line end, some begin it with a mark; Base64 may come with its padding."""
    assert verify("\ufeff\r\n " + receipt() + "\r\n\t", f" {KEY.public}=\n").case == "DPO-2026-0042"


@pytest.mark.parametrize(("name", "document", "public", "expected"), BAD)
def test_what_is_wrong_is_told(name: str, document: str, public: str, expected: str) -> None:
    """By a code, whose sentence is for people."""
    assert code_of(document, public) == expected
    assert expected in check.CODES


@given(st.integers(0, len(receipt().encode()) - 1), st.integers(0, 255))
def test_no_byte_may_be_another(place: int, byte: int) -> None:
    """Whatever stands there instead, even in the spare bits of Base64."""
    raw = bytearray(receipt().encode())
    if raw[place] != byte:
        raw[place] = byte
        assert code_of(raw.decode("utf-8", "replace")) in check.CODES


@given(st.integers(0, len(receipt()) - 1))
def test_none_may_be_missing(place: int) -> None:
    """Not one."""
    text = receipt()
    assert code_of(text[:place] + text[place + 1 :]) in check.CODES


@given(st.integers(1, len(receipt()) - 1), st.characters(codec="utf-8"))
def test_none_may_be_added_within(place: int, sign: str) -> None:
    """Not even a blank."""
    text = receipt()
    assert code_of(text[:place] + sign + text[place:]) in check.CODES


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(json.loads(receipt()).keys() - {"signature"})), json_values)
def test_a_signature_over_nonsense_is_no_receipt(field: str, value: Any) -> None:
    """What our own key signed can still be none: then it is refused in an orderly way, or good."""
    said = {**json.loads(receipt()), field: value}
    try:
        document = resigned(said)
    except ValueError:  # no canonical JSON
        return
    try:
        code = verify(document, KEY.public).case
    except ReceiptError as error:
        code = error.code
    assert code == said["case"] or code in check.CODES


@given(st.text())
def test_any_text_is_refused_in_an_orderly_way(text: str) -> None:
    """A receipt comes from anywhere."""
    assert code_of(text) in check.CODES


def test_a_receipt_of_somebody_else_is_none_of_ours() -> None:
    """It names their key; and with that named as ours, the signature does not fit."""
    assert code_of(receipt(OTHER)) == "unknown_key"
    said = json.loads(receipt(OTHER))
    forged = canonical({**said, "key_id": KEY.key_id}).decode()
    assert code_of(forged) == "bad_signature"
