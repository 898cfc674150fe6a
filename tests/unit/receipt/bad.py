"""Receipts that are not good, each with the code of what is wrong: for Python, and for the page."""

import json
from typing import Any

from dpobot.receipt.canonical import canonical
from tests.unit.receipt.conftest import KEY, OTHER, receipt


def resigned(said: dict[str, Any]) -> str:
    """Return what was said, signed anew with the right key."""
    bare = {name: value for name, value in said.items() if name != "signature"}
    return canonical({**bare, "signature": KEY.sign(canonical(bare))}).decode()


def altered(**changed: Any) -> str:
    """Return a receipt that was changed after it was signed."""
    return canonical({**json.loads(receipt()), **changed}).decode()


def signed(**changed: Any) -> str:
    """Return a receipt with other members, rightly signed."""
    return resigned({**json.loads(receipt()), **changed})


def without(name: str) -> str:
    """Return a receipt that lacks a member, rightly signed."""
    return resigned({key: value for key, value in json.loads(receipt()).items() if key != name})


def _spare_bits() -> str:
    """Write the signature's last sign with other spare bits: the bytes are the same, the text is not."""
    said = json.loads(receipt())
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = said["signature"][-1]
    return canonical({**said, "signature": said["signature"][:-1] + signs[signs.index(last) ^ 1]}).decode()


GOOD = receipt()
# what it is, the document, the public key, the code
BAD: list[tuple[str, str, str, str]] = [
    ("nothing", "", KEY.public, "not_json"),
    ("words", "receipt", KEY.public, "not_json"),
    ("cut off", GOOD[:-1], KEY.public, "not_json"),
    ("a list", f"[{GOOD}]", KEY.public, "not_json"),
    ("null", "null", KEY.public, "not_json"),
    ("deeply nested", "[" * 100_000, KEY.public, "not_json"),
    ("a name twice", GOOD.replace('"notice":', '"case":"DPO-2026-0001","notice":'), KEY.public, "duplicate_key"),
    ("a name twice, within", GOOD.replace('{"media":3', '{"media":3,"media":4'), KEY.public, "duplicate_key"),
    ("laid out anew", json.dumps(json.loads(GOOD), indent=1), KEY.public, "not_canonical"),
    ("members in another order", json.dumps(dict(reversed(json.loads(GOOD).items()))), KEY.public, "not_canonical"),
    ("a broken number", GOOD.replace("2031", "2031.0"), KEY.public, "not_canonical"),
    ("a number with exponent", GOOD.replace("2031", "2e3"), KEY.public, "not_canonical"),
    ("a number that is too large", GOOD.replace("2031", "9007199254740993"), KEY.public, "not_canonical"),
    ("minus nothing", GOOD.replace('"count":0', '"count":-0'), KEY.public, "not_canonical"),
    ("an escaped letter", GOOD.replace("log_files", "\\u006cog_files"), KEY.public, "not_canonical"),
    ("half a character", GOOD.replace("log_files", "\\ud800"), KEY.public, "not_canonical"),
    ("a newer version", signed(version=2), KEY.public, "wrong_version"),
    ("a version that is none", signed(version=True), KEY.public, "wrong_version"),
    ("a version as text", signed(version="1"), KEY.public, "wrong_version"),
    ("no version", without("version"), KEY.public, "wrong_version"),
    ("no plan", without("plan"), KEY.public, "wrong_shape"),
    ("no signature", canonical({"version": 1}).decode(), KEY.public, "wrong_shape"),
    ("a member more", signed(name="Anna"), KEY.public, "wrong_shape"),
    ("a plan that is no hash", signed(plan="AB" * 32), KEY.public, "wrong_shape"),
    ("a hash with a line end", signed(plan="ab" * 32 + "\n"), KEY.public, "wrong_shape"),
    ("a subject that is no hash", signed(subject="@anna:dpobot.test"), KEY.public, "wrong_shape"),
    ("less than nothing", signed(counts={"messages": -1}), KEY.public, "wrong_shape"),
    ("a count that is none", signed(counts={"messages": True}), KEY.public, "wrong_shape"),
    ("counts as a list", signed(counts=[1]), KEY.public, "wrong_shape"),
    ("a residual without reason", signed(residuals=[{"category": "media", "count": 1}]), KEY.public, "wrong_shape"),
    (
        "a residual with a name in it",
        signed(residuals=[{"category": "media", "count": 1, "reason": "x", "name": "Anna"}]),
        KEY.public,
        "wrong_shape",
    ),
    ("residuals as text", signed(residuals="none"), KEY.public, "wrong_shape"),
    ("residuals as an object", signed(residuals={}), KEY.public, "wrong_shape"),
    ("a residual that is null", signed(residuals=[None]), KEY.public, "wrong_shape"),
    ("a day that never was", signed(times={"erased": "2026-02-30T00:00:00Z"}), KEY.public, "wrong_shape"),
    ("a time elsewhere", signed(times={"erased": "2026-02-03T00:00:00+01:00"}), KEY.public, "wrong_shape"),
    ("a time as number", signed(times={"erased": 1}), KEY.public, "wrong_shape"),
    ("a key that is none", GOOD, "AAAA", "bad_key"),
    ("a key that is nothing", GOOD, "", "bad_key"),
    ("a key in hexadecimal", GOOD, "00" * 32, "bad_key"),
    ("somebody else's key", GOOD, OTHER.public, "unknown_key"),
    ("fewer messages", altered(counts={"messages": 2030, "media": 3, "rooms": 1}), KEY.public, "bad_signature"),
    ("nothing left", altered(residuals=[]), KEY.public, "bad_signature"),
    ("another case", altered(case="DPO-2026-0043"), KEY.public, "bad_signature"),
    ("another subject", altered(subject="cd" * 32), KEY.public, "bad_signature"),
    ("a later time", altered(times={"erased": "2026-11-24T00:00:00Z"}), KEY.public, "bad_signature"),
    ("a signature of nothing", altered(signature="A" * 86), KEY.public, "bad_signature"),
    ("a short signature", altered(signature="AAAA"), KEY.public, "bad_signature"),
    ("a signature that is none", altered(signature="?"), KEY.public, "bad_signature"),
    ("other spare bits", _spare_bits(), KEY.public, "bad_signature"),
]
