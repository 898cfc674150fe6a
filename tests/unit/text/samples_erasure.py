"""Values for what the jobs of erasure, restriction and rectification say to people."""

from typing import Any

from tests.unit.text.samples import AT

_REFERENCE = {"reference": "DPO-2026-0042"}
_DUE = {**_REFERENCE, "due_at": AT}
_SURVEY: dict[str, Any] = {
    "messages": 12_345,
    "state": 40,
    "state_kept": 17,
    "shared_rooms": 61,
    "left_rooms": 9,
    "sole_rooms": 3,
    "direct_rooms": 4,
    "media": 310,
    "media_bytes": 734_003_200,
    "media_private": 12,
    "devices": 4,
    "addresses": 2,
    "account_data": 57,
    "sso_links": 1,
    "servers": ["example.com", "matrix.example.net"],
}
_NOTHING: dict[str, Any] = {name: [] if name == "servers" else 0 for name in _SURVEY}
_ALL = {"redact": True, "media": True, "direct": True, "tell": True}
_NONE = {"redact": False, "media": False, "direct": False, "tell": False}
_WORDS = {"redact": "erase redact", "media": "erase media", "direct": "erase direct", "tell": "erase tell"}
_PLAN: dict[str, Any] = {
    **_REFERENCE,
    "changed": False,
    "options": _NONE,
    "survey": _SURVEY,
    "more_servers": 12,
    "media_going": 12,
    "redactions": 40,
    "seconds": {"fast": 1.0, "slow": 4.0},
    "database_days": 8,
    "log_days": 180,
    "others": [{"words": words, "what": what, "on": True} for what, words in _WORDS.items()],
    "code": "K7QX3M",
    "until": AT,
}
_EVERYTHING = {
    **_PLAN,
    "options": _ALL,
    "media_going": 310,
    "redactions": 12_385,
    "seconds": {"fast": 309.6, "slow": 1238.5},
    "others": [{"words": words, "what": what, "on": False} for what, words in _WORDS.items()],
}

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "erase_plan": [
        _PLAN,
        _EVERYTHING,
        {**_PLAN, "changed": True, "more_servers": 0},
        {**_PLAN, "survey": _NOTHING, "media_going": 0, "redactions": 0, "others": [], "more_servers": 0},
    ],
    "erase_confirmed": [{**_DUE, "until": AT, "decided": decided} for decided in (True, False)],
    "erase_soon": [
        *({**_REFERENCE, "until": AT, "decided": decided, "scope": None} for decided in (True, False)),
        *({**_REFERENCE, "until": AT, "decided": True, "scope": scope} for scope in ("room", "state")),
    ],
    "erase_waits": [{**_REFERENCE, "copy": "DPO-2026-0043", "delivered": delivered} for delivered in (True, False)],
    "erase_last_words": [
        {**_REFERENCE, "code": "ABCD-EFGH-JKLM-NPQR-STUV", "scope": scope, "redact": True}
        for scope in (None, "room", "state")
    ],
    "erase_held": [_DUE],
    "erase_not_counted": [_DUE],
    "restrict_last_words": [_REFERENCE],
    "lifted": [_REFERENCE],
    "rectified": [
        {**_REFERENCE, "field": field, "removed": removed}
        for field, removed in (("display_name", False), ("email", False), ("avatar", True), ("avatar", False))
    ],
    "rectify_failed": [
        {**_REFERENCE, "field": "email", "removed": False, "code": code}
        for code in ("no_such_email", "no_picture", "M_FORBIDDEN")
    ],
}
