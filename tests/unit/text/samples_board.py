"""Values for the sentences of the staff room itself: the card, the thread, the room, and who is turned away."""

from datetime import timedelta
from typing import Any

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
    "next": "claim",
}
_OVER = (CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN)
_EVENT: dict[str, Any] = {"at": AT, "code": None}
_WORDS = {"at": AT, "lines": ["Good morning,", "this is about my account."], "more": False}

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "staff/card": [
        _CARD,
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
        {**_CARD, "legal_hold": True, "extended": 2, "messages": 1, "files": 2, "approvals": 1, "acknowledge_by": AT},
        {**_CARD, "state": "held", "held": "anomaly_size", "next": "held", "approvals": 2},
        {**_CARD, "state": "refused", "outcome": "identity", "over": True, "closed_at": AT, "next": "nothing"},
    ],
    "staff/thread_words": [{"messages": [_WORDS]}, {"messages": [_WORDS, {**_WORDS, "more": True}]}],
    "staff/thread_file": [{"file_name": "letter.pdf", "media_type": "application/pdf", "size": 12_345}],
    "staff/event_case": [
        *(
            {**_EVENT, "what": what}
            for what in ("approved", "withdrawn", "resumed", "received", "expired", "started", "delivered")
        ),
        {**_EVENT, "what": "held", "code": "anomaly_size"},
        {**_EVENT, "what": "failed", "code": "homeserver_gone"},
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
