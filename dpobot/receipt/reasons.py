"""Why something is left after an erasure: every reason code, and whether that is as it should be. Pure.

The sentence of each is in ``templates/receipt/parts/words.html``.
"""

from collections.abc import Iterable
from typing import Any

from dpobot.model.erasure import Residual

STILL_THERE = "still_there"
CHECK_FAILED = "check_failed"

EXPECTED = frozenset(
    {
        "name_reserved",
        "others_have_copy",
        "others_can_see",
        "keeps_room_working",
        "keeps_it_taken_back",
        "thread_summary",
        "directory_keeps_it",
        "no_longer_in_room",
        "refused_by_server",
        "reports_kept",
        "expires_by_itself",
        "no_way_to_delete",
        "kept_by_sign_in_service",
        "other_servers",
        "belongs_to_others",
        "search_index",
        "censored_later",
        "database_only",
        "log_files",
        "backups",
        "not_offered",
        "not_askable",
    }
)
UNEXPECTED = frozenset({STILL_THERE, CHECK_FAILED, "not_deactivated", "not_erased", "name_free"})
REASONS = EXPECTED | UNEXPECTED

# what is counted or left, by the names that receipts use
CATEGORIES = frozenset(
    {
        "account",
        "account_data",
        "addresses",
        "backups",
        "connections",
        "dehydrated_device",
        "delayed_events",
        "deleted_pushers",
        "device_keys",
        "devices",
        "filters",
        "identity_keys",
        "identity_server_bindings",
        "identity_signatures",
        "invitations",
        "joined_rooms",
        "key_backup",
        "limits",
        "media",
        "messages",
        "old_memberships",
        "other_events",
        "other_servers",
        "presence",
        "profile",
        "push_rules",
        "pushers",
        "read_receipts",
        "redacted_content",
        "redaction_reasons",
        "reports",
        "room_aliases",
        "room_reports",
        "rooms",
        "scheduled_tasks",
        "search_index",
        "server_logs",
        "sessions",
        "sign_in_records",
        "sso_links",
        "state",
        "state_in_directory",
        "state_kept",
        "sync_positions",
        "tags",
        "thread_messages",
        "thread_subscriptions",
        "to_device_messages",
        "tokens",
        "visits",
        "words_of_others",
    }
)


def unexpected(residuals: Iterable[Residual]) -> tuple[Residual, ...]:
    """Return those that should not be there; a code that is not known here is none that was meant."""
    return tuple(residual for residual in residuals if residual.reason not in EXPECTED)


def together(residuals: Iterable[Residual]) -> tuple[Residual, ...]:
    """Return one residual for each category and reason, its counts added, sorted."""
    sums: dict[tuple[str, str], int] = {}
    for residual in residuals:
        sums[residual.category, residual.reason] = sums.get((residual.category, residual.reason), 0) + residual.count
    return tuple(Residual(category, count, reason) for (category, reason), count in sorted(sums.items()))


def grouped(residuals: Iterable[Residual]) -> list[dict[str, Any]]:
    """Return them by reason, as templates show them: what should not be there first."""
    groups: dict[str, list[Residual]] = {}
    for residual in residuals:
        groups.setdefault(residual.reason, []).append(residual)
    shown = [
        {"reason": reason, "expected": reason in EXPECTED, "held": [each.to_json() for each in held]}
        for reason, held in groups.items()
    ]
    return sorted(shown, key=lambda group: bool(group["expected"]))
