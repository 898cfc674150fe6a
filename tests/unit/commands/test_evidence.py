"""A file in a message is read strictly: hostile shapes are refused, nothing but what is named is kept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.commands.evidence import Unusable, caption, file_of
from dpobot.model.records import FileRef
from tests.unit.commands.conftest import file_content

MOST = 50_000_000
KEY = {"kty": "oct", "alg": "A256CTR", "k": "A" * 43}
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def _with(**file: Any) -> dict[str, Any]:
    content = file_content("a.png")
    return {**content, "file": {**content["file"], **file}}


def test_a_file_as_clients_send_it() -> None:
    """Its place, what opens it, its name and type; other members are dropped."""
    content = file_content("a.png")
    content["file"]["key"]["more"] = content["file"]["more"] = "x" * 1000
    found = file_of(content, MOST)
    assert isinstance(found, FileRef)
    assert found.to_json() == {
        "name": "a.png",
        "media_type": "image/png",
        "size": 1234,
        "url": "mxc://example.org/aBc_1-2",
        "key": {"kty": "oct", "key_ops": ["encrypt", "decrypt"], "alg": "A256CTR", "k": "A" * 43, "ext": True},
        "iv": "A" * 22,
        "hashes": {"sha256": "B" * 43},
        "v": "v2",
    }


@pytest.mark.parametrize(
    "file",
    [
        {"url": "https://evil.example/x"},
        {"url": "mxc://example.org/../../_synapse/admin"},
        {"url": "mxc://example.org"},
        {"url": "mxc://example.org/a?b"},
        {"url": "mxc:///a"},
        {"url": "mxc://example.org/a\n"},
        {"url": None},
        {"url": "mxc://example.org/" + "a" * 300},
        {"key": None},
        {"key": "A" * 43},
        {"key": {**KEY, "k": "A" * 42}},
        {"key": {**KEY, "k": ["A"] * 43}},
        {"key": {**KEY, "k": "ä" * 43}},
        {"key": {**KEY, "alg": "A128CTR"}},
        {"key": {**KEY, "kty": "RSA"}},
        {"iv": "A" * 21},
        {"iv": 5},
        {"hashes": {}},
        {"hashes": {"sha256": "B"}},
        {"hashes": ["sha256"]},
        {"v": "v1"},
        {"v": None},
    ],
)
def test_what_could_not_be_opened_is_broken(file: dict[str, Any]) -> None:
    """Address, key, counter and hash each have one shape."""
    assert file_of(_with(**file), MOST) is Unusable.BROKEN


@pytest.mark.parametrize(
    "info", [None, {}, {"size": None}, {"size": "5"}, {"size": True}, {"size": 0}, {"size": -1}, 7]
)
def test_a_file_says_how_large_it_is(info: object) -> None:
    """Else nobody knows what they let in."""
    assert file_of({**file_content("a.png"), "info": info}, MOST) is Unusable.UNSIZED


@pytest.mark.parametrize(("size", "taken"), [(MOST, True), (MOST + 1, False), (10**30, False)])
def test_a_file_may_have_a_size(size: int, taken: bool) -> None:
    """As much as the configuration says."""
    found = file_of({**file_content("a.png"), "info": {"size": size}}, MOST)
    assert isinstance(found, FileRef) is taken
    assert taken or found is Unusable.LARGE


def test_an_unencrypted_file_is_told_apart() -> None:
    """Its address stands in `url`: the servers can read it."""
    assert file_of({"msgtype": "m.file", "body": "a", "url": "mxc://a.example/b"}, MOST) is Unusable.CLEAR
    assert file_of({"msgtype": "m.file", "body": "a"}, MOST) is Unusable.BROKEN


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.exe", "a.exe"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\x00\nb.txt", "a b.txt"),
        ("...", "file"),
        ("", "file"),
        (None, "a.png"),
        (5, "a.png"),
    ],
)
def test_a_name_is_data(given_name: object, name: str) -> None:
    """No path, nothing that can't be seen; if there is none, the body is one."""
    found = file_of({**file_content("a.png"), "filename": given_name}, MOST)
    assert isinstance(found, FileRef)
    assert found.name == name


@pytest.mark.parametrize("mimetype", [None, 5, "", "text", "text/html; charset=x", "<b>/x", "a/" + "b" * 500])
def test_an_odd_type_is_unknown(mimetype: object) -> None:
    """It only helps to show the file."""
    found = file_of({**file_content("a.png"), "info": {"size": 1, "mimetype": mimetype}}, MOST)
    assert isinstance(found, FileRef)
    assert found.media_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("filename", "body", "words"),
    [("a.png", "a.png", ""), ("a.png", " see here ", "see here"), (None, "a.png", ""), (5, "a.png", "")],
)
def test_a_caption_is_what_is_not_the_name(filename: object, body: str, words: str) -> None:
    """Without a member `filename` the body is the name (spec: m.file)."""
    assert caption({"filename": filename}, body) == words


@given(st.dictionaries(st.sampled_from(["file", "url", "info", "filename", "body"]), _ANY))
def test_any_content_gives_an_answer(content: dict[str, Any]) -> None:
    """Nobody can stop the bot with a file."""
    assert isinstance(file_of(content, MOST), Unusable)


@given(st.dictionaries(st.sampled_from(["url", "key", "iv", "hashes", "v"]), _ANY, min_size=1))
def test_any_file_member_gives_an_answer(file: dict[str, Any]) -> None:
    """The same, one level deeper."""
    assert file_of(_with(**file), MOST) is Unusable.BROKEN
