"""Values for what is said when a message or a file can't be sent."""

from datetime import UTC, datetime
from typing import Any

_FILES: list[dict[str, Any]] = [
    {"file_name": "orders.pdf", "reason": reason, "largest": 50_000_000}
    for reason in ("gone", "too_large", "altered", "unreachable", "refused")
]

_UNTIL = datetime(2026, 11, 29, 14, 5, tzinfo=UTC)
_LINK = "https://dpo.example.org/archives/Zm9yIHNhbXBsZXMgb25seSwgbm90aGluZyB3YXMgZXZlciBrZXB0"

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "download_link": [
        {"reference": "DPO-2026-0001", "url": _LINK, "count": 112, "size": 9_400_000_000, "until": _UNTIL}
    ],
    "file_not_sent": _FILES[:1],
    "staff/thread_file_failed": _FILES,
    "staff/thread_file_not_sent": _FILES,
    "staff/thread_not_delivered": [{}],
}
