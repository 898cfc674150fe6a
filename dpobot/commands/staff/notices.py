"""``notices`` and ``notify [CODE]``: other servers that have copies of what was erased here, and telling them."""

from collections.abc import Sequence
from typing import Any

from dpobot.cases import notices as ledger
from dpobot.commands.codes import CODE
from dpobot.commands.spec import Arguments, Outcome, StaffCommand, StaffContext
from dpobot.commands.staff_case import refuse_own, the_case
from dpobot.errors import StaffRefusal
from dpobot.model.notices import LANGUAGE, TO_BE_TOLD, NoticeState
from dpobot.model.records import Case, Json, Reply, StaffMessage
from dpobot.store import erasures, notices
from dpobot.text.language import translatable

ORDER = 86
_MOST_SHOWN = 100  # servers in one message; of the others the number is said


async def run(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Show the ledger, and what would be sent."""
    case = the_case(context)
    rows = await notices.of_case(context.tx, case.id)
    if not rows:
        raise StaffRefusal("no_notices", reference=case.reference)
    values = {
        "reference": case.reference,
        "rows": [_shown(row) for row in rows[:_MOST_SHOWN]],
        "more": max(0, len(rows) - _MOST_SHOWN),
        "counts": await notices.counts(context.tx, case.id),
        "to_be_told": sum(row.state in TO_BE_TOLD for row in rows),
        "by_email": any(row.state is NoticeState.EMAIL for row in rows),
        "notice": await _notice(context, case),
    }
    return [Reply("staff/notices", values)]


async def plan(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Json:
    """Return who would be told, and what. Raises `StaffRefusal` ``no_notices``, ``notices_told``."""
    case = the_case(context)
    refuse_own(case, message)
    rows = await ledger.to_be_told(context.tx, case)
    return {
        "reference": case.reference,
        "servers": [row.server for row in rows],
        "notice": await _notice(context, case),
    }


async def perform(context: StaffContext, message: StaffMessage, plan: Json) -> Sequence[Outcome]:
    """Have exactly those told."""
    case = the_case(context)
    count = await ledger.approve(context.tx, context.now, case, message.sender)
    return [Reply("staff/notifying", {"reference": case.reference, "by": message.sender, "servers": count})]


async def _notice(context: StaffContext, case: Case) -> dict[str, Any]:
    known = await erasures.get(context.tx, case.id)
    if known is None or known.erased_at is None:
        raise StaffRefusal("no_notices", reference=case.reference)
    return {**ledger.notice_of(case, known).to_content(), "language": LANGUAGE}


def _shown(row: notices.NoticeRow) -> dict[str, Any]:
    return {
        "server": row.server,
        "state": row.state.value,
        "contact": row.contact,
        "role": row.role,
        "error": row.error,
        "at": row.answered_at or row.sent_at,
    }


COMMANDS = (
    StaffCommand(
        name="notices",
        summary=translatable("which other servers have copies of what was erased, and what became of telling them"),
        run=run,
    ),
    StaffCommand(
        name="notify",
        summary=translatable("has them told of the erasure; shows whom and what, and asks for a typed code"),
        plan=plan,
        perform=perform,
        parameters=(CODE,),
    ),
)
