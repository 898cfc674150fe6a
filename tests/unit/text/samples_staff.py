"""Values for what staff hear from their commands, and what people hear of what staff have done."""

from datetime import date
from typing import Any

from dpobot.model.words import CaseState, Channel, Ground, Kind
from tests.unit.text.samples import AT

_WHO = "@dpo:example.org"
_REFERENCE = {"reference": "DPO-2026-0042"}
_BY = {**_REFERENCE, "by": _WHO}
_LINES = ["First line.", "", "Second line."]
_COUNTS = {"open": 12_345, "due_soon": 3, "overdue": 2, "unassigned": 1, "held": 1, "paused": 4}
_CASE: dict[str, Any] = {
    **_REFERENCE,
    "kind": "complaint",
    "person": _WHO,
    "state": "review",
    "channel": "matrix",
    "trust": "signed",
    "proven": True,
    "verified_at": None,
    "assignee": None,
    "received_at": AT,
    "due_at": AT,
    "days_left": 12,
    "acknowledge_by": None,
    "answered_at": None,
    "extended_months": 0,
    "paused_at": None,
    "legal_hold": False,
    "outcome": None,
    "closed_at": None,
}
_CASES: list[dict[str, Any]] = [
    _CASE,
    *({**_CASE, "kind": kind.value, "state": state.value} for kind in Kind for state in CaseState),
    *({**_CASE, "channel": channel.value} for channel in Channel),
    *({**_CASE, "days_left": days, "assignee": _WHO} for days in (-3, -1, 0, 1)),
    {**_CASE, "days_left": None, "closed_at": AT, "state": "refused", "outcome": "fraud"},
    {**_CASE, "paused_at": AT, "proven": False, "trust": "unknown", "acknowledge_by": AT},
    {**_CASE, "verified_at": AT, "legal_hold": True, "extended_months": 1},
    {**_CASE, "extended_months": 2},
]
_MESSAGE = {"author": None, "direction": "person", "at": AT, "lines": _LINES, "cut": False}
_FILE = {"name": "proof.pdf", "size": 12_345, "author": None, "purpose": "evidence", "sent_at": None}
_SHOWN: dict[str, Any] = {"case": _CASE, "options": [], "messages": [], "left_out": False, "files": [], "jobs": []}
_WAYS: list[dict[str, Any]] = [
    {**_REFERENCE, "person": _WHO, "channel": channel.value, "reachable": reachable, "seconds": seconds,
     "at": "14:05:10 UTC", "lines": lines, "file_count": files}
    for channel in Channel for reachable in (True, False)
    for seconds, lines, files in ((10, _LINES, 2), (0, _LINES, 1), (0, [], 0))
]  # fmt: skip
_WORDS = [ways for ways in _WAYS if ways["lines"]]
_CODE = {"code": "AB23CD", "until": AT}
_APPROVAL: dict[str, Any] = {
    **_REFERENCE,
    "kind": "export",
    "person": _WHO,
    "state": "review",
    "options": {"scope": "mine", "since": None},
    "channel": "matrix",
    "proven": True,
    "job": "export",
    "held": None,
    "files": 0,
    "second": False,
    "erasure": None,
    "rectification": None,
}
_SURVEY: dict[str, Any] = {
    "messages": 12_345, "state": 40, "state_kept": 12, "shared_rooms": 30, "left_rooms": 4, "sole_rooms": 3,
    "direct_rooms": 2, "media": 321, "media_bytes": 98_765_432, "media_private": 20, "devices": 3, "addresses": 1,
    "account_data": 44, "sso_links": 0, "servers": ["one.example.org", "two.example.org"],
}  # fmt: skip
_ALL = {"redact": True, "media": True, "direct": True, "tell": True}
_NONE = {"redact": False, "media": False, "direct": False}
_PLAN: dict[str, Any] = {
    "version": 1,
    "person": _WHO,
    "options": {**_ALL, "copy": "delivered"},
    "survey": _SURVEY,
}
_FEWEST = {
    **_SURVEY, "messages": 1, "state": 1, "devices": 1, "media": 1, "servers": ["one.example.org"], "direct_rooms": 1,
}  # fmt: skip
_FEW: dict[str, Any] = {**_PLAN, "options": {**_NONE, "copy": "waived"}, "survey": _FEWEST}
_MANY = {**_SURVEY, "servers": [f"s{n}.example.org" for n in range(150)]}
_EXCEPTIONS = [{"scope": scope, "room_id": "!31hneApxJ_1o"} for scope in ("room", "state")]
_EXCEPTIONAL = [
    {"version": 1, "person": _WHO, "exceptional": exception, "people": {"joined": 1200, "ever": 1300},
     "events": {"messages": 10, "state": 3, "kept": 1}}
    for exception in _EXCEPTIONS
]  # fmt: skip
_PLANS: list[dict[str, Any]] = [
    _PLAN, _FEW, {**_PLAN, "survey": {**_MANY, "direct_rooms": 0}}, {**_FEW, "survey": {**_SURVEY, "servers": []}},
    *_EXCEPTIONAL,
]  # fmt: skip
_STAGES = ("counting", "device", "asked", "rechecking", "unconfirmed", "planned", "cooling", "waits", "speaking",
           "begun", "partial", "checking", "finished")  # fmt: skip
_ON_ITS_WAY: dict[str, Any] = {
    "stage": "planned",
    "until": AT,
    "begun_at": AT,
    "checked_at": AT,
    "options": _ALL,
    "copied": "delivered",
    "exceptional": None,
    "rooms": None,
    "failures": [],
}
_FAILED = [{"code": "forbidden", "count": 12}, {"code": "timeout", "count": 1}]
_BESIDE: dict[str, Any] = {
    "hash": "ab12" * 16,
    "confirmed_at": AT.isoformat(),
    "cooled_off_at": AT.isoformat(),
    "hours": 24,
    "copied": "waived",
}
_DECIDED: list[tuple[dict[str, Any], str | None, dict[str, Any] | None]] = [
    ({}, None, None),
    ({"kind": "erasure", "job": None, "proven": False, "files": 1}, None, None),
    ({"held": "anomaly_ratio", "files": 2}, None, None),
    ({"options": {"scope": "visible"}}, None, None),
    ({"second": True}, None, None),
    ({"second": True}, _WHO, None),
    *(({"kind": "erasure", "job": "erase", "options": {}, "erasure": plan}, None, _BESIDE) for plan in _PLANS),
    *(
        (
            {"kind": "erasure", "job": "erase", "channel": "post", "options": {}, "erasure": _FEW, "second": True},
            None,
            {**_BESIDE, "confirmed_at": None, "cooled_off_at": None, "hours": hours, "copied": "open"},
        )
        for hours in (1, 24)
    ),
    ({"kind": "restriction", "job": "restrict", "options": {}}, None, None),
    *(
        (
            {"kind": "rectification", "job": "rectify", "options": {"field": field},
             "rectification": {"field": field, "old": old, "new": new}},
            None,
            None,
        )
        for field, old, new in (
            ("display_name", "Ada", "Ada L."), ("avatar", None, "picture.png"), ("avatar", "picture", None),
            ("email", "ada@example.org", "ada@example.net"),
        )
    ),
]  # fmt: skip
_APPROVALS: list[dict[str, Any]] = [
    {"approval": {**_APPROVAL, **changes}, "first": first, "erasure": beside} for changes, first, beside in _DECIDED
]
_OPEN_LINE: dict[str, Any] = {"level": None, "author": None, "at": None, "lines": []}
_LINE = {"author": _WHO, "at": AT.isoformat(), "lines": _LINES}
_EMPTY = [{"factor": factor, **_OPEN_LINE} for factor in ("nature", "others", "degree", "conclusion", "agreement")]
_SHEETS = [
    [
        {"factor": "nature", "level": "low", **_LINE},
        {"factor": "others", "level": "medium", **_LINE},
        {"factor": "degree", "level": "high", **_LINE},
        {"factor": "conclusion", "level": conclusion, **_LINE},
        {"factor": "agreement", "level": "agreed", **_LINE, "lines": []},
    ]
    for conclusion in ("grant", "refuse")
]
_DEEDS: list[dict[str, Any]] = [
    {"last_action": action, "last_actor": actor, "last_at": AT}
    for action in ("case.approved", "case.refused", "case.closed", "case.withdrawn", "case.paused", "case.resumed",
                   "case.claimed", "case.approved_first", "case.started")
    for actor in (_WHO, "bot", None)
] + [{"last_action": None, "last_actor": None, "last_at": None}]  # fmt: skip
_USAGE = {"command": "extend", "usage": "extend MONTHS reason", "example": "extend 2 it is complex"}
_USAGES = [{**_USAGE, "in_thread": in_thread} for in_thread in (True, False)]
_STATE = {**_REFERENCE, "state": "closed"}
_REFUSED = {**_REFERENCE, "kind": "export", "lines": _LINES}
_DUE = {**_REFERENCE, "kind": "access", "due_at": AT, "lines": _LINES}
_HELP = {"name": "claim", "usage": "claim", "summary": "takes the case on"}

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "case_refused": [{**_REFUSED, "ground": ground.value} for ground in Ground],
    "case_extended": [{**_DUE, "months": months} for months in (1, 2)],
    "case_paused": [_DUE],
    "case_resumed": [_DUE],
    "case_approved": [
        {**_REFERENCE, "kind": kind, "job": job, "until": until, "scope": scope}
        for kind, job, until, scope in (
            ("export", "export", None, None),
            ("erasure", "erase", AT, None),
            ("erasure", "erase", AT, "room"),
            ("erasure", "erase", AT, "state"),
            ("erasure", "erase", None, None),
            ("restriction", "restrict", None, None),
            ("rectification", "rectify", None, None),
            ("objection", None, None, None),
        )
    ],
    "lift_announced": [{**_REFERENCE, "lines": _LINES}],
    "case_closed": [{**_DUE, "lines": lines} for lines in (_LINES, [])],
    "staff_reply": [{**_REFERENCE, "lines": _LINES, "file_count": count} for count in (0, 1, 2)],
    "case_opened_for_you": [
        *({**_DUE, "received_at": AT, "channel": channel.value} for channel in Channel),
        *({**_DUE, "received_at": AT, "channel": "post", "kind": kind.value} for kind in Kind),
    ],
    "staff/queue": [
        {"which": "open", "cases": _CASES[:8], "more": True, "counts": _COUNTS},
        {"which": "due", "cases": _CASES[-8:], "more": False, "counts": _COUNTS},
        {"which": "mine", "cases": [], "more": False, "counts": _COUNTS},
        *(
            {"which": "all", "cases": _CASES[start : start + 20], "more": False, "counts": _COUNTS}
            for start in range(0, len(_CASES), 20)
        ),
    ],
    "staff/show": [
        _SHOWN,
        *({**_SHOWN, "case": case} for case in _CASES),
        {
            "case": _CASE,
            "options": ["scope: mine"],
            "messages": [
                _MESSAGE,
                {**_MESSAGE, "author": _WHO, "direction": "reply", "lines": ["One."]},
                {**_MESSAGE, "author": _WHO, "direction": "note", "cut": True},
            ],
            "left_out": True,
            "files": [
                _FILE,
                {**_FILE, "author": _WHO, "purpose": "thread"},
                {**_FILE, "author": _WHO, "purpose": "archive"},
                {**_FILE, "author": _WHO, "purpose": "answer"},
                {**_FILE, "author": _WHO, "purpose": "answer", "sent_at": AT},
            ],
            "jobs": [{"name": "export", "state": "held", "error": "anomaly_ratio"}],
        },
    ],
    "staff/nothing_next": [{}],
    "staff/claimed": [_BY],
    "staff/assigned": [{**_REFERENCE, "to": to} for to in (_WHO, None)],
    "staff/confirm_approve": [{"plan": plan, **_CODE, "command": "approve"} for plan in _APPROVALS],
    "staff/approved_first": [_BY],
    "staff/approved": [
        *({**ways, "by": _WHO, "first": None, "job": "export", "until": None} for ways in _WAYS if not ways["lines"]),
        *({**_WAYS[2], "by": _WHO, "first": _WHO, "job": "erase", "until": until} for until in (AT, None)),
        {**_WAYS[2], "by": _WHO, "first": _WHO, "job": None, "until": None},
    ],
    "staff/plan": [
        *(
            {
                **_REFERENCE,
                "person": _WHO,
                "plan": plan,
                "plan_hash": "ab12" * 16,
                "at": AT,
                "erasure": _ON_ITS_WAY,
            }
            for plan in _PLANS
        ),
        *(
            {
                **_REFERENCE,
                "person": _WHO,
                "plan": _FEW,
                "plan_hash": "ab12" * 16,
                "at": AT,
                "erasure": {**_ON_ITS_WAY, "stage": stage, "copied": "open"},
            }
            for stage in (*_STAGES, None)
        ),
    ],
    "staff/planning": [{**_REFERENCE, "options": options} for options in (_ALL, _NONE)],
    "staff/retrying": [{**_BY, "skip": skip} for skip in (True, False)],
    "staff/confirm_retry_skip": [
        {
            "plan": {
                **_REFERENCE,
                "person": _WHO,
                "failures": _FAILED,
                "steps": [{"step": "media", "code": "timeout"}],
                "rooms": [
                    {"room_id": f"!{events}hneApxJ", "events": events, "error": "forbidden"} for events in (1, 12)
                ],
                "more": more,
            },
            **_CODE,
            "command": "retry skip",
        }
        for more in (0, 1, 1200)
    ],
    "staff/exceptional": [{**_REFERENCE, "exceptional": exception} for exception in _EXCEPTIONS],
    "staff/lifting": [{**ways, "by": _WHO} for ways in _WORDS],
    "staff/erase_code": [{**_REFERENCE, "code": "ABCD-EFGH-JKLM-NPQR-STUV"}],
    "staff/confirm_refuse": [
        {
            "plan": {
                **_REFUSED,
                "person": _WHO,
                "language": language,
                "state": "review",
                "text": "x",
                "ground": ground.value,
            },
            **_CODE,
            "command": "refuse",
        }
        for language in ("en", "de", "fr")
        for ground in Ground
    ],
    "staff/refused": [{**ways, "by": _WHO, "ground": "fraud"} for ways in _WORDS],
    "staff/extended": [{**ways, "due_at": AT} for ways in _WORDS],
    "staff/paused": _WORDS,
    "staff/resumed": [{**ways, "due_at": AT} for ways in _WAYS],
    "staff/verified": [{**_BY, "person": _WHO, "lines": _LINES, "identity_accepted": anew} for anew in (True, False)],
    "staff/legal_hold": [{**_BY, "person": _WHO, "lines": _LINES}],
    "staff/released": [_BY],
    "staff/reply_goes": _WORDS,
    "staff/undone": [{**_REFERENCE, "reachable": reachable} for reachable in (True, False)],
    "staff/noted": [_REFERENCE],
    "staff/attached": [
        {**_REFERENCE, "file_count": count, "archive": archive} for count in (1, 2) for archive in (True, False)
    ],
    "staff/file_waits": [_REFERENCE],
    "staff/closed": [{**ways, "by": _WHO} for ways in _WAYS],
    "staff/worksheet": [
        {**_REFERENCE, "lines": lines, "voided": voided} for lines in (_EMPTY, *_SHEETS) for voided in (True, False)
    ],
    "staff/confirm_assess_agree": [
        {"plan": {**_REFERENCE, "person": _WHO, "lines": lines}, **_CODE, "command": "assess agree"}
        for lines in _SHEETS
    ],
    "staff/opened": [
        {**ways, "kind": kind, "received_at": AT, "due_at": AT, "survey": kind == "erasure"}
        for ways in _WAYS
        for kind in ("export", "erasure")
    ],
    "staff/trail": [
        {
            **_REFERENCE,
            "rows": [
                {"seq": 1, "at": AT, "actor": _WHO, "action": "case.opened", "details": ["kind: export"]},
                {"seq": 2, "at": AT, "actor": None, "action": "case.closed", "details": []},
            ],
            "count": count,
            "left_out": left_out,
        }
        for count, left_out in ((2, 0), (1, 0), (3, 1), (1002, 1000))
    ],
    "staff/register": [{"since": date(2026, 1, 1), "until": date(2026, 12, 31), "size": 12_345}],
    "staff/stats": [
        {
            "counts": _COUNTS,
            "kinds": [
                {"kind": kind.value, "open": 3, "overdue": 1, "closed": 4, "days": days}
                for kind in Kind
                for days in (12, 3.5, None)
            ],
        },
        {"counts": _COUNTS, "kinds": []},
    ],
    "staff/confirm_notice_announce": [
        {
            "plan": {"version": "2026-11-22", "effective": "2026-11-22", "count": count},
            **_CODE,
            "command": "notice announce",
        }
        for count in (1, 1200)
    ],
    "staff/announcing": [{"version": "2026-11-22", "count": count, "by": _WHO} for count in (1, 1200)],
    "staff/deliveries_paused": [{"by": _WHO, "lines": _LINES, "since": AT, "breach_by": AT}],
    "staff/confirm_resume_deliveries": [
        {"plan": {"since": AT.isoformat()}, **_CODE, "command": "resume-deliveries"},
    ],
    "staff/deliveries_resumed": [{"by": _WHO, "since": AT, "count": count} for count in (0, 1, 3)],
    "staff/help": [{"commands": [_HELP]}],
    "staff/help_command": [
        {**_HELP, "example": "claim", "grounds": [], "code": False},
        {**_HELP, "example": "refuse identity …", "grounds": ["fraud", "other"], "code": True},
    ],
    "staff/edited_after": [{}],
    "staff/approval_by_reaction": [_REFERENCE],
    "staff/refusal_unknown_command": [{"word": "frobnicate"}],
    "staff/refusal_extra_words": [{**usage, "words": "that he is"} for usage in _USAGES],
    "staff/refusal_missing_words": [{**usage, "missing": "MONTHS"} for usage in _USAGES],
    "staff/refusal_not_one_of": [{**usage, "word": "seven", "known": ["1", "2"]} for usage in _USAGES],
    "staff/refusal_bad_date": [{**usage, "word": "someday"} for usage in _USAGES],
    "staff/refusal_reads_like_talk": [{**usage, "words": "to the deadline"} for usage in _USAGES],
    "staff/refusal_which_case": [{"command": "claim", "usage": "claim"}],
    "staff/refusal_unknown_case": [_REFERENCE],
    "staff/refusal_other_case": [
        {**_REFERENCE, "named": "DPO-2026-0001", "command": "claim", "example": "claim"},
    ],
    "staff/refusal_code_unknown": [{"command": command} for command in ("approve", None)],
    "staff/refusal_code_not_yours": [{"by": _WHO}],
    "staff/refusal_code_used": [{"command": "approve", "at": AT}],
    "staff/refusal_code_expired": [{"command": "approve", "at": AT}],
    "staff/refusal_code_other_command": [{"command": "approve", "meant": "refuse"}],
    "staff/refusal_code_other_case": [{**_REFERENCE, "meant": "DPO-2026-0001"}],
    "staff/refusal_plan_changed": [{"command": "approve", **_REFERENCE, **deed} for deed in _DEEDS],
    "staff/refusal_case_changed": [{**_REFERENCE, **deed} for deed in _DEEDS],
    "staff/refusal_own_case": [_REFERENCE],
    "staff/refusal_case_over": [{**_STATE, **deed} for deed in _DEEDS],
    "staff/refusal_not_approvable": [{**_STATE, "by": _WHO, **deed} for deed in _DEEDS],
    "staff/refusal_wrong_state": [{**_STATE, "action": "refuse", **deed} for deed in _DEEDS],
    "staff/refusal_not_proven": [_REFERENCE],
    "staff/refusal_no_plan_yet": [{**_REFERENCE, "missing": [], "by": by} for by in ("person", "us", "remote")],
    "staff/refusal_not_confirmed": [_REFERENCE],
    "staff/refusal_erasure_begun": [_REFERENCE],
    "staff/refusal_not_assessed": [
        {**_REFERENCE, "by": "person", "missing": missing}
        for missing in (["nature", "others", "degree", "conclusion"], ["grant"], ["agreement"])
    ],
    "staff/refusal_no_erasure": [_REFERENCE],
    "staff/refusal_no_restriction": [_REFERENCE],
    "staff/refusal_plan_is_theirs": [_REFERENCE],
    "staff/refusal_no_room_id": [{"text": "room"}],
    "staff/refusal_legal_hold": [_REFERENCE],
    "staff/refusal_own_approval": [_REFERENCE],
    "staff/refusal_claimed": [_BY],
    "staff/refusal_extended_already": [_REFERENCE],
    "staff/refusal_extend_too_late": [_REFERENCE],
    "staff/refusal_extend_months": [_REFERENCE],
    "staff/refusal_unanswered": [_REFERENCE],
    "staff/refusal_nothing_to_attach": [_REFERENCE],
    "staff/refusal_no_such_choice": [
        {"most": most, "in_thread": in_thread} for most in (1, 5) for in_thread in (True, False)
    ],
    "staff/refusal_file_unusable": [
        {"why": why, "most": 50_000_000} for why in ("clear", "large", "unsized", "broken")
    ],
    "staff/refusal_too_long": [{"share": 40}],
    "staff/refusal_not_on_staff": [{"who": _WHO, "staff": [_WHO, _WHO]}],
    "staff/refusal_verified_already": [{**_REFERENCE, "at": AT}],
    "staff/refusal_held_already": [_REFERENCE],
    "staff/refusal_not_held": [_REFERENCE],
    "staff/refusal_nothing_to_undo": [_REFERENCE],
    "staff/refusal_too_late": [_REFERENCE],
    "staff/refusal_factors_missing": [{**_REFERENCE, "missing": ["nature", "degree"]}],
    "staff/refusal_no_conclusion": [_REFERENCE],
    "staff/refusal_agreed_already": [{**_BY, "at": AT}],
    "staff/refusal_own_conclusion": [_REFERENCE],
    "staff/refusal_assess_line": [
        {"factor": "nature", "known": ["low", "medium", "high"], "in_thread": True},
        {"factor": "conclusion", "known": ["grant", "refuse"], "in_thread": False},
    ],
    "staff/refusal_already_open": [_REFERENCE],
    "staff/refusal_not_one_day": [{}],
    "staff/refusal_future_day": [{"day": AT}],
    "staff/refusal_old_day": [{"day": AT}],
    "staff/refusal_look_alike": [{"place": 2, "name": "Cyrillic small letter a"}],
    "staff/refusal_no_user_id": [{"text": "ada"}],
    "staff/refusal_empty_period": [{"since": AT, "until": AT}],
    "staff/refusal_unknown_version": [{"version": "1999", "known": ["2026-11-22"]}],
    "staff/refusal_announcing": [{"version": "2026-11-22"}],
    "staff/refusal_deliveries_paused_already": [{"since": AT, "breach_by": AT}],
    "staff/refusal_deliveries_not_paused": [{}],
}
