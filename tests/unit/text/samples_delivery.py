"""Values for what is said when a message or a file can't be sent."""

from typing import Any

_FILES: list[dict[str, Any]] = [
    {"file_name": "orders.pdf", "reason": reason, "largest": 50_000_000}
    for reason in ("gone", "too_large", "altered", "unreachable", "refused")
]

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "file_not_sent": _FILES[:1],
    "staff/thread_file_failed": _FILES,
    "staff/thread_file_not_sent": _FILES,
    "staff/thread_not_delivered": [{}],
}
