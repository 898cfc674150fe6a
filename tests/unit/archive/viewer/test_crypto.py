"""What a person's client encrypted, the program opens; what it must not open, it names, and goes on."""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.author import MEGOLM, VERSION, Author, key_file, seal_file
from tests.unit.archive.viewer.conftest import Ask

ROOM, OTHER = "!kitchen:example.org", "!cellar:example.org"
PHRASE = "über den Hügel 🔑"
Lines = list[dict[str, Any]]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sealed(number: int, event: dict[str, Any]) -> dict[str, Any]:
    """Return the line of a data file that holds an encrypted event."""
    page = "rooms/0001-kitchen/page-0001.html"
    return {"n": number, "t": event["origin_server_ts"], "k": "encrypted", "p": page, "e": event}


def secrets_of(author: Author, passphrase: str | None = None, **how: Any) -> dict[str, Any]:
    """Return what a volume's data file of secrets holds."""
    head = author.key_backup(**how)[0]
    backup = {name: head[name] for name in ("version", "algorithm", "auth_data")}
    stored = {each["type"]: each["content"] for each in author.account_data(passphrase)}
    return {"backups": [backup], "account_data": stored}


def backed_up(author: Author, room_id: str = ROOM, **how: Any) -> dict[str, Any]:
    """Return what a volume's data file of a room's keys holds."""
    rows = [row for row in author.key_backup(**how)[1:] if row["room_id"] == room_id]
    return {"room_id": room_id, "sessions": {VERSION: {row["session_id"]: row["session_data"] for row in rows}}}


def file_of(author: Author, passphrase: str = PHRASE, first: int = 0) -> str:
    return key_file(author.exported(first), passphrase).decode()


def opened_with_file(ask: Ask, author: Author, lines: Lines, **changes: Any) -> Lines:
    """Return what is shown of the lines, with all keys of the author."""
    given = {"file": file_of(author), "passphrase": PHRASE, "room": ROOM, "lines": lines} | changes
    said: Lines = ask("read", **given)["said"]
    return said


def whys(shown: Lines) -> list[str]:
    return [each["why"] for each in shown]


@pytest.fixture(scope="module")
def author() -> Author:
    """Somebody with two sessions in the kitchen, the first of them long."""
    made = Author()
    made.turn(ROOM)
    return made


@pytest.fixture(scope="module")
def lines(author: Author) -> Lines:
    """Three hundred messages in two sessions; only to be read."""
    made = [sealed(number, author.write(ROOM, f"words {number} ☕")) for number in range(1, 271)]
    author.turn(ROOM)
    return made + [sealed(number, author.write(ROOM, f"words {number} ☕")) for number in range(271, 301)]


def test_the_recovery_key_opens_everything(ask: Ask, author: Author, lines: Lines) -> None:
    """Through secret storage and backup to the words, however the key is spaced."""
    key = author.recovery_key
    expected = [f"words {number} ☕" for number in range(1, 301)]
    for typed in (key, key.replace(" ", ""), f"  {key}\n", key.replace(" ", "\u00a0")):
        given = {"secrets": secrets_of(author), "backedUp": backed_up(author), "room": ROOM, "lines": lines}
        said = ask("read", typed=typed, **given)["said"]
        assert [each["text"] for each in said] == expected
        assert {each["opened"] for each in said} == {True}


def test_a_security_phrase_and_the_backups_own_key(ask: Ask, author: Author, lines: Lines) -> None:
    """A storage made of a phrase opens with it; a backup of older times with its private key."""
    by_phrase = {"secrets": secrets_of(author, PHRASE), "typed": PHRASE, "backedUp": backed_up(author)}
    direct = {
        "secrets": secrets_of(author, direct=True) | {"account_data": {}},
        "typed": author.recovery_key,
        "backedUp": backed_up(author, direct=True),
    }
    for given in (by_phrase, direct):
        said = ask("read", room=ROOM, lines=lines[:3], **given)["said"]
        assert [each["text"] for each in said] == ["words 1 ☕", "words 2 ☕", "words 3 ☕"]


def test_a_key_file_opens_from_where_its_sessions_begin(ask: Ask, author: Author, lines: Lines) -> None:
    """Backwards as well as forwards; what lies before is missing, not damaged."""
    order = [lines[269], lines[0], lines[255], lines[256], lines[299]]
    assert [each["text"] for each in opened_with_file(ask, author, order)] == [
        f"words {number} ☕" for number in (270, 1, 256, 257, 300)
    ]
    late = opened_with_file(ask, author, [lines[4], lines[5]], file=file_of(author, first=5))
    assert [(each["text"], each["why"]) for each in late] == [("", "missing"), ("words 6 ☕", "")]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (lambda author: Author().recovery_key, "wrong-key"),
        (lambda author: author.recovery_key[:-1] + ("a" if author.recovery_key[-1] != "a" else "b"), "mistyped"),
        (lambda author: "words", "not-a-key"),
        (lambda author: author.recovery_key[:-5], "not-a-key"),
        (lambda author: "0OIl" * 12, "not-a-key"),
    ],
)
def test_what_was_typed_is_not_the_key(ask: Ask, author: Author, typed: Callable[[Author], str], code: str) -> None:
    """Each mistake has its own sentence."""
    assert ask("unlock", secrets=secrets_of(author), typed=typed(author)) == {"code": code}


def test_a_wrong_phrase(ask: Ask, author: Author) -> None:
    """Where there is a phrase, anything that is no key is one."""
    assert ask("unlock", secrets=secrets_of(author, PHRASE), typed="words") == {"code": "wrong-phrase"}


def replaced(secrets: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return the same with another value at a place; ``path`` as names with ">" between."""
    made = deepcopy(secrets)
    *way, last = path.split(">")
    place: Any = made
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    return made


KEY, SECRET = "account_data>m.secret_storage.key.main", "account_data>m.megolm_backup.v1"
ODD: list[object] = [None, 7, [], {}, "", "!", "AAAA", {"main": 3}, {"main": {"ciphertext": "!"}}, True]
CODES = {"wrong-key", "no-secret", "broken", "unsupported", "other-backup", "altered"}


@pytest.mark.parametrize(
    "path",
    [
        KEY,
        f"{KEY}>algorithm",
        f"{KEY}>iv",
        f"{KEY}>mac",
        SECRET,
        f"{SECRET}>encrypted",
        f"{SECRET}>encrypted>main",
        f"{SECRET}>encrypted>main>iv",
        f"{SECRET}>encrypted>main>mac",
        f"{SECRET}>encrypted>main>ciphertext",
        "backups>0>auth_data",
        "backups>0>algorithm",
        "account_data>m.secret_storage.default_key",
    ],
)
def test_damaged_secrets_are_named(ask: Ask, author: Author, path: str) -> None:
    """Whatever stands where, it either does not matter or has a code."""
    good = secrets_of(author)
    for value in ODD:
        answer = ask("unlock", secrets=replaced(good, path, value), typed=author.recovery_key)
        assert answer.get("code") in CODES or answer == {"said": [VERSION]}, (path, value, answer)


def test_a_secret_without_backup_and_another_backup(ask: Ask, author: Author) -> None:
    """The key is right, and yet nothing opens: that is said, not that the key is wrong."""
    good = secrets_of(author)
    other = Author().key_backup()[0]["auth_data"]
    for path, value, code in [
        (f"{SECRET}>encrypted", {}, "no-secret"),
        ("backups>0>auth_data", other, "other-backup"),
        ("backups>0>algorithm", "org.example.other", "unsupported"),
        (f"{KEY}>algorithm", "org.example.other", "unsupported"),
        (f"{SECRET}>encrypted>main>mac", b64(bytes(32)), "wrong-key"),
    ]:
        assert ask("unlock", secrets=replaced(good, path, value), typed=author.recovery_key) == {"code": code}


def test_a_damaged_entry_of_the_backup_costs_only_its_session(ask: Ask, author: Author, lines: Lines) -> None:
    """Its messages lack a key; those of the other session are read."""
    keys = backed_up(author)
    first, second = (line["e"]["content"]["session_id"] for line in (lines[0], lines[299]))
    good = keys["sessions"][VERSION][first]
    point = b64(bytes(32))  # X25519 with it gives zeros, which is refused (RFC 7748, section 6.1)
    for bad in [
        None,
        3,
        [],
        {},
        good | {"mac": b64(bytes(8))},
        good | {"ephemeral": point},
        good | {"ciphertext": "A"},
    ]:
        entries = {first: bad, second: keys["sessions"][VERSION][second]}
        given = {"backedUp": {"room_id": ROOM, "sessions": {VERSION: entries}}, "secrets": secrets_of(author)}
        said = ask("read", typed=author.recovery_key, room=ROOM, lines=[lines[0], lines[299]], **given)["said"]
        assert whys(said) == ["missing", ""]


FRAME = ("-----BEGIN MEGOLM SESSION DATA-----\n", "-----END MEGOLM SESSION DATA-----\n")


def test_key_files_that_are_none(ask: Ask, author: Author) -> None:
    """A wrong phrase, another file, a cut or altered one, one that would take forever: each with its code."""
    good = file_of(author)
    raw = bytearray(base64.b64decode("".join(good.splitlines()[1:-1])))
    forever = bytes(raw[:33]) + b"\xff\xff\xff\xff" + bytes(raw[37:])
    raw[60] ^= 1
    framed = [
        FRAME[0] + b64(each) + FRAME[1] for each in (bytes(raw), forever, b"\x02" + bytes(raw[1:]), bytes(raw[:50]))
    ]
    cases = [
        (good, "words", "wrong-passphrase"),
        (good, "", "wrong-passphrase"),
        (framed[0], PHRASE, "wrong-passphrase"),
        (framed[1], PHRASE, "not-a-key-file"),
        (framed[2], PHRASE, "not-a-key-file"),
        (framed[3], PHRASE, "not-a-key-file"),
        ("", PHRASE, "not-a-key-file"),
        ("words", PHRASE, "not-a-key-file"),
        (FRAME[0] + "!!!!" + FRAME[1], PHRASE, "not-a-key-file"),
        (key_file({"no": "list"}, PHRASE).decode(), PHRASE, "not-a-key-file"),
    ]
    assert [ask("keyFile", file=text, passphrase=phrase) for text, phrase, _ in cases] == [
        {"code": code} for _, _, code in cases
    ]


def test_a_key_file_with_odd_entries_still_opens(ask: Ask, author: Author, lines: Lines) -> None:
    """Entries that are no sessions are left out."""
    keys: list[Any] = [{}, {"algorithm": MEGOLM}, {**author.exported()[0], "session_key": "A"}, *author.exported()]
    said = opened_with_file(ask, author, lines[:1], file=key_file(keys, PHRASE).decode())
    assert [each["text"] for each in said] == ["words 1 ☕"]


def altered(event: dict[str, Any], place: int) -> dict[str, Any]:
    """Return the event with one byte of its message turned; ``place`` from the end if negative."""
    made = deepcopy(event)
    raw = bytearray(base64.b64decode(made["content"]["ciphertext"] + "=="))
    raw[place] ^= 1
    made["content"]["ciphertext"] = b64(bytes(raw)).rstrip("=")
    return made


def test_a_message_that_was_touched_is_not_shown(ask: Ask, author: Author, lines: Lines) -> None:
    """In its ciphertext or its MAC; and the next one is."""
    event = lines[1]["e"]
    touched = [sealed(1, altered(event, place)) for place in (20, -73, -72, -65)]
    assert whys(opened_with_file(ask, author, [*touched, lines[1]])) == ["altered"] * 4 + [""]


def test_a_message_of_another_room_and_a_copy_are_not_shown(ask: Ask, author: Author, lines: Lines) -> None:
    """Who moves messages between rooms, or repeats one under another name, is not believed."""
    moved = author.seal(ROOM, {"msgtype": "m.text", "body": "down here"}, {"room_id": OTHER})
    copy = deepcopy(lines[2]["e"]) | {"event_id": "$copy"}
    said = opened_with_file(ask, author, [sealed(1, moved), lines[2], sealed(3, copy), lines[2]])
    assert whys(said) == ["other-room", "", "repeated", ""]
    assert [each["text"] for each in said] == ["", "words 3 ☕", "", "words 3 ☕"]


def raw(author: Author, inside: bytes) -> dict[str, Any]:
    """Return an event whose encrypted bytes are these."""
    event = author.write(ROOM, "")
    session = next(found for room, found, _ in reversed(author.sessions) if room == ROOM)
    event["content"]["ciphertext"] = session.encrypt(inside).to_base64()
    return event


@pytest.mark.parametrize("inside", [b"", b"words", b"\xff\xfe", b"[" * 100_000, b"null", b"[1]", b'"x"'])
def test_what_is_inside_is_no_event(ask: Ask, author: Author, inside: bytes) -> None:
    """It can't be shown, and that is all that happens."""
    (said,) = opened_with_file(ask, author, [sealed(1, raw(author, inside))])
    assert (said["why"], said["opened"]) == (
        "broken" if inside not in (b"null", b"[1]", b'"x"') else "other-room",
        False,
    )


CONTENTS: list[object] = [
    None,
    7,
    [],
    {},
    "x",
    {"msgtype": 3, "body": {}},
    {"msgtype": "m.image", "body": [], "file": 3, "info": "x"},
    {"msgtype": "m.image", "file": {"url": "javascript:alert(1)", "key": None}},
    {"m.relates_to": "x", "body": "y"},
    {"m.relates_to": {"rel_type": "m.replace", "event_id": 3}, "m.new_content": None},
    {"__proto__": {"body": "x"}, "constructor": {"prototype": 1}},
    {"body": "\u0000\u202e\ud800", "msgtype": "__proto__"},
]


def test_whatever_a_message_holds_it_is_shown_as_text(ask: Ask, author: Author) -> None:
    """Wrong types, names that a language knows, signs that can't be seen: opened, and never an error."""
    made = [
        raw(author, json.dumps({"type": "m.room.message", "room_id": ROOM, "content": each}).encode())
        for each in CONTENTS
    ]
    kinds = ["m.reaction", "m.sticker", "m.poll.start", "__proto__", 5]
    made += [raw(author, json.dumps({"type": kind, "room_id": ROOM, "content": 3}).encode()) for kind in kinds]
    said = opened_with_file(ask, author, [sealed(number, event) for number, event in enumerate(made, 1)])
    assert whys(said) == [""] * len(made)
    assert said[len(CONTENTS) - 1]["text"] == "\ufffd\ufffd\ufffd"


EVENTS: list[tuple[object, str]] = [
    (None, "unsupported"),
    ({}, "unsupported"),
    ({"content": 3}, "unsupported"),
    ({"content": {"algorithm": "m.olm.v1.curve25519-aes-sha2", "ciphertext": {}}}, "unsupported"),
    ({"content": {"algorithm": MEGOLM}}, "missing"),
    ({"content": {"algorithm": MEGOLM, "session_id": {"a": 1}, "ciphertext": "AAAA"}}, "missing"),
    ({"content": {"algorithm": MEGOLM, "session_id": "__proto__", "ciphertext": "AAAA"}}, "missing"),
]


def test_events_that_are_none(ask: Ask, author: Author, lines: Lines) -> None:
    """Each with its reason; the one after them is read."""
    odd = [{"n": 1, "t": "never", "k": "encrypted", "p": 3, "e": event} for event, _ in EVENTS]
    said = opened_with_file(ask, author, [*odd, lines[0]])
    assert whys(said) == [*(why for _, why in EVENTS), ""]


@pytest.mark.parametrize("ciphertext", [None, 7, "", "!", "AAAA", "A" * 200, "Awg" + "/" * 200, "AwgA" + "A" * 120])
def test_a_message_that_is_none_is_damaged(ask: Ask, author: Author, lines: Lines, ciphertext: object) -> None:
    """Numbers that never end, lengths beyond the end, no base64."""
    event = deepcopy(lines[0]["e"])
    event["content"]["ciphertext"] = ciphertext
    assert whys(opened_with_file(ask, author, [sealed(1, event)])) == ["broken"]


def test_a_message_from_very_far_ahead_does_not_stop_the_page(ask: Ask, author: Author, lines: Lines) -> None:
    """Its number is a forgery; what comes after is read all the same."""
    event = deepcopy(lines[0]["e"])
    far = b"\x03\x08\xff\xff\xff\xff\x0f\x12\x10" + bytes(16) + bytes(72)
    event["content"]["ciphertext"] = b64(far).rstrip("=")
    assert whys(opened_with_file(ask, author, [sealed(1, event), lines[1]])) == ["altered", ""]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 5_000_000])
def test_a_file_is_what_was_sent(ask: Ask, size: int) -> None:
    """To the last byte, also where it is read in several parts."""
    clear = bytes(number * 31 % 256 for number in range(256)) * (size // 256 + 1)
    clear = clear[:size]
    made = seal_file(clear, "mxc://example.org/1")
    assert ask("attachment", data=b64(made.ciphertext), sealed=made.file) == {"said": b64(clear)}


def test_another_file_and_a_damaged_key(ask: Ask) -> None:
    """The checksum decides before anything is shown."""
    made = seal_file(b"picture" * 100, "mxc://example.org/1")
    touched = bytes([made.ciphertext[0] ^ 1]) + made.ciphertext[1:]
    cases: list[tuple[bytes, dict[str, Any], str]] = [
        (touched, made.file, "altered"),
        (made.ciphertext[:-1], made.file, "altered"),
        (made.ciphertext, made.file | {"hashes": {}}, "broken"),
        (made.ciphertext, made.file | {"hashes": None}, "broken"),
        (made.ciphertext, made.file | {"hashes": {"sha256": "AAAA"}}, "altered"),
        (made.ciphertext, made.file | {"iv": "AAAA"}, "broken"),
        (made.ciphertext, made.file | {"iv": 3}, "broken"),
        (made.ciphertext, made.file | {"key": None}, "broken"),
        (made.ciphertext, made.file | {"key": {"alg": "A128CTR", "k": made.file["key"]["k"]}}, "unsupported"),
        (made.ciphertext, made.file | {"key": {"alg": "A256CTR", "k": "AAAA"}}, "unsupported"),
    ]
    assert [ask("attachment", data=b64(data), sealed=file) for data, file, _ in cases] == [
        {"code": code} for _, _, code in cases
    ]
