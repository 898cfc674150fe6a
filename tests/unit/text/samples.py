"""Values with which every template of a person's messages can be rendered; more than one set where it has branches."""

from datetime import UTC, date, datetime
from typing import Any

from dpobot.commands.evidence import Unusable
from dpobot.config import OperatorConfig
from dpobot.model.words import CaseState, Ground, Kind
from dpobot.text.notice import NoticeSection, NoticeVersion

OPERATOR = OperatorConfig(
    name="Example Ltd",
    service="example.org",
    dpo_email="dpo@example.org",
    security_email="security@example.org",
    postal_address="1 Example Street, London",
    authority="the ICO",
    authority_url="https://ico.org.uk/concerns",
    hosting=("Host A", "Host B"),
)
GLOBALS: dict[str, object] = {"operator": OPERATOR, "bot": "@dpo:example.org"}
AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
_SECTION = NoticeSection("passwords", "5.1", "Passwords", "One paragraph.\n\n- a point\n- another one")
_VERSION = NoticeVersion("2026-11-22", date(2026, 11, 22), "First version.", (_SECTION,))
_REFERENCE = {"reference": "DPO-2026-0042"}
_DUE = {**_REFERENCE, "due_at": AT}
_LINES = [{"name": "help", "usage": "help [command]", "summary": "what you can say here"}]
_EXPORT: dict[str, Any] = {**_DUE, "sections": [], "since": None, "until": None, "scope": "mine"}
_CASES = [
    {
        **_REFERENCE,
        "kind": kind.value,
        "state": state.value,
        "stage": None,
        "received_at": AT,
        "due_at": AT,
        "closed_at": closed,
        "overdue": overdue,
        "extended": overdue or closed is not None,
        "ground": "identity" if state is CaseState.REFUSED else None,
        "percent": 42 if state is CaseState.WORKING else None,
    }
    for kind in Kind
    for state in CaseState
    for closed, overdue in ((None, False), (None, True), (AT, False))
]
_GROUNDS = [
    {**_CASES[0], "state": "refused", "ground": ground, "closed_at": AT}
    for ground in (*(each.value for each in Ground), "?")
]
_STAGES = [
    {**_CASES[0], "kind": "erasure", "state": "confirming", "stage": {"name": name, "until": AT}}
    for name in (
        "counting", "device", "asked", "rechecking", "cooling", "waits", "begun", "checking", "in_force", "put_right",
    )
]  # fmt: skip
_LATE = {**_CASES[0], "overdue": True, "extended": False}
_REQUEST = [{**_DUE, "words": words, "local": local} for words in (True, False) for local in (True, False)]

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "greeting": [{}, {"commands": _LINES}, {"commands": _LINES, "numbered": True}, {"numbered": True}],
    "help": [{"commands": _LINES, "numbered": True}],
    "help_command": [
        {"name": name, "usage": f"{name} [x]", "summary": "does something", "synonyms": words, "aliases": ()}
        for name in ("export", "privacy", "erase", "receipt", "restrict", "rectify", "cases")
        for words in ((), ("do it", "just do it"))
    ],
    "rights": [{}],
    "privacy": [{"version": _VERSION}],
    "privacy_section": [{"version": _VERSION, "section": _SECTION}],
    "privacy_found": [{"found": []}, {"found": [_SECTION, _SECTION]}],
    "privacy_history": [{"versions": (_VERSION,)}],
    "privacy_in_force": [
        {"day": AT, "version": _VERSION, "first": _VERSION},
        {"day": AT, "version": None, "first": _VERSION},
    ],
    "export_accepted": [
        _EXPORT,
        {**_EXPORT, "links": True},
        {**_EXPORT, "since": AT},
        {**_EXPORT, "sections": ["media"]},
        {**_EXPORT, "sections": ["account", "media", "messages"], "since": AT, "until": AT},
    ],
    "export_waiting": [
        {**_EXPORT, "trust": trust, "local": local}
        for trust in ("signed", "unsigned", "identity_changed", "unknown")
        for local in (True, False)
    ]
    + [{**_EXPORT, "scope": "visible", "trust": "signed", "local": True}],
    "export_progress": [
        {
            **_REFERENCE,
            "bar": "█████░░░░░",
            "percent": 50,
            "rooms": 1200,
            "rooms_total": 2400,
            "events": 78000,
            "megabytes": 12.5,
            "minutes_left": left,
        }
        for left in (None, 0, 3, 600)
    ],
    "export_delivered": [
        {**_REFERENCE, "volumes": [{"number": 1, "size": 90_000_000, "sha256": "ab" * 32}], "delete_on": AT}
    ],
    "access_delivered": [
        {**_REFERENCE, "volumes": [{"number": 1, "size": 90_000_000, "sha256": "ab" * 32}], "delete_on": AT}
    ],
    "access_failed": [_REFERENCE],
    "export_held": [_REFERENCE],
    "export_failed": [_REFERENCE],
    "delivery_waits": [_REFERENCE],
    "status": [
        *({"cases": _CASES[start : start + 20], "more": False} for start in range(0, len(_CASES), 20)),
        {"cases": [], "more": False},
        {"cases": _CASES[:1], "more": True},
        {"cases": _GROUNDS, "more": False},
        {"cases": _STAGES, "more": False},
        {"cases": [_LATE, {**_LATE, "state": "paused"}], "more": False},
    ],
    "cases": [{"cases": _CASES[:20], "more": True}, {"cases": [], "more": False}],
    "cancelled": [{**_REFERENCE, "kind": kind.value} for kind in Kind],
    "received": [_REFERENCE],
    "language_set": [{"name": "English"}],
    "languages": [{"current": "English", "names": ["Deutsch", "English"]}],
    "free_text_added": [
        {**_REFERENCE, "meant": meant, "resumed": resumed} for meant in (None, "export") for resumed in (True, False)
    ],
    "free_text_offer": [
        {"meant": meant, "until": AT, "file": file} for meant in (None, "export") for file in (True, False)
    ],
    "closed_case": [{**_REFERENCE, "until": AT}],
    "free_text_full": [{}],
    "passed_on": [_DUE],
    "not_passed_on": [{}],
    "nothing_said": [{}],
    "file_not_taken": [{"reason": each.value, "most": 50_000_000} for each in Unusable],
    "edited_after": [{}],
    "unencrypted_room": [{}],
    "sent_in_clear": [{}],
    "undecryptable": [{}],
    "forged": [{}],
    "too_fast": [{"per_minute": 60}],
    "not_direct": [{"of_staff": False}, {"of_staff": True}],
    "error": [{"reference": "a1b2c3d4"}],
    "request_access": _REQUEST,
    "request_rectification": _REQUEST,
    "request_restriction": _REQUEST,
    "request_objection": _REQUEST,
    "request_automated": _REQUEST,
    "request_complaint": _REQUEST,
    "request_security": _REQUEST,
    "request_child": _REQUEST,
    "refusal_unencrypted_room": [{}],
    "refusal_forged": [{}],
    "refusal_untrusted_device": [{"trust": "unsigned"}],
    "refusal_untrusted_change": [_REFERENCE],
    "refusal_remote_account": [{}],
    "refusal_unknown_case": [_REFERENCE],
    "refusal_which_case": [{"command": "cancel", "cases": [{**_REFERENCE, "kind": "export"}]}],
    "refusal_unknown_parameter": [{"word": "sinec", "command": "export", "usage": "export [since DATE]"}],
    "refusal_bad_date": [{"text": "someday"}],
    "refusal_future_date": [{"text": "2999"}],
    "refusal_empty_period": [{"since": AT, "until": AT}],
    "refusal_visible_not_offered": [{}],
    "refusal_no_words": [{}],
    "refusal_choices_expired": [{}],
    "refusal_nothing_to_cancel": [{}],
    "refusal_nothing_to_receive": [{}],
    "refusal_not_delivered": [_REFERENCE],
    "refusal_not_withdrawable": [_REFERENCE],
    "refusal_already_open": [_REFERENCE],
    "refusal_unknown_language": [{"text": "klingon", "names": ["English"]}],
    "refusal_plan_changed": [{}],
}
