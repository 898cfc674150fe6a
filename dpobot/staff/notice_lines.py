"""What the thread of a case is told of notices between homeservers: what others have answered, and whom we told. Pure.

Each single sending is in the trail and in `notices`; an erasure with hundreds of servers would drown the thread.
"""

from collections.abc import Sequence

from dpobot.model.notices import ANSWERS, NoticeState
from dpobot.model.records import Reply
from dpobot.store.audit_rows import AuditRow

_LEDGER = {"notices.found": "found", "notices.told": "told"}
_ANSWERED = {f"notice.{state.value}": state.value for state in ANSWERS}


def events(rows: Sequence[AuditRow]) -> list[tuple[int, Reply]]:
    """Return the lines with the numbers of their audit rows."""
    return [(row.seq, line) for row in rows if (line := _line(row)) is not None]


def _line(row: AuditRow) -> Reply | None:
    if row.action in _LEDGER:
        counts = [{"state": name, "count": row.detail[name]} for name in NoticeState if name in row.detail]
        values = {"what": _LEDGER[row.action], "servers": row.detail.get("servers", 0), "counts": counts}
        return Reply("staff/event_notices", {**values, "at": row.at}, notice=True)
    if row.action in _ANSWERED:
        values = {"state": _ANSWERED[row.action], "server": row.detail.get("server"), "at": row.at}
        return Reply("staff/event_notice", values, notice=True)
    return None
