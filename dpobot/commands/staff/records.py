"""``trail CASE`` and ``register FROM TO``: what an auditor asks for."""

import json
from collections.abc import Sequence
from datetime import timedelta

from dpobot.audit import access, trail
from dpobot.cases import holidays, register
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import the_case
from dpobot.errors import StaffRefusal
from dpobot.model.records import Attachment, Reply, StaffMessage
from dpobot.store.audit_rows import AuditRow
from dpobot.text.language import translatable

ORDER = 100
_MOST_ROWS = 40  # beyond this the whole trail comes as a file


async def run_trail(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Show who did what to a case; a long trail comes whole as a file, its newest rows in words."""
    case = the_case(context)
    rows = await trail.of_case(context.tx, case.id)
    await access.case_shown(context.tx, context.now, message.sender, case.id, "trail")
    values = {
        "reference": case.reference,
        "rows": [_shown(row) for row in rows[-_MOST_ROWS:]],
        "count": len(rows),
        "left_out": max(0, len(rows) - _MOST_ROWS),
    }
    if len(rows) <= _MOST_ROWS:
        return [Reply("staff/trail", values)]
    data = "".join(json.dumps(_line(row), sort_keys=True) + "\n" for row in rows).encode()
    file = Attachment(f"{case.reference}-trail.jsonl", "application/x-ndjson", data)
    return [Reply("staff/trail", values, attachment=file)]


async def run_register(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Hand over the register of the requests received from one day to another, both included, as CSV."""
    start, end = arguments["start"][0], arguments["end"][1]
    if start >= end:
        raise StaffRefusal("empty_period", since=arguments["start"][0], until=arguments["end"][0])
    first, last = start.date(), (end - timedelta(days=1)).date()
    data = await register.as_csv(context.tx, first, last, holidays.zone_of(context.rules.country))
    await access.register_given(context.tx, context.now, message.sender, len(data))
    file = Attachment(f"register-{first}-{last}.csv", "text/csv", data)
    return [Reply("staff/register", {"since": first, "until": last, "size": len(data)}, attachment=file)]


def _shown(row: AuditRow) -> dict[str, object]:
    details = [f"{name}: {value}" for name, value in sorted(row.detail.items()) if value is not None]
    return {"seq": row.seq, "at": row.at, "actor": row.actor, "action": row.action, "details": details}


def _line(row: AuditRow) -> dict[str, object]:
    """Return a row as the chain covers it, so that it can be checked by others."""
    return {
        "seq": row.seq,
        "at": row.at.isoformat(timespec="microseconds"),
        "actor": row.actor,
        "actor_salt": row.actor_salt,
        "actor_digest": row.actor_digest,
        "action": row.action,
        "case_id": row.case_id,
        "detail": dict(row.detail),
        "prev": row.prev,
        "hash": row.hash,
    }


COMMANDS = (
    StaffCommand(
        name="trail",
        summary=translatable("who did what to a case, and when"),
        run=run_trail,
        parameters=(Parameter("case", ParameterKind.CASE, "CASE"),),
    ),
    StaffCommand(
        name="register",
        summary=translatable("the register of the requests received in a time, as a CSV file"),
        run=run_register,
        parameters=(
            Parameter("start", ParameterKind.DATE, "FROM"),
            Parameter("end", ParameterKind.DATE, "TO"),
        ),
        needs_case=False,
    ),
)
