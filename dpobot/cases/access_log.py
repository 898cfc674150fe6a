"""The log of access: who of staff, or of the admins, has looked at what (Art. 5(2), 32(1)(b) GDPR)."""

import csv
import io
from datetime import UTC, date, tzinfo

from dpobot.audit import access
from dpobot.cases.register import cell, midnights
from dpobot.store import audit_rows
from dpobot.store.database import Tx

COLUMNS = ("at", "who", "action", "what", "case", "count", "seq")


async def as_csv(tx: Tx, start: date, end: date, zone: tzinfo = UTC) -> bytes:
    """Return the looks from one day to another, both included, as CSV (RFC 4180) in UTF-8, oldest first.

    ``who`` is empty for a case that has expired: its trail names nobody any more.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    async for row, reference in audit_rows.between(tx, *midnights(start, end, zone), access.ACTIONS):
        what = row.detail.get("what", row.detail.get("which"))
        at = row.at.astimezone(zone).isoformat(timespec="seconds")
        writer.writerow(
            [cell(value) for value in (at, row.actor, row.action, what, reference, row.detail.get("count"), row.seq)]
        )
    return text.getvalue().encode()
