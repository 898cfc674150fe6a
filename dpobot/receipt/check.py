"""Checking a receipt, offline: is it, to the last sign, what the holder of the key has signed? Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dpobot.errors import DpobotError
from dpobot.model.erasure import Residual
from dpobot.receipt.base64 import decoded
from dpobot.receipt.canonical import canonical
from dpobot.receipt.document import VERSION
from dpobot.receipt.key import key_id_of

CODES = (
    "not_json",
    "duplicate_key",
    "not_canonical",
    "wrong_version",
    "wrong_shape",
    "bad_key",
    "unknown_key",
    "bad_signature",
)
AROUND = "\ufeff \t\r\n"  # what editors put before and behind a text
MOST_CHARACTERS = 1_000_000
_TEXTS = ("case", "plan", "notice", "subject", "key_id", "signature")
_FIELDS = frozenset({"version", "counts", "residuals", "times", *_TEXTS})
_HASH = re.compile(r"[0-9a-f]{64}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class ReceiptError(DpobotError):
    """A receipt that is not good; ``code`` is one of `CODES` (sentences: ``templates/receipt/parts/words.html``)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Checked:
    """What a good receipt says. ``counts``: category to how many are gone; ``times``: aware."""

    case: str
    plan: str
    counts: Mapping[str, int]
    residuals: tuple[Residual, ...]
    times: Mapping[str, datetime]
    notice: str
    subject: str
    key_id: str


def verify(document: str, public_key: str) -> Checked:
    """Return what a receipt says if it was signed with that key (unpadded Base64). Raises `ReceiptError`.

    Only the very text that was signed is good: white space around it is all that may differ, so that no two programs
    can read one receipt differently.
    """
    said = parsed(document.strip(AROUND))
    if said.get("version") != VERSION or isinstance(said["version"], bool):
        raise ReceiptError("wrong_version")
    checked = _shaped(said)
    _signed(said, public_key)
    return checked


def key_id_in(document: str) -> str:
    """Return the name of the key that a receipt says it was signed with. Raises `ReceiptError`."""
    return str(parsed(document.strip(AROUND)).get("key_id"))


def parsed(text: str) -> dict[str, Any]:
    """Return the members of a text that is exactly its canonical form. Raises `ReceiptError`."""
    if len(text) > MOST_CHARACTERS:
        raise ReceiptError("not_json")
    try:
        said = json.loads(text, object_pairs_hook=_distinct, parse_float=_never, parse_constant=_never)
    except (ValueError, RecursionError) as error:
        raise ReceiptError("not_json") from error
    if not isinstance(said, dict):
        raise ReceiptError("not_json")
    try:
        exact = canonical(said).decode()
    except ValueError as error:
        raise ReceiptError("not_canonical") from error
    if exact != text:
        raise ReceiptError("not_canonical")
    return said


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice in an object: one program would read the first value, another the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ReceiptError("duplicate_key")
    return found


def _never(number: str) -> Any:
    raise ReceiptError("not_canonical")


def _shaped(said: Mapping[str, Any]) -> Checked:
    if said.keys() != _FIELDS or not all(isinstance(said[name], str) for name in _TEXTS):
        raise ReceiptError("wrong_shape")
    try:
        return Checked(
            case=said["case"],
            plan=_hash(said["plan"]),
            counts={name: _count(value) for name, value in said["counts"].items()},
            residuals=_residuals(said["residuals"]),
            times={name: _moment(value) for name, value in said["times"].items()},
            notice=said["notice"],
            subject=_hash(said["subject"]),
            key_id=said["key_id"],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ReceiptError("wrong_shape") from error


def _hash(value: str) -> str:
    if not _HASH.fullmatch(value):
        raise ValueError("hash")
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("count")
    return value


def _residuals(value: Any) -> tuple[Residual, ...]:
    if not isinstance(value, list):
        raise TypeError("residuals")
    return tuple(_residual(each) for each in value)


def _residual(value: Mapping[str, Any]) -> Residual:
    if value.keys() != {"category", "count", "reason"}:
        raise ValueError("residual")
    category, reason = value["category"], value["reason"]
    if not isinstance(category, str) or not isinstance(reason, str):
        raise TypeError("residual")
    return Residual(category, _count(value["count"]), reason)


def _moment(value: str) -> datetime:
    if not _MOMENT.fullmatch(value):
        raise ValueError("time")
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _signed(said: Mapping[str, Any], public_key: str) -> None:
    public = public_key.strip(AROUND).rstrip("=")
    try:
        known, raw = key_id_of(public), decoded(public)
    except ValueError as error:
        raise ReceiptError("bad_key") from error
    if said["key_id"] != known:
        raise ReceiptError("unknown_key")
    message = canonical({name: value for name, value in said.items() if name != "signature"})
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(decoded(said["signature"]), message)
    except (InvalidSignature, ValueError) as error:
        raise ReceiptError("bad_signature") from error
