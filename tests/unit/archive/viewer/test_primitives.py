"""The program's own hashes, ratchet and file format, beside other implementations of the same."""

import base64
import hashlib
import hmac
import io
import random
import zipfile

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from vodozemac import ExportedSessionKey, GroupSession, InboundGroupSession

from tests.unit.archive.viewer.conftest import Ask

LENGTHS = [*range(130), 1_000, 4_096, 100_001]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_sha256_of_every_length(ask: Ask) -> None:
    """Where the padding takes a block of its own, too, and however the bytes come in."""
    data = [bytes(number * 7 % 256 for number in range(length)) for length in LENGTHS]
    expected = [b64(hashlib.sha256(each).digest()) for each in data]
    assert ask("hashes", of=[b64(each) for each in data]) == {"said": expected}
    whole = b"".join(data)
    assert ask("pieces", pieces=[b64(each) for each in data]) == {"said": b64(hashlib.sha256(whole).digest())}


def test_hmac_and_hkdf(ask: Ask) -> None:
    """With keys shorter and longer than a block."""
    pairs = [(bytes([length % 251]) * length, b"words" * length) for length in (0, 1, 31, 32, 63, 64, 65, 200)]
    expected = [b64(hmac.digest(key, data, "sha256")) for key, data in pairs]
    assert ask("macs", of=[[b64(key), b64(data)] for key, data in pairs]) == {"said": expected}
    for length in (16, 32, 64, 80, 129):
        made = HKDF(SHA256(), length, salt=None, info=b"MEGOLM_KEYS").derive(b"secret" * 20)
        asked = ask("hkdf", secret=b64(b"secret" * 20), info=b64(b"MEGOLM_KEYS"), length=length)
        assert asked == {"said": b64(made)}


def closed(clear: bytes, key: bytes, iv: bytes) -> bytes:
    cipher = Cipher(AES(key), CBC(iv)).encryptor()
    return cipher.update(clear) + cipher.finalize()


def test_aes_of_every_length(ask: Ask) -> None:
    """Under many keys, with each length of padding; without padding, or cut, it is damaged."""
    for seed in range(40):
        source = random.Random(seed)
        key, iv = source.randbytes(32), source.randbytes(16)
        texts = [source.randbytes(length) for length in (*range(33), 1_000)]
        padded = [text + bytes([16 - len(text) % 16]) * (16 - len(text) % 16) for text in texts]
        asked = ask("cbc", key=b64(key), iv=b64(iv), of=[b64(closed(each, key, iv)) for each in padded])
        assert asked == {"said": [b64(text) for text in texts]}
    for bad in (b"", bytes(15), *(closed(bytes(15) + end, key, iv) for end in (b"\x00", b"\x02", b"\x11"))):
        assert ask("cbc", key=b64(key), iv=b64(iv), of=[b64(bad)]) == {"code": "broken"}


def exported(session: InboundGroupSession, index: int) -> bytes:
    """Return a session from a message on, as a client exports it: five bytes, the ratchet's 128, the public key."""
    key = session.export_at(index)
    assert key is not None
    return base64.b64decode(key.to_base64() + "==")


GAPS = [0, 1, 2, 255, 256, 257, 511, 1_000, 65_535, 65_536, 65_537, 70_000, 131_071, 131_072, 140_000]


@pytest.mark.parametrize(
    ("first", "indexes"),
    [
        (0, GAPS),
        (0, [140_000]),
        (0, [70_000, 3, 256, 140_000, 0]),
        (77, [77, 78, 256, 65_600, 140_000]),
        (0x00FFFFF0, [0x00FFFFFF, 0x01000000, 0x01000001]),
        (0x7FFFFF00, [0x7FFFFFFF, 0x80000000, 0x80010203]),
        (0xFFFEFF00, [0xFFFEFFFF, 0xFFFF0000, 0xFFFFFFFF]),
    ],
)
def test_the_ratchet_at_any_message(ask: Ask, first: int, indexes: list[int]) -> None:
    """Near, far, backwards, and where the number has no sign: as vodozemac has it."""
    outbound = GroupSession()
    begun = exported(InboundGroupSession(outbound.session_key), 0)
    key = begun[:1] + first.to_bytes(4, "big") + begun[5:]
    theirs = InboundGroupSession.import_session(ExportedSessionKey(b64(key).rstrip("=")))
    expected = [b64(exported(theirs, index)[5:133]) for index in indexes]
    assert ask("ratchets", key=b64(key), id=outbound.session_id, indexes=indexes) == {"said": expected}


def test_a_session_from_before_its_key_is_missing(ask: Ask) -> None:
    """And one whose name is another's, or that is cut, is damaged."""
    outbound = GroupSession()
    key = exported(InboundGroupSession(outbound.session_key), 5)
    assert ask("ratchets", key=b64(key), id=outbound.session_id, indexes=[4]) == {"code": "missing"}
    assert ask("ratchets", key=b64(key[:-1]), id=outbound.session_id, indexes=[5]) == {"code": "broken"}
    assert ask("ratchets", key=b64(b"\x02" + key[1:]), id=outbound.session_id, indexes=[5]) == {"code": "broken"}
    assert ask("ratchets", key=b64(key), id=GroupSession().session_id, indexes=[5]) == {"code": "broken"}


def test_zip_files(ask: Ask) -> None:
    """Stored and deflated, with a comment behind; anything else is no ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = b"words" * 100
        archive.writestr("media/00001-ä.png", b"picture" * 5_000, zipfile.ZIP_DEFLATED)
        archive.writestr("media/00002-b.bin", bytes(range(256)), zipfile.ZIP_STORED)
        with archive.open("media/00003-c.bin", "w", force_zip64=True) as entry:
            entry.write(b"long")
    made = buffer.getvalue()
    expected = {
        "media/00001-ä.png": b64(b"picture" * 5_000),
        "media/00002-b.bin": b64(bytes(range(256))),
        "media/00003-c.bin": b64(b"long"),
    }
    assert ask("zip", data=b64(made)) == {"said": expected}
    for damaged in (b"", b"PK", made[:-600], bytes(1_000), b"PK\x05\x06" + b"\xff" * 18):
        assert ask("zip", data=b64(damaged)) == {"code": "not-a-zip"}


def test_a_zip_that_says_less_than_it_holds(ask: Ask) -> None:
    """Inflated only up to what its directory said."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("media/a", b"0" * 1_000_000)
    lying = bytearray(buffer.getvalue())
    at = lying.rindex(b"PK\x01\x02")
    lying[at + 24 : at + 28] = (10).to_bytes(4, "little")
    assert ask("zip", data=b64(bytes(lying))) == {"code": "not-a-zip"}


def test_names_to_save_under(ask: Ask) -> None:
    """No folders, nothing that runs, nothing unseen."""
    names = [
        "cat.png",
        "../../a.png",
        "run.exe",
        "x.html",
        "a\u202egnp.exe",
        ".bashrc",
        "",
        "words",
        "CON:.txt",
        "a.PNG ",
    ]
    expected = [
        "cat.png",
        "a.png",
        "run.exe.bin",
        "x.html.bin",
        "a-gnp.exe.bin",
        "bashrc.bin",
        "file.bin",
        "words.bin",
        "CON-.txt",
        "a.PNG",
    ]
    assert ask("names", of=names) == {"said": expected}


@pytest.mark.parametrize(
    ("text", "query", "hit"),
    [
        ("a CAFÉ here", "cafe", "CAFÉ"),
        ("cafe\u0301 here", "cafe", "cafe\u0301"),
        ("die Straße", "STRASSE", "Straße"),
        ("ﬁne", "fine", "ﬁne"),
        ("x 🔑 y", "🔑", "🔑"),
    ],
)
def test_what_is_found_is_marked_as_it_stands(ask: Ask, text: str, query: str, hit: str) -> None:
    """Case, accents and widths make no difference; whole signs are marked."""
    said = ask("snippet", text=text, query=query)["said"]
    assert [each["text"] for each in said if each["hit"]] == [hit]
    assert "".join(each["text"] for each in said) == text
