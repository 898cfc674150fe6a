"""Encrypted attachments (spec, "Sending encrypted attachments"): which an event has, and how one is opened."""

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from dpobot.matrix.signatures import decode

BLOCK = 256 * 1024
_LONGEST = 48  # characters of a name
_NUMBER = re.compile(r"media/(\d+)-")
_ENDING = re.compile(r"\.([A-Za-z0-9]{1,8})$")
# what neither a browser nor a desktop runs when it is clicked on; anything else gets ".bin" added
_HARMLESS = re.compile(
    "png|jpe?g|gif|webp|avif|bmp|tiff?|hei[cf]|mp[34]|m4[av]|webm|mov|mkv|avi|3gp|aac|og[gav]|opus|flac|wav"
    "|pdf|txt|md|csv|json|log|rtf|od[tsp]|docx|xlsx|pptx|epub|zip|gz|bz2|xz|7z|tar|bin"
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """An encrypted file of an event. ``sha256``: of the ciphertext; ``name`` as given, untrusted."""

    url: str
    key: bytes
    iv: bytes
    sha256: bytes
    name: str


class Altered(Exception):
    """The ciphertext is not the one that was sent."""


def of(event: Mapping[str, Any]) -> Iterator[Attachment]:
    """Yield the files of a decrypted event, its preview picture included; what is malformed is left out."""
    content = event.get("content")
    if not isinstance(content, dict):
        return
    info = content.get("info")
    given = content.get("filename") or content.get("body")
    name = given if isinstance(given, str) else ""
    preview = info.get("thumbnail_file") if isinstance(info, dict) else None
    for file, called in ((content.get("file"), name), (preview, f"preview {name}")):
        found = _attachment(file, called)
        if found:
            yield found


def _attachment(file: Any, name: str) -> Attachment | None:
    try:
        key = _url_safe(file["key"]["k"])
        iv, digest = decode(file["iv"]), decode(file["hashes"]["sha256"])
        url = file["url"]
    except (KeyError, TypeError, ValueError):
        return None
    fits = (len(key), len(iv), len(digest)) == (32, 16, 32) and isinstance(url, str) and file.get("v") in ("v1", "v2")
    return Attachment(url, key, iv, digest, name) if fits else None


def _url_safe(text: Any) -> bytes:
    """Return the bytes of a JSON Web Key's ``k`` (RFC 7517: base64url). Raises ValueError."""
    if not isinstance(text, str):
        raise ValueError("not a string")  # noqa: TRY004 - a hostile value, not a programming error
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not base64") from error


def opened(attachment: Attachment, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Decrypt a stream of ciphertext. Raises `Altered` behind the last block: nothing before it may be kept then."""
    cipher = Cipher(AES(attachment.key), CTR(attachment.iv)).decryptor()
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
        yield cipher.update(block)
    if not hmac.compare_digest(digest.digest(), attachment.sha256):
        raise Altered


def file_name(entry: str, name: str) -> str:
    """Return where a decrypted file is written: the number of its ``entry`` keeps it unique, its ending is harmless."""
    found = _NUMBER.match(entry)
    ending = _ENDING.search(name.strip())
    stem = name[: ending.start()] if ending else name
    letters = [
        sign if unicodedata.category(sign)[0] in "LN" else "-" for sign in unicodedata.normalize("NFC", stem[:400])
    ]
    short = re.sub("-+", "-", "".join(letters)).strip("-")[:_LONGEST].strip("-") or "file"
    last = ending[1].lower() if ending else "bin"
    harmless = last if _HARMLESS.fullmatch(last) else f"{last}.bin"
    return f"{found[1] if found else '00000'}-{short}.{harmless}"
