"""Canonical JSON (Matrix specification, Appendices, "Canonical JSON"): one text for one value. Pure."""

import json
from collections.abc import Mapping
from typing import Any

_LARGEST = 2**53 - 1


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return UTF-8: keys sorted by code point, no white space, integers only. Raises `ValueError` for anything else."""
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _check(value: Any) -> None:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        for each in value.values():
            _check(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _check(each)
    else:
        raise ValueError("not canonical JSON: only integers up to 2^53-1, text, truth values, null, lists, objects")
