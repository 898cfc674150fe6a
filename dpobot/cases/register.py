"""The register of requests: one line a case, without anybody's name (accountability, Art. 5(2) GDPR)."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from dpobot.model.ids import Reference
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind
from dpobot.store import case_queries
from dpobot.store.database import Tx

# OWASP, "CSV Injection": what a spreadsheet may take for a formula; the wide forms of East Asian keyboards too
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One line, in the order of its columns. Dates are those of ``zone``; ``days``: from receipt to the end."""

    reference: Reference
    kind: Kind
    channel: Channel
    received: date
    due: date
    extended_months: int
    ended: date | None
    state: CaseState
    ground: str | None
    days: int | None
    legal_hold: bool


async def rows(tx: Tx, start: date, end: date, zone: tzinfo = UTC) -> AsyncIterator[RegisterRow]:
    """Yield the lines of the cases that came in from ``start`` to ``end``, both included, oldest first."""
    first, beyond = midnights(start, end, zone)
    async for case in case_queries.received_between(tx, first, beyond):
        yield _row(case, zone)


async def as_csv(tx: Tx, start: date, end: date, zone: tzinfo = UTC) -> bytes:
    """Return those lines as CSV (RFC 4180) in UTF-8, with a line of column names; no cell is taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([field.name for field in fields(RegisterRow)])
    async for row in rows(tx, start, end, zone):
        writer.writerow([cell(value) for value in astuple(row)])
    return text.getvalue().encode()


def cell(value: object) -> str:
    """Return a value as it stands in the file; what a spreadsheet might run begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value.isoformat() if isinstance(value, date) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _row(case: Case, zone: tzinfo) -> RegisterRow:
    return RegisterRow(
        reference=case.reference,
        kind=case.kind,
        channel=case.channel,
        received=case.received_at.astimezone(zone).date(),
        due=case.due_at.astimezone(zone).date(),
        extended_months=case.extended_months,
        ended=None if case.closed_at is None else case.closed_at.astimezone(zone).date(),
        state=case.state,
        ground=case.outcome,
        days=case.days,
        legal_hold=case.legal_hold,
    )


def midnights(start: date, end: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return when the first of some days begins and the last one is over."""
    return _midnight(start, zone), _midnight(end + timedelta(days=1), zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
