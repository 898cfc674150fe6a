"""Values for the sentences of the staff room itself: the card, the thread, the room, and who is turned away."""

from datetime import timedelta
from typing import Any

from dpobot.model.notices import NoticeState
from dpobot.model.words import CaseState, Kind
from tests.unit.text.samples import AT

_WHO = {"who": "@dpo:example.org"}
_CARD: dict[str, Any] = {
    "reference": "DPO-2026-0042",
    "kind": "export",
    "person": "@dpo:example.org",
    "evidence": "signed",
    "channel": "matrix",
    "verified_at": None,
    "state": "review",
    "held": None,
    "may_be_suspended": False,
    "outcome": None,
    "assignee": None,
    "received_at": AT,
    "due_at": AT + timedelta(days=30),
    "days": 30,
    "paused_at": None,
    "over": False,
    "closed_at": None,
    "acknowledge_by": None,
    "extended": 0,
    "legal_hold": False,
    "messages": 2,
    "files": 1,
    "approvals": 0,
    "erasure": None,
    "field": None,
    "scope": None,
    "notices": [],
    "foreign": None,
    "next": "claim",
}
_FOREIGN: dict[str, Any] = {
    "server": "one.example.org",
    "sender": "@dpo:example.org",
    "reference": "DPO-2026-0007",
    "verified": True,
    "requested": ["forget", "redact"],
    "erased_on": "2026-11-22",
}
_ERASURE: dict[str, Any] = {
    "stage": "counting",
    "until": AT,
    "begun_at": AT,
    "checked_at": AT,
    "options": {"redact": True, "media": True, "direct": True, "tell": True},
    "copied": "delivered",
    "exceptional": None,
    "rooms": None,
    "failures": [],
    "left": [],
    "kept": 0,
}
_FAILED = [{"code": "forbidden", "count": 12}, {"code": "timeout", "count": 1}]
_LEFT = [{"category": "messages", "count": 3, "reason": "still_there"}]
_NO_OPTIONS = {"redact": False, "media": False, "direct": False}
_STAGES = ("counting", "device", "asked", "rechecking", "unconfirmed", "planned", "cooling", "waits", "speaking",
           "begun", "partial", "checking", "finished")  # fmt: skip
_ERASURES: list[dict[str, Any]] = [
    *({**_ERASURE, "stage": stage} for stage in _STAGES),
    *({**_ERASURE, "copied": copied, "options": _NO_OPTIONS} for copied in ("waived", "open")),
    *({**_ERASURE, "stage": "begun", "rooms": {"done": done, "all": 40}} for done in (0, 1, 40)),
    {**_ERASURE, "stage": "begun", "rooms": {"done": 1, "all": 1}},
    {**_ERASURE, "stage": "partial", "rooms": {"done": 39, "all": 40}, "failures": _FAILED, "left": _LEFT},
    *({**_ERASURE, "stage": "finished", "kept": kept} for kept in (1, 12)),
    {**_ERASURE, "stage": "finished", "left": _LEFT, "kept": 9},
    {**_ERASURE, "stage": None},
    *(
        {**_ERASURE, "stage": "planned", "exceptional": {"scope": scope, "room_id": "!31hneApxJ_1o"}}
        for scope in ("room", "state")
    ),
]
_SURVEY: dict[str, Any] = {
    "messages": 12_345, "state": 40, "state_kept": 12, "shared_rooms": 30, "left_rooms": 4, "sole_rooms": 3,
    "direct_rooms": 2, "media": 321, "media_bytes": 98_765_432, "media_private": 20, "devices": 3, "addresses": 1,
    "account_data": 44, "sso_links": 0, "servers": ["one.example.org", "two.example.org"],
}  # fmt: skip
_OVER = (CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN)
_EVENT: dict[str, Any] = {"at": AT, "code": None}
_STEP: dict[str, Any] = {"at": AT, "until": None, "plan": {}}
_COUNTED: dict[str, Any] = {
    **_STEP,
    "what": "counted",
    "plan": {"options": _NO_OPTIONS, "survey": _SURVEY},
}
_WORDS = {"at": AT, "lines": ["Good morning,", "this is about my account."], "more": False, "who": None}

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "staff/card": [
        _CARD,
        {**_CARD, "kind": "export", "scope": "visible"},
        {**_CARD, "notices": [{"state": state.value, "count": 12} for state in NoticeState]},
        *(
            {**_CARD, "kind": "erasure", "channel": "federation", "evidence": evidence, "foreign": _FOREIGN}
            for evidence in ("their_server", "not_their_server")
        ),
        *({**_CARD, "kind": kind.value} for kind in Kind),
        *(
            {**_CARD, "state": state.value, "paused_at": AT if state is CaseState.PAUSED else None}
            for state in CaseState
        ),
        *({**_CARD, "state": state.value, "over": True, "closed_at": AT, "next": "nothing"} for state in _OVER),
        *(
            {**_CARD, "next": step}
            for step in ("verify", "approve", "reply", "close", "resume", "held", "works", "received", "nothing")
        ),
        *({**_CARD, "evidence": evidence} for evidence in ("unsigned", "identity_changed", "unknown")),
        *({**_CARD, "evidence": "outside", "channel": channel} for channel in ("email", "post", "phone", "other")),
        *({**_CARD, "days": days} for days in (-9, -1, 0, 1)),
        {**_CARD, "evidence": "verified", "verified_at": AT, "assignee": "@dpo:example.org", "extended": 1},
        *({**_CARD, "kind": "erasure", "state": "approved", "erasure": erasure} for erasure in _ERASURES),
        *(
            {**_CARD, "kind": "erasure", "state": state, "erasure": _ERASURE, "next": step}
            for state, step in (
                ("confirming", "counting"),
                ("confirming", "device"),
                ("confirming", "person"),
                ("review", "unconfirmed"),
                ("partial", "retry"),
            )
        ),
        {**_CARD, "kind": "restriction", "state": "delivered", "next": "lift"},
        {**_CARD, "kind": "restriction", "state": "held", "next": "held", "may_be_suspended": True},
        *(
            {**_CARD, "kind": "rectification", "state": state, "field": field}
            for field in ("display_name", "avatar", "email")
            for state in ("review", "delivered")
        ),
        {**_CARD, "legal_hold": True, "extended": 2, "messages": 1, "files": 2, "approvals": 1, "acknowledge_by": AT},
        {**_CARD, "state": "held", "held": "anomaly_size", "next": "held", "approvals": 2},
        {**_CARD, "state": "refused", "outcome": "identity", "over": True, "closed_at": AT, "next": "nothing"},
    ],
    "staff/thread_words": [{"messages": [_WORDS, _WORDS | _WHO]}, {"messages": [_WORDS, {**_WORDS, "more": True}]}],
    "staff/thread_file": [{"file_name": "letter.pdf", "media_type": "application/pdf", "size": 12_345}],
    "staff/event_case": [
        *(
            {**_EVENT, "what": what}
            for what in (
                "approved",
                "withdrawn",
                "resumed",
                "received",
                "expired",
                "started",
                "delivered",
                "restricted",
                "lifted",
                "rectified",
                "on_hold",
            )
        ),
        *({**_EVENT, "what": what, "code": "homeserver_gone"} for what in ("not_counted", "stopped")),
        {**_EVENT, "what": "held", "code": "anomaly_size"},
        {**_EVENT, "what": "failed", "code": "homeserver_gone"},
    ],
    "staff/event_erasure": [
        *({**_STEP, "what": what} for what in ("planned", "confirmed", "changed", "again", "begun", "partial")),
        *({**_STEP, "what": "settled", "until": until} for until in (AT, None)),
        _COUNTED,
        *(
            {
                **_STEP,
                "what": "counted",
                "plan": {
                    "exceptional": {"scope": scope, "room_id": "!31hneApxJ_1o"},
                    "people": {"joined": 12, "ever": 20},
                    "events": {"messages": 1, "state": 2, "kept": 3},
                },
            }
            for scope in ("room", "state")
        ),
    ],
    "staff/room_name": [{}],
    "staff/room_welcome": [{}],
    "staff/room_unencrypted": [{}],
    "staff/room_not_private": [{}],
    "staff/room_undecryptable": [_WHO],
    "staff/room_error": [{**_WHO, "reference": "0a1b2c3d"}],
    "staff/refusal_not_staff": [_WHO],
    "staff/refusal_sent_in_clear": [_WHO],
    "staff/refusal_forged": [_WHO],
    "staff/refusal_untrusted_device": [
        {**_WHO, "trust": trust} for trust in ("unsigned", "identity_changed", "unknown")
    ],
}
