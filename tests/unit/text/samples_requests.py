"""Values for the answers to `erase`, its code, `receipt` and `rectify`."""

from typing import Any

from dpobot.commands.corrections import AVATAR, EMAIL, NAME, PICTURE
from dpobot.model.notices import NoticeState
from dpobot.receipt.page import WELL_KNOWN
from tests.unit.text.samples import AT

_REFERENCE = {"reference": "DPO-2026-0042"}
_DUE = {**_REFERENCE, "due_at": AT}
_CORRECTIONS = (
    (NAME, None, "Ada Lovelace"),
    (AVATAR, None, PICTURE),
    (AVATAR, None, None),
    (EMAIL, "old@example.org", "new@example.org"),
)

_RECEIPT = {**_REFERENCE, "key_id": "ed25519:0123456789012345", "published": WELL_KNOWN}

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "restored": [
        {"references": references, "open": open_}
        for references, open_ in (([], 1), (["DPO-2026-0042"], 0), (["DPO-2026-0042", "DPO-2026-0044"], 2))
    ],
    "access_accepted": [{**_DUE, "words": words} for words in (True, False)],
    "access_waiting": [
        {**_DUE, "words": words, "trust": trust}
        for words in (True, False)
        for trust in ("signed", "unsigned", "identity_changed", "unknown")
    ],
    "request_erasure": [
        {**_DUE, "words": False, "trust": trust, "local": local}
        for trust in ("unsigned", "identity_changed", "unknown", "signed")
        for local in (True, False)
    ],
    "request_correction": [
        {**_DUE, "field": field, "old": old, "new": new, "trust": trust}
        for field, old, new in _CORRECTIONS
        for trust in ("signed", "unsigned", "identity_changed")
    ],
    "erase_copy_first": [{"without": "erase redact media direct without copy"}],
    "erase_counting": [_DUE],
    "erase_device_new": [{**_DUE, "since": AT, "until": AT}],
    "erase_on_hold": [_DUE],
    "erase_checking": [_REFERENCE],
    "erase_code_wrong": [{"left": left} for left in (4, 1, 0)],
    "erase_needs_code": [{}],
    "receipt": [
        {**_RECEIPT, "residuals": left, "notices": told}
        for left in (True, False)
        for told in ([], [{"state": state.value, "count": 12} for state in NoticeState])
    ],
    "receipt_page": [_REFERENCE],
    "receipt_not_ready": [{}],
    "receipt_unknown": [{}],
    "refusal_erase_access_open": [{**_REFERENCE, "delivered": delivered} for delivered in (True, False)],
    "refusal_erase_on_hold": [_REFERENCE],
    "refusal_erase_code_unknown": [{}],
    "refusal_erase_code_used": [_REFERENCE],
    "refusal_erase_code_void": [{}],
    "refusal_erase_code_superseded": [{}],
    "refusal_erase_code_expired": [{}],
    "refusal_erase_code_over": [_REFERENCE],
    "refusal_erasure_begun": [_REFERENCE],
    "refusal_device_too_new": [{"since": AT, "until": AT}],
    "refusal_receipt_no_code": [{"said": said} for said in (False, True)],
    "refusal_receipt_too_many": [{"until": AT}],
    "refusal_rectify_no_name": [{}],
    "refusal_rectify_long_name": [{"most": 256, "length": 300}],
    "refusal_rectify_odd_name": [{}],
    "refusal_rectify_two_addresses": [{}],
    "refusal_rectify_no_address": [{"text": "ada@"}],
    "refusal_rectify_same_address": [{}],
}
