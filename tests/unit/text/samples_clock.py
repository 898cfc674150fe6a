"""Values for what is said unasked: updates to people, reminders and the digest for staff."""

from typing import Any

from tests.unit.text.samples import AT

_REFERENCE = {"reference": "DPO-2026-0042"}
_MINE: dict[str, Any] = {**_REFERENCE, "kind": "complaint", "assignee": "@dpo:example.org"}
_NOBODYS: dict[str, Any] = {**_MINE, "assignee": None}
_CASES = [{**case, "days": days, "due_at": AT} for case in (_MINE, _NOBODYS) for days in (-3, -1, 0, 1, 5)]
_COUNTS = {"open": 12_345, "due_soon": 3, "overdue": 2, "unassigned": 1, "held": 1, "paused": 4}
_DIGEST: dict[str, Any] = {
    "now": AT,
    "counts": _COUNTS,
    "due": _CASES[2:5],
    "overdue": _CASES[:2],
    "held": _CASES[3:4],
    "partial": _CASES[4:],
    "alerts": 1,
    "breach": None,
    "head": {"rows": 4711, "hash": "ab" * 32},
}
_WAITING: dict[str, Any] = {
    **_REFERENCE,
    "kind": "complaint",
    "state": "review",
    "received_at": AT,
    "due_at": AT,
    "closed_at": None,
    "overdue": False,
    "percent": None,
    "extended": False,
    "ground": None,
}

_LOOSENED = [
    {"name": name, "old": old, "new": new, "from_when": AT}
    for name, old, new in (
        ("cooling_off", 86_400, 3_600), ("new_device", 86_400, 0), ("loosening", 172_800, 86_400),
        ("daily_cap", 20, 2_000), ("policy", 0, 1), ("second", 1, 0), ("another", 1, 0),
    )
]  # fmt: skip

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "update_waiting": [
        *({"case": {**_WAITING, "state": state}} for state in ("review", "paused", "approved", "working", "held")),
        {"case": {**_WAITING, "overdue": True}},
    ],
    "update_paused_deliveries": [_REFERENCE],
    "update_notice": [{"version": "2027-01-01"}],
    "staff/remind_due": [{**case, "days": days, "due_at": AT} for case in (_MINE, _NOBODYS) for days in (0, 1, 7)],
    "staff/remind_acknowledge": [
        {**case, "days": days, "by": AT, "late": days < 0} for case in (_MINE, _NOBODYS) for days in (-1, 3)
    ],
    "staff/remind_overdue": [{**case, "days": days, "due_at": AT} for case in (_MINE, _NOBODYS) for days in (0, 1, 7)],
    "staff/remind_overdue_many": [{"count": 11, "cases": _CASES[:2]}],
    "staff/remind_alert": [
        *(
            {**_MINE, "code": code, "held": True, "about": None}
            for code in ("anomaly_ratio", "foreign_sender", "unavailable")
        ),
        {**_MINE, "kind": "erasure", "code": "legal_hold", "held": True, "about": None},
        *(
            {**_NOBODYS, "code": code, "held": False, "about": None}
            for code in ("job_end_failed", "daily_cap", "erasure_residuals", "erasure_partial")
        ),
        *(
            {"reference": None, "assignee": None, "code": code, "held": False, "about": None}
            for code in ("job_unknown", "daily_cap", "safeguard_loosened", "restored")
        ),
        *(
            {"reference": None, "assignee": None, "code": "safeguard_loosened", "held": False, "about": about}
            for about in _LOOSENED
        ),
    ],
    "staff/remind_announced": [{"version": "2027-01-01", "count": 1200}],
    "staff/digest": [
        _DIGEST,
        {**_DIGEST, "due": [], "overdue": [], "held": [], "partial": [], "alerts": 0},
        {**_DIGEST, "breach": {"since": AT, "report_by": AT, "late": False}},
        {**_DIGEST, "breach": {"since": AT, "report_by": AT, "late": True}},
    ],
}
