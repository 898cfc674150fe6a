"""Values with which every message about a receipt can be rendered."""

from typing import Any

from dpobot.model.erasure import Residual
from dpobot.receipt import check, reasons
from tests.unit.text.samples import AT

_EVERYTHING = [Residual(category, 1234, "still_there") for category in sorted(reasons.CATEGORIES)]
_EVERY_REASON = [Residual("media", number % 2, reason) for number, reason in enumerate(sorted(reasons.REASONS))]
_GROUPS = [reasons.grouped(each) for each in (_EVERYTHING, _EVERY_REASON)]
_TIMES = [(name, AT) for name in ("requested", "confirmed", "begun", "erased", "checked")]
_REFERENCE = {"reference": "DPO-2026-0042"}

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "receipt/checked": [
        {**_REFERENCE, "groups": groups, "unexpected": unexpected, "signed": not unexpected}
        for groups in _GROUPS
        for unexpected in (False, True)
    ]
    + [{**_REFERENCE, "groups": [], "unexpected": False, "signed": True}],
    "receipt/something_left": [{**_REFERENCE, "groups": groups} for groups in _GROUPS],
    "receipt/verdict": [
        {
            "case": "DPO-2026-0042",
            "plan_hash": "ab" * 32,
            "notice": "2026-11-22",
            "key_id": "ed25519:0a1b2c3d4e5f0a1b",
            "times": _TIMES,
            "counts": counts,
            "groups": groups,
            "owner": owner,
        }
        for counts in ([("messages", 12345), ("media", 1)], [])
        for groups in ([], *_GROUPS)
        for owner in (None, True, False)
    ],
    "receipt/problem": [{"code": code} for code in check.CODES],
}
