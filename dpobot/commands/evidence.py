"""A file in a message -> where it is and what opens it. Pure; whatever is odd about it is refused."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from dpobot.model.ids import Mxc
from dpobot.model.records import EncryptedFile, FileRef, Json
from dpobot.text.filters import clean

MOST_OF_A_NAME = 120  # characters of a file's name
_UNNAMED = "file"
_UNKNOWN_TYPE = "application/octet-stream"

_MXC = re.compile(r"mxc://[A-Za-z0-9.:\[\]-]{1,230}/[A-Za-z0-9_-]{1,255}")  # spec: Matrix Content (mxc://) URIs
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}", re.IGNORECASE)  # RFC 6838, 4.2
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=?")  # 32 bytes, base64url
_IV = re.compile(r"[A-Za-z0-9+/]{22}(?:==)?")  # 16 bytes
_HASH = re.compile(r"[A-Za-z0-9+/]{43}=?")  # 32 bytes


class Unusable(StrEnum):
    """Why a file is not taken."""

    CLEAR = "clear"  # it was uploaded without encryption: others can read it already
    BROKEN = "broken"  # what should open it is missing or makes no sense
    UNSIZED = "unsized"  # it does not say how large it is
    LARGE = "large"  # larger than is taken


def file_of(content: Json, most_bytes: int) -> FileRef | Unusable:
    """Return the encrypted file of an ``m.file``, ``m.image``, ``m.audio`` or ``m.video`` (spec: Sending encrypted
    attachments), or why there is none. Nothing but what the specification names is kept of it.
    """
    file = content.get("file")
    if not isinstance(file, Mapping):
        return Unusable.CLEAR if isinstance(content.get("url"), str) else Unusable.BROKEN
    info = content.get("info")
    facts: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
    size = facts.get("size")
    if isinstance(size, bool) or not isinstance(size, int) or size <= 0:
        return Unusable.UNSIZED
    if size > most_bytes:
        return Unusable.LARGE
    opened = _opened(file, size)
    return Unusable.BROKEN if opened is None else FileRef(_name(content), _type(facts.get("mimetype")), opened)


def caption(content: Json, body: str) -> str:
    """Return what was written beside a file; ``body`` is that only if the file's name stands elsewhere (spec 1.10)."""
    name = content.get("filename")
    return body.strip() if isinstance(name, str) and name != body else ""


def _opened(file: Mapping[str, Any], size: int) -> EncryptedFile | None:
    key, hashes = file.get("key"), file.get("hashes")
    if file.get("v") != "v2" or not isinstance(key, Mapping) or not isinstance(hashes, Mapping):
        return None
    if key.get("kty") != "oct" or key.get("alg") != "A256CTR":
        return None
    url, secret, iv, digest = file.get("url"), key.get("k"), file.get("iv"), hashes.get("sha256")
    if not (_is(_MXC, url) and _is(_KEY, secret) and _is(_IV, iv) and _is(_HASH, digest)):
        return None
    known = {"kty": "oct", "key_ops": ["encrypt", "decrypt"], "alg": "A256CTR", "k": secret, "ext": True}
    return EncryptedFile(Mxc(str(url)), known, str(iv), {"sha256": str(digest)}, size)


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _name(content: Json) -> str:
    """Return the file's name as data: no path, no control or direction characters."""
    given = next((name for name in (content.get("filename"), content.get("body")) if isinstance(name, str)), "")
    last = re.split(r"[/\\]", given[: MOST_OF_A_NAME * 4])[-1]
    return clean(last, MOST_OF_A_NAME).strip(". ") or _UNNAMED


def _type(given: object) -> str:
    return given.lower() if isinstance(given, str) and _TYPE.fullmatch(given) else _UNKNOWN_TYPE
