"""Why something is left after an erasure: every reason code, and whether that is as it should be. Pure.

The sentence of each is in ``templates/receipt/parts/words.html``.
"""

from collections.abc import Iterable

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


def unexpected(residuals: Iterable[Residual]) -> tuple[Residual, ...]:
    """Return those that should not be there; a code that is not known here is none that was meant."""
    return tuple(residual for residual in residuals if residual.reason not in EXPECTED)


def together(residuals: Iterable[Residual]) -> tuple[Residual, ...]:
    """Return one residual for each category and reason, its counts added, sorted."""
    sums: dict[tuple[str, str], int] = {}
    for residual in residuals:
        sums[residual.category, residual.reason] = sums.get((residual.category, residual.reason), 0) + residual.count
    return tuple(Residual(category, count, reason) for (category, reason), count in sorted(sums.items()))
