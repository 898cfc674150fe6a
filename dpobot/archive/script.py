"""Data as a script: what a program reads must be what JSON says, whatever people have put into it."""

import json
from typing import Any

from dpobot.archive.spool import encode


def literal(value: object) -> bytes:
    """Return JSON that a script reads as ``JSON.parse`` would (ECMA-262 B.3.1: ``__proto__`` is no plain member)."""
    data = encode(value)
    if b"__proto__" in data:
        data = encode(json.loads(data, object_pairs_hook=_plain))
    return data.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")


def call(value: object) -> bytes:
    """Return a data file."""
    return b"dpobot(" + literal(value) + b")\n"


def _plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if key != "__proto__"}
