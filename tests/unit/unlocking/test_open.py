"""`dpobot open`, as a person runs it on their own machine."""

import hashlib
import json
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dpobot import cli
from tests.author import Author, key_file
from tests.unit.unlocking.conftest import CELLAR, KITCHEN, PASSPHRASE, PICTURE, Home

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `dpobot open` with these arguments; returns exit status, output, errors. ``typed``: on the terminal."""

    def go(*arguments: object, typed: str | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr("getpass.getpass", lambda prompt: typed)
        with pytest.raises(SystemExit) as ended:
            cli.main(["open", *map(str, arguments)])
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return go


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def secret(folder: Path, text: str) -> Path:
    path = folder / "secret"
    path.write_text(text, "utf-8")
    return path


def exported(home: Home, folder: Path, keys: object = None) -> Path:
    path = folder / "element-keys.txt"
    path.write_bytes(key_file(home.author.exported() if keys is None else keys, PASSPHRASE))
    return path


def unpacked(volumes: list[Path], folder: Path) -> Path:
    for volume in volumes:
        with zipfile.ZipFile(volume) as packed:
            packed.extractall(folder)
    return folder


def test_the_recovery_key_alone_opens_everything(home: Home, run: Run, tmp_path: Path) -> None:
    """Messages of every session, the edit with its relation, the picture with its SHA-256; all of it private."""
    target = tmp_path / "plain"
    status, said, trouble = run(*home.volumes, "--recovery-key", "--output", target, typed=home.author.recovery_key)
    events = [event for name in sorted(target.glob("rooms/*/decrypted.jsonl")) for event in lines(name)]
    pictures = list(target.glob("media/*"))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [target, *target.rglob("*")] if path.is_dir()}
    assert (status, trouble) == (0, "")
    assert {event["event_id"]: event["content"]["body"] for event in events} == home.said
    assert {(event["type"], event["decrypted"]) for event in events} == {("m.room.message", True)}
    assert [e["content"]["m.relates_to"]["event_id"] for e in events if "m.relates_to" in e["content"]] == ["$sealed1"]
    assert [path.name for path in pictures] == ["00001-kitchen.png"]
    assert [hashlib.sha256(path.read_bytes()).digest() for path in pictures] == [hashlib.sha256(PICTURE).digest()]
    assert modes == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in target.rglob("*") if path.is_file()} == {0o600}
    assert said.splitlines()[:3] == [
        "0001-Kitchen: 32 of 32 decrypted",
        "0002-cellar: 1 of 1 decrypted",
        "all rooms: 33 of 33 decrypted",
    ]


def test_a_key_export_opens_an_unpacked_archive(home: Home, run: Run, tmp_path: Path) -> None:
    """With the passphrase from a file; without --output nothing but counts."""
    folder = unpacked(home.volumes, tmp_path / "unpacked")
    before = sorted(tmp_path.rglob("*"))
    keys, passphrase = exported(home, tmp_path), secret(tmp_path, PASSPHRASE + "\n")
    status, said, trouble = run(folder, "--keys", keys, "--passphrase-file", passphrase)
    assert (status, trouble) == (0, "")
    assert said.splitlines()[-2:] == [
        "all rooms: 33 of 33 decrypted",
        "attachments: 1 here (name --output to decrypt them)",
    ]
    assert sorted(set(tmp_path.rglob("*")) - set(before)) == sorted([keys, passphrase])


def test_a_key_export_without_padding_is_one_too(home: Home, run: Run, tmp_path: Path) -> None:
    """Clients with the Rust crypto leave the ``=`` out."""
    keys = exported(home, tmp_path)
    for more in ("", " ", "  "):  # one of three lengths of JSON ends without padding of itself
        sealed = key_file([*home.author.exported(), more], PASSPHRASE)
        keys.write_bytes(sealed.replace(b"=", b""))
        status, said, _ = run(*home.volumes, "--keys", keys, typed=PASSPHRASE)
        assert (status, "all rooms: 33 of 33 decrypted" in said) == (0, True)


def test_what_could_be_decrypted_is_shown(home: Home, run: Run, tmp_path: Path) -> None:
    """Keys of one session missing, of another from its third message on: the rest opens, these are listed."""
    first, second, third, cellar = home.author.exported()
    later = home.author.exported(first=2)[1]
    keys = exported(home, tmp_path, [first, later, cellar])
    target = tmp_path / "plain"
    status, said, _ = run(*home.volumes, "--keys", keys, "--output", target, typed=PASSPHRASE)
    left = lines(target / "undecrypted.jsonl")
    expected = [(second["session_id"], "later_key")] * 2 + [(third["session_id"], "no_key")] * 12
    assert status == 1
    assert "0001-Kitchen: 18 of 32 decrypted, 12 key missing, 2 key begins later" in said
    assert "hint: keys that are missing here may be in another client" in said
    assert [(line["session_id"], line["reason"]) for line in left] == expected
    assert {(line["room_id"], line["folder"]) for line in left} == {(KITCHEN, "0001-Kitchen")}
    assert {line["event_id"] for line in left} <= set(home.said)


def test_the_session_that_reaches_back_furthest_wins(home: Home, run: Run, tmp_path: Path) -> None:
    """Whichever of two comes first in the file."""
    whole, later = home.author.exported(), home.author.exported(first=2)
    for keys in (whole + later, later + whole):
        status, said, _ = run(*home.volumes, "--keys", exported(home, tmp_path, keys), typed=PASSPHRASE)
        assert (status, "all rooms: 33 of 33 decrypted" in said) == (0, True)


def test_wrong_secrets_are_told(home: Home, run: Run, tmp_path: Path) -> None:
    """Which one, and what it should be; exit status 2, nothing written."""
    keys, target = exported(home, tmp_path), tmp_path / "plain"
    other = Author().recovery_key
    mistyped = home.author.recovery_key[:-1] + ("a" if home.author.recovery_key[-1] != "a" else "b")
    assert run(*home.volumes, "--keys", keys, "--output", target, typed="wrong") == (
        2,
        "",
        f"dpobot: open: the passphrase does not fit {keys}: it is the one that was typed when the keys were exported\n",
    )
    replaced = "this does not open the archive's key backup: a recovery key of another account, or replaced since"
    assert run(*home.volumes, "--recovery-key", "--output", target, typed=other) == (
        2,
        "",
        f"dpobot: open: {replaced}\n",
    )
    assert run(*home.volumes, "--recovery-key", "--output", target, typed=mistyped) == (
        2,
        "",
        "dpobot: open: that is no recovery key (twelve groups of four signs, the first an E): is one sign mistyped?\n",
    )
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no key export: in Element it is under Settings, Encryption, Export keys"),
        (b"PK\x03\x04 a holiday", "is no key export: in Element it is under Settings, Encryption, Export keys"),
        (b"-----BEGIN MEGOLM SESSION DATA-----\nAXNh", "is a damaged or incomplete key export"),
        (key_file([], PASSPHRASE)[:-60], "is a damaged or incomplete key export"),
        (key_file([], PASSPHRASE), "holds no message keys"),
        (key_file([{"room_id": 1}, 2, None], PASSPHRASE), "holds no message keys"),
        (key_file({"a": 1}, PASSPHRASE), "is a damaged or incomplete key export"),
        (b"-----BEGIN MEGOLM SESSION DATA-----\n%s-----END" % (b"AXNh" * 40), "damaged or incomplete"),
    ],
)
def test_wrong_files_are_told(home: Home, run: Run, tmp_path: Path, content: bytes, sentence: str) -> None:
    """A file that is no key export, or half of one, or one without keys."""
    path = tmp_path / "wrong.txt"
    path.write_bytes(content)
    status, said, trouble = run(*home.volumes, "--keys", path, typed=PASSPHRASE)
    assert (status, said, trouble.count("\n")) == (2, "", 1)
    assert sentence in trouble


def test_a_key_for_another_room_or_session_opens_nothing(home: Home, run: Run, tmp_path: Path) -> None:
    """A session under a false ID is refused; under another room's name it is nobody's."""
    first, *_, cellar = home.author.exported()
    forged = [first | {"session_id": cellar["session_id"], "room_id": CELLAR}, first | {"room_id": CELLAR}]
    status, said, _ = run(*home.volumes, "--keys", exported(home, tmp_path, forged), typed=PASSPHRASE)
    assert (status, "all rooms: 0 of 33 decrypted, 33 key missing" in said) == (1, True)
    assert "1 keys were left out: damaged, or not what they say" in said


def test_nothing_asked_or_nowhere_to_write(home: Home, run: Run, tmp_path: Path) -> None:
    """A sentence each."""
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("mine")
    keys = exported(home, tmp_path)
    assert run(*home.volumes)[::2] == (
        2,
        "dpobot: open: nothing to decrypt with: name a key export with --keys, or use --recovery-key\n",
    )
    assert run(*home.volumes, "--keys", keys, "--output", tmp_path / "used", typed=PASSPHRASE)[::2] == (
        2,
        f"dpobot: open: {tmp_path / 'used'} is not empty: name a new folder for what is decrypted\n",
    )
    assert run(tmp_path / "nowhere.zip", "--keys", keys)[::2] == (
        2,
        f"dpobot: open: {tmp_path / 'nowhere.zip'}: there is no such file or folder\n",
    )
    assert run(*home.volumes, "--keys", tmp_path / "nowhere.txt", typed="")[::2] == (
        2,
        f"dpobot: open: {tmp_path / 'nowhere.txt'}: can't be read (No such file or directory)\n",
    )


def test_no_secret_on_the_command_line(run: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows --recovery-key is a file's name; without a terminal it says so."""
    key = home.author.recovery_key
    status, _, trouble = run(*home.volumes, "--recovery-key", key)
    assert (status, "No such file or directory" in trouble) == (2, True)

    def none(prompt: str) -> str:
        raise EOFError(prompt)

    monkeypatch.setattr("dpobot.unlocking.command.getpass.getpass", none)
    monkeypatch.setattr(sys, "argv", ["dpobot", "open", str(home.volumes[0]), "--recovery-key"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
