"""Values for what homeservers' bots and their staff read of notices."""

from datetime import date
from typing import Any

from dpobot.model.notices import ANSWERS, NoticeState, Requested
from tests.unit.text.samples import AT

_REFERENCE = {"reference": "DPO-2026-0042"}
_SERVERS = ["one.example.org", "two.example.org"]
_NOTICE: dict[str, Any] = {
    **_REFERENCE,
    "user_id": "@dpo:example.org",
    "erased_at": date(2026, 11, 22),
    "requested": [each.value for each in Requested],
}
_QUOTED = {**_NOTICE, "erased_at": "2026-11-22", "language": "en"}
_ROWS = [
    {
        "server": "one.example.org",
        "state": state.value,
        "contact": "@dpo:example.org" if number % 2 else None,
        "role": "m.role.admin" if number % 2 else None,
        "error": "timeout" if state is NoticeState.FAILED else None,
        "at": AT if number % 3 else None,
    }
    for number, state in enumerate(NoticeState)
]
_COUNTS = [{"state": state.value, "count": 12} for state in NoticeState]
_LISTED: dict[str, Any] = {**_REFERENCE, "rows": _ROWS, "more": 12, "to_be_told": 3, "by_email": True}
_NO_ANSWER: dict[str, Any] = {"reason": None, "reference": None, "case": None, "state": None}
_REASONS = ("malformed", "local", "other_server", "untrusted", "too_many", "reference_taken", "not_taken")

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "federation/notice": [_NOTICE, {**_NOTICE, "requested": ["forget"]}],
    "federation/answer": [
        *({**_NO_ANSWER, "reason": reason} for reason in _REASONS),
        *({**_NO_ANSWER, **_REFERENCE, "case": "DPO-2026-0007", "state": state.value} for state in sorted(ANSWERS)),
    ],
    "staff/notices": [
        {**_LISTED, "notice": _QUOTED},
        {**_LISTED, "more": 1, "to_be_told": 1, "by_email": False, "notice": _QUOTED},
        {**_LISTED, "more": 0, "to_be_told": 0, "notice": _QUOTED},
    ],
    "staff/confirm_notify": [
        {"plan": {**_REFERENCE, "servers": servers, "notice": _QUOTED}, "code": "K7QX3M", "until": AT,
         "command": "notify"}
        for servers in (_SERVERS, _SERVERS[:1], _SERVERS * 40)
    ],
    "staff/notifying": [{**_REFERENCE, "by": "@dpo:example.org", "servers": count} for count in (1, 12)],
    "staff/refusal_no_notices": [_REFERENCE],
    "staff/refusal_notices_told": [_REFERENCE],
    "staff/event_notices": [
        *({"what": "found", "servers": count, "counts": [], "at": AT} for count in (1, 12)),
        {"what": "told", "servers": 0, "counts": _COUNTS, "at": AT},
    ],
    "staff/event_notice": [
        {"state": state.value, "server": "one.example.org", "at": AT} for state in sorted(ANSWERS)
    ],
    "refusal_notices_not_offered": [{}],
}  # fmt: skip
