"""Archives that lie: every trouble is a sentence or a count, never a traceback, never a file elsewhere."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dpobot.errors import ConfigurationError
from dpobot.unlocking import backup
from dpobot.unlocking.attachment import Attachment, file_name, of
from dpobot.unlocking.event import Outcome, is_encrypted, read
from dpobot.unlocking.opened import MOST_LINE, Opened
from dpobot.unlocking.output import Output
from dpobot.unlocking.ring import Ring
from dpobot.unlocking.unlock import unlock
from tests.author import Author, seal_file
from tests.unit.unlocking.conftest import CELLAR, KITCHEN, Home

EVENTS = "rooms/0001-Kitchen/events.jsonl"


def volume(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in ({"manifest.json": b'{"reference": "DPO-2026-0042"}'} | files).items():
            packed.writestr(name, data)
    return path


def ring_of(author: Author) -> Ring:
    ring = Ring()
    for key in author.exported():
        ring.add(key["room_id"], key["session_id"], key)
    return ring


def outcomes(path: Path, ring: Ring, output: Path | None = None) -> list[dict[Outcome, int]]:
    with Opened([path]) as archive, Output(output) as target:
        return [dict(room.events) for room in unlock(archive, ring, target)]


@pytest.mark.parametrize(
    "name",
    ["../../evil", "/etc/passwd", "rooms/../../x", "C:\\x", "a\\b", "rooms/\x1b[31m/events.jsonl", "a/./b", "a//b"],
)
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    """Before anything is read."""
    with pytest.raises(ConfigurationError, match="names that could leave the folder"):
        Opened([volume(tmp_path / "evil.zip", {name: b"x"})])


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.find(EVENTS.encode()) + len(EVENTS) + 8
    data[at] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [_cut, _flip, lambda path: path.write_bytes(b"no archive")])
def test_damaged_zip(tmp_path: Path, harm: Callable[[Path], Any]) -> None:
    """Cut off, a bit flipped, or nothing of the kind: one sentence with a question that helps."""
    author = Author()
    lines = [json.dumps(author.write(KITCHEN, str(number))).encode() for number in range(50)]
    path = volume(tmp_path / "volume.zip", {EVENTS: b"\n".join(lines)})
    harm(path)
    with pytest.raises(ConfigurationError, match="no ZIP file, or a damaged one; was it downloaded completely"):
        outcomes(path, Ring())


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"manifest.json": b"[]"}, "names no case"),
        ({"manifest.json": b"{"}, "manifest.json is damaged"),
        ({"manifest.json": b"[" * 100_000}, "manifest.json is damaged"),
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, files: dict[str, bytes], sentence: str) -> None:
    """Deep nesting included."""
    with pytest.raises(ConfigurationError, match=sentence):
        Opened([volume(tmp_path / "volume.zip", files)])


def test_a_zip_of_something_else(tmp_path: Path) -> None:
    """It has no manifest."""
    with zipfile.ZipFile(tmp_path / "holiday.zip", "w") as packed:
        packed.writestr("picture.png", b"x")
    with pytest.raises(ConfigurationError, match="no volume that dpobot made: it has no manifest"):
        Opened([tmp_path / "holiday.zip"])


def test_volumes_of_two_archives(tmp_path: Path) -> None:
    """Their rooms have the same numbers: they are not mixed."""
    one = volume(tmp_path / "one.zip", {})
    other = volume(tmp_path / "other.zip", {"manifest.json": b'{"reference": "DPO-2026-0043"}'})
    with pytest.raises(ConfigurationError, match="belong to two archives: open one after the other"):
        Opened([one, other])


def test_the_same_volume_twice_counts_once(home: Home) -> None:
    """As ZIP and again."""
    with Opened(home.volumes * 2) as archive, Output(None) as output:
        rooms = unlock(archive, ring_of(home.author), output)
    assert [room.events.total() for room in rooms] == [32, 1]


def test_lines_that_are_no_events_are_counted(tmp_path: Path) -> None:
    """What can be read around them is."""
    author = Author()
    first, last = (json.dumps(author.write(KITCHEN, "fine")).encode() for _ in range(2))
    lines = [
        first,
        b"{",
        b"[" * 100_000,
        b'{"type": "m.room.encrypted", "content": 5}',
        b"\xff\xfe",
        b"[]",
        b"null",
        last,
    ]
    path = volume(tmp_path / "volume.zip", {EVENTS: b"\n".join(lines)})
    assert outcomes(path, ring_of(author)) == [{Outcome.DECRYPTED: 2, Outcome.DAMAGED: 4}]


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    """More than an event can be is skipped up to the next line."""
    author = Author()
    good = json.dumps(author.write(KITCHEN, "fine")).encode()
    path = volume(tmp_path / "volume.zip", {EVENTS: b"[" * (MOST_LINE * 2 + 5) + b"\n" + good})
    assert outcomes(path, ring_of(author)) == [{Outcome.DAMAGED: 1, Outcome.DECRYPTED: 1}]


@pytest.mark.parametrize(
    "change",
    [
        {"ciphertext": "AwgAEnA"},
        {"ciphertext": 5},
        {"ciphertext": None},
        {"ciphertext": "🔑"},
        {"algorithm": "m.olm.v1.curve25519-aes-sha2"},
        {"algorithm": []},
    ],
)
def test_hostile_contents(change: dict[str, Any]) -> None:
    """Wrong types and other algorithms."""
    author = Author()
    event = author.write(KITCHEN, "fine")
    event["content"] |= change
    assert read(event, ring_of(author)).outcome == Outcome.DAMAGED


def test_one_bit_makes_it_damaged() -> None:
    """Any byte of the ciphertext: MAC and signature are checked."""
    author = Author()
    event = author.write(KITCHEN, "fine")
    sealed = event["content"]["ciphertext"]
    ring = ring_of(author)
    seen = set()
    for at in range(6, len(sealed) - 1, 7):
        other = "A" if sealed[at] != "A" else "B"
        event["content"]["ciphertext"] = sealed[:at] + other + sealed[at + 1 :]
        seen.add(read(event, ring).outcome)
    assert seen == {Outcome.DAMAGED}


@pytest.mark.parametrize(
    "payload", [{"room_id": CELLAR}, {"room_id": None}, {"type": 5}, {"content": "words"}, {"content": None}]
)
def test_a_payload_of_another_room_or_form(payload: dict[str, Any]) -> None:
    """A server could move a message into another room: the room is part of what was encrypted."""
    author = Author()
    event = author.seal(KITCHEN, {"body": "x"}, payload)
    assert read(event, ring_of(author)).outcome == Outcome.DAMAGED


def test_a_message_counts_once(tmp_path: Path) -> None:
    """A server could show somebody's words again, at another time: only the first is taken for theirs."""
    author = Author()
    events = [author.write(KITCHEN, str(number)) for number in range(20)]
    copy = events[3] | {"event_id": "$later", "origin_server_ts": 1_800_000_000_000}
    path = volume(tmp_path / "volume.zip", {EVENTS: b"\n".join(json.dumps(each).encode() for each in [*events, copy])})
    assert outcomes(path, ring_of(author)) == [{Outcome.DECRYPTED: 20, Outcome.REPEATED: 1}]


def test_redacted_events_have_nothing_to_decrypt() -> None:
    """They are not missing a key."""
    redacted = {
        "type": "m.room.encrypted",
        "content": {},
        "unsigned": {"redacted_because": {"type": "m.room.redaction"}},
    }
    others: list[object] = [redacted, {"type": "m.room.message"}, [], None]
    assert [is_encrypted(each) for each in others] == [False] * 4


def test_an_altered_attachment_is_not_written(home: Home, tmp_path: Path) -> None:
    """A single byte of the ciphertext changed: counted, and no file is left, not even half of one."""
    folder = tmp_path / "unpacked"
    for path in home.volumes:
        with zipfile.ZipFile(path) as packed:
            packed.extractall(folder)
    medium = next(folder.glob("media/*"))
    data = bytearray(medium.read_bytes())
    data[100_000] ^= 1
    medium.write_bytes(data)
    with Opened([folder]) as archive, Output(tmp_path / "plain") as output:
        rooms = unlock(archive, ring_of(home.author), output)
    assert [dict(room.files) for room in rooms] == [{"altered": 1}, {}]
    assert list((tmp_path / "plain").glob("media/*")) == []


def test_links_in_a_folder_lead_nowhere(home: Home, tmp_path: Path) -> None:
    """What a link points at is not the archive's."""
    outside = tmp_path / "outside.jsonl"
    outside.write_text(json.dumps(home.author.write(KITCHEN, "not in the archive")))
    folder = tmp_path / "unpacked"
    (folder / "rooms/0001-Kitchen").mkdir(parents=True)
    (folder / "manifest.json").write_text('{"reference": "DPO-2026-0042"}')
    (folder / EVENTS).symlink_to(outside)
    assert outcomes(folder, ring_of(home.author)) == []


@pytest.mark.parametrize(
    ("entry", "name", "expected"),
    [
        ("media/00007-file.bin", "../../../etc/passwd", "00007-etc-passwd.bin"),
        ("media/00007-file.bin", "run me.exe", "00007-run-me.exe.bin"),
        ("media/00007-file.bin", "x.SVG", "00007-x.svg.bin"),
        ("media/00007-file.bin", "a\x1b[31m\u202egnp.html", "00007-a-31m-gnp.html.bin"),
        ("media/00007-file.bin", "", "00007-file.bin"),
        ("media/00007-file.bin", "Urlaub am Meer.JPG", "00007-Urlaub-am-Meer.jpg"),
        ("elsewhere", "x" * 900 + ".png", "00000-" + "x" * 48 + ".png"),
    ],
)
def test_names_of_decrypted_files(entry: str, name: str, expected: str) -> None:
    """The number of the archive's file, letters and digits, an ending that nothing runs."""
    assert file_name(entry, name) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"key": {}},
        {"key": {"k": "AAAA"}},
        {"key": {"k": 5}},
        {"iv": "AAAA"},
        {"iv": None},
        {"hashes": {"sha256": "AA"}},
        {"hashes": []},
        {"url": 5},
        {"v": "v9"},
    ],
)
def test_malformed_attachments_are_left_out(change: dict[str, Any]) -> None:
    """And what is well formed beside them is not."""
    file = seal_file(b"x", "mxc://example.org/1").file
    event = {"content": {"body": "a.png", "file": file | change, "info": {"thumbnail_file": file}}}
    assert [(each.url, each.name) for each in of(event)] == [("mxc://example.org/1", "preview a.png")]
    assert isinstance(next(of(event)), Attachment)


def _opened_backup(tmp_path: Path, author: Author, records: Any, account: Any, typed: str | None = None) -> Ring:
    files = {
        "account/key_backup.json": json.dumps({"records": records}).encode(),
        "account/account_data.json": json.dumps({"records": account}).encode(),
    }
    ring = Ring()
    with Opened([volume(tmp_path / "volume.zip", files)]) as archive:
        backup.load(archive, typed or author.recovery_key, ring)
    return ring


def test_a_passphrase_opens_secret_storage_too(tmp_path: Path) -> None:
    """Where the recovery key was made of one."""
    author = Author()
    author.turn(KITCHEN)
    ring = _opened_backup(tmp_path, author, author.key_backup(), author.account_data("long enough"), "long enough")
    assert len(ring) == 1


def test_the_backups_own_key_of_older_clients(tmp_path: Path) -> None:
    """Without secret storage, the recovery key is the backup's private key itself."""
    author = Author()
    author.turn(KITCHEN)
    assert len(_opened_backup(tmp_path, author, author.key_backup(direct=True), [])) == 1


def test_an_archive_without_a_backup(tmp_path: Path) -> None:
    """It says what else helps."""
    with pytest.raises(
        ConfigurationError, match="hold no key backup: give all volumes of the archive, or a key export"
    ):
        _opened_backup(tmp_path, Author(), [], [])


def test_damaged_sessions_of_a_backup_are_counted(tmp_path: Path) -> None:
    """And all others opened."""
    author = Author()
    for _ in range(5):
        author.turn(KITCHEN)
    records = author.key_backup()
    records[1]["session_data"] = 5
    records[2]["session_data"]["mac"] = "AAAA"
    records[3]["session_data"]["ciphertext"] = records[4]["session_data"]["ciphertext"]
    records += [5, None, {"kind": "session"}, {"kind": "version", "auth_data": 7}]  # type: ignore[list-item] # hostile
    account = [*author.account_data(), 5, {"type": 6}, {"type": "m.secret_storage.key.x", "content": []}]
    ring = _opened_backup(tmp_path, author, records, account)
    assert (len(ring), ring.refused) == (2, 3)
