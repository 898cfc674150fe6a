"""Files that others wrote: configurations, keys, receipts, archives; each is understood or refused in a sentence."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dpobot import config
from dpobot.errors import ConfigurationError
from dpobot.moving.opening import opened
from dpobot.moving.stopped import ImportStopped
from dpobot.receipt import check, command, key, page
from dpobot.receipt.check import ReceiptError
from dpobot.receipt.key import SigningKey
from dpobot.store import key_file
from dpobot.text.render import Renderer, templates_folder
from dpobot.unlocking import command as unlocking
from tests.fuzz.anything import NASTY, fuzzed, json_with, texts
from tests.unit.receipt.conftest import receipt

_EXAMPLE = (Path(__file__).parents[2] / "bot.example.toml").read_text("utf-8")
_SECTIONS = {name: sorted(field.annotation.model_fields) for name, field in config.Config.model_fields.items()}  # type: ignore[union-attr] # sections are models
_VALUES = st.one_of(
    st.sampled_from(
        [
            "1",
            "-1",
            "0",
            "1e400",
            "nan",
            "true",
            '""',
            '"x"',
            '"credential:"',
            '"credential:../x"',
            '"\\u0000"',
            "[]",
            "[1]",
            '["x", 1]',
            "{}",
            '{ url = "https://x" }',
            "2026-01-01",
            "99999999999999999999",
            '"https://x"',
            '"@a:b"',
            '"!"',
            '"mine"',
            "[[]]",
            '"' + "a" * 5000 + '"',
            '"/dev/null/x"',
            "'''\n'''",
        ]
    ),
    texts.map(json.dumps),
)


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """The example with lines of any key and value added, or lines of it gone, or anything at all."""
    lines = _EXAMPLE.splitlines()
    for _ in range(draw(st.integers(0, 4))):
        section = draw(st.sampled_from(sorted(_SECTIONS)))
        name = draw(st.sampled_from([*_SECTIONS[section], "surprise"]))
        at = lines.index(f"[{section}]") + 1 if f"[{section}]" in lines else len(lines)
        lines = [line for line in lines if not line.startswith(f"{name} =")] if draw(st.booleans()) else lines
        lines.insert(at, f"{name} = {draw(_VALUES)}")
    if draw(st.integers(0, 9)) == 0:
        lines.insert(draw(st.integers(0, len(lines))), draw(texts))
    return "\n".join(lines)


@fuzzed(150)
@given(text=configurations())
@example(text='matrix = 1\nhomeserver = []\ndata = "x"')
@example(text="a = " + "[" * 3000)
def test_any_configuration_is_good_or_has_its_problems_named(tmp_path: Path, text: str) -> None:
    """Nothing else is ever raised, and each problem is one line."""
    path = tmp_path / "bot.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        assert config.load(path).matrix.user_id.startswith("@")
    except ConfigurationError as error:
        assert error.problems != []


_KEYS = json_with(st.sampled_from(["keys", "current", "next", "a", "b"]), st.sampled_from(["a", "A" * 43 + "="]))


@fuzzed(80)
@given(
    content=st.one_of(
        st.binary(max_size=200),
        _KEYS.map(lambda each: json.dumps(each).encode()),
        texts.map(lambda each: each.encode("utf-8", "replace")),
    )
)
def test_any_key_file_is_keys_or_refused(tmp_path: Path, content: bytes) -> None:
    """Keys that seal, and the key of receipts; the error does not quote the file."""
    for read in (key_file.read, lambda path: key.load(path.parent, path)):
        path = tmp_path / "keys"
        path.write_bytes(content)
        path.chmod(0o600)
        try:
            assert read(path) is not None
        except ConfigurationError as error:
            assert len(content) < 20 or content.decode("utf-8", "replace") not in str(error)


_RECEIPT = json.loads(receipt())
_SIGNER = SigningKey(bytes(range(32)))


@fuzzed(150)
@given(
    changes=st.dictionaries(
        st.one_of(st.sampled_from(sorted(_RECEIPT)), texts),
        json_with(st.sampled_from(sorted(_RECEIPT))),
        min_size=1,
        max_size=3,
    )
)
def test_no_other_receipt_is_valid(changes: dict[str, Any]) -> None:
    """Whatever members are changed or added: it is refused with a code, unless nothing changed."""
    try:
        text = json.dumps({**_RECEIPT, **changes}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        good = check.verify(text, _SIGNER.public)
        assert json.loads(text) == _RECEIPT, good
    except ReceiptError as error:
        assert error.code in check.CODES


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    """The real one."""
    return Renderer(templates_folder(), {})


@fuzzed(40)
@given(
    content=st.one_of(st.binary(max_size=300), texts.map(lambda each: f"{_RECEIPT}{each}".encode("utf-8", "replace"))),
    named=texts,
)
def test_dpobot_verify_says_yes_or_no(renderer: Renderer, tmp_path: Path, content: bytes, named: str) -> None:
    """Of any file, with anything for a key."""
    path = tmp_path / "receipt.html"
    path.write_bytes(content)
    for given_key in (_SIGNER.public, named, str(path)):
        try:
            assert command.verify(renderer, path, given_key, None, (named, named)) == command.NOT_VALID
        except ConfigurationError as error:
            assert error.problems != []
    assert page.document_in(content.decode("utf-8", "replace")) is not None


_ENTRY = st.one_of(
    st.sampled_from(["manifest.json", "portable.json", "rooms/0001-x/events.jsonl", "account/account_data.json"]),
    st.sampled_from(["account/key_backup.json", "media/0001.bin"]),
    st.sampled_from([each for each in NASTY if "\x00" not in each and len(each) < 100 and each.isprintable()]),
)
_WORDS = st.sampled_from(
    [
        "events",
        "content",
        "type",
        "sender",
        "room_id",
        "ciphertext",
        "session_id",
        "algorithm",
        "files",
        "path",
        "format",
        "version",
        "user_id",
        "profile",
        "rooms",
        "reference",
        "sessions",
        "first_message_index",
        "key",
        "data",
        "auth_data",
    ]
)
_LINES = st.lists(json_with(_WORDS), max_size=3).map(lambda each: "\n".join(json.dumps(line) for line in each).encode())


@fuzzed(60)
@given(files=st.dictionaries(_ENTRY, st.one_of(st.binary(max_size=80), _LINES), max_size=5), cut=st.integers(0, 30))
def test_any_archive_is_opened_or_refused(tmp_path: Path, files: dict[str, bytes], cut: int) -> None:
    """`dpobot open` and `dpobot import`: nothing is written beside, nothing but a sentence is raised."""
    volume, keys, secret = tmp_path / "x-01.zip", tmp_path / "keys.txt", tmp_path / "secret"
    with zipfile.ZipFile(volume, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    if cut > 20:
        volume.write_bytes(volume.read_bytes()[:-cut])
    keys.write_bytes(next(iter(files.values()), b""))
    secret.write_text("secret")
    for recovery in (None, secret):
        try:
            unlocking.run(unlocking.Given([volume], keys if recovery is None else None, secret, recovery, None))
        except ConfigurationError as error:
            assert error.problems != []
    try:
        assert opened([volume]).parcel is not None
    except ImportStopped as stopped:
        assert str(stopped) != ""
    assert sorted(each.name for each in tmp_path.iterdir()) == ["keys.txt", "secret", "x-01.zip"]
