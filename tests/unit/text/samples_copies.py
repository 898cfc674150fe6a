"""Values for the answers to `copies`."""

from typing import Any

from tests.unit.text.samples import AT

_REFERENCE = {"reference": "DPO-2026-0042"}
_DUE = {**_REFERENCE, "due_at": AT}
_NONE: dict[str, Any] = {
    **_REFERENCE,
    "events": 0,
    "rooms": 0,
    "servers": [],
    "more": 0,
    "later": 0,
    "services": [],
    "more_services": 0,
    "push": [],
    "identity": [],
    "incomplete": 0,
}

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "copies": [
        _NONE,
        {
            **_NONE,
            "events": 78_123,
            "rooms": 412,
            "servers": [{"name": f"server{n}.example", "events": 9_000 - n, "rooms": 12} for n in range(10)],
            "more": 4_321,
            "later": 17,
            "services": [
                {"user_id": "@ircbot:example.org", "kind": "bridge", "network": "IRC, OFTC"},
                {"user_id": "@polls:example.org", "kind": "bot", "network": None},
            ],
            "more_services": 3,
            "push": [{"host": "push.example.org", "app": "Element"}, {"host": "ntfy.example.org", "app": ""}],
            "identity": ["vector.im"],
            "incomplete": 2,
        },
    ],
    "copies_accepted": [_DUE],
    "copies_waiting": [
        {**_DUE, "trust": trust, "local": local}
        for trust in ("signed", "unsigned", "identity_changed", "unknown")
        for local in (True, False)
    ],
    "copies_failed": [_REFERENCE],
}
