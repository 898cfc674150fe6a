"""What the thread of an erasure is told of it: one line for each step that staff did not take themselves. Pure.

What is left at the end is told by who has looked, the job `verify_erasure`.
"""

from collections.abc import Sequence

from dpobot.cases.progress import Progress
from dpobot.model.records import Reply
from dpobot.store.audit_rows import AuditRow

_PLANNED, _CHANGED = "erasure.planned", "erasure.plan_changed"
_AGAIN, _PARTIAL = "erasure.repeated", "erasure.partial"
_TOLD = {
    "erasure.confirmed": "confirmed",
    "erasure.settled": "settled",
    _CHANGED: "changed",
    _AGAIN: "again",
    "erasure.begun": "begun",
    _PARTIAL: "partial",
}


def events(rows: Sequence[AuditRow], progress: Progress | None) -> list[tuple[int, Reply]]:
    """Return the lines with the numbers of their audit rows; ``progress``: how far the erasure is now."""
    if progress is None:
        return []
    told = [(row.seq, _line(_TOLD[row.action], row, progress)) for row in rows if _is_told(row, progress)]
    plans = [row for row in rows if row.action in (_PLANNED, _CHANGED)][-1:]  # the newest one is what can be shown
    news = [row for row in plans if row.action == _PLANNED and _is_news(progress)]  # a change has a line of its own
    return [*told, *((row.seq, _planned(row, progress)) for row in news)]


def _is_told(row: AuditRow, progress: Progress) -> bool:
    """Say whether a row has a line; that the bot asks the person anew is told with why it does."""
    if row.action == _PARTIAL:
        return (
            progress.erasure.erased_at is None
        )  # afterwards it is the check that has stopped it, and says what it found
    return row.action in _TOLD and not (row.action == _AGAIN and row.actor == "bot")


def _is_news(progress: Progress) -> bool:
    """Say whether a plan is a new one: after the confirmation it is counted once more, and what comes of it is told."""
    return progress.erasure.plan is not None and progress.erasure.confirmed_at is None


def _planned(row: AuditRow, progress: Progress) -> Reply:
    return _line("counted" if progress.decided_by_staff else "planned", row, progress)


def _line(what: str, row: AuditRow, progress: Progress) -> Reply:
    values = {
        "what": what,
        "at": row.at,
        "until": progress.erasure.cooled_off_at if what == "settled" else None,
        "plan": progress.erasure.plan if what == "counted" else {},
    }
    return Reply("staff/event_erasure", values, notice=True)
