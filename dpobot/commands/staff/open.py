"""``open KIND @user channel date``: a request that did not come through the person's own direct message."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta

from dpobot.audit import trail
from dpobot.cases import service
from dpobot.commands.dates import Period
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.to_person import tell
from dpobot.commands.user_ids import checked
from dpobot.errors import Refusal, StaffRefusal
from dpobot.model.ids import server_of
from dpobot.model.records import Reply, StaffMessage
from dpobot.model.words import Channel, Kind, Trust
from dpobot.text.language import translatable

ORDER = 90
_OLDEST = relativedelta(years=3)


async def run(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Open the case; its time began on the day on which the request came in. Nobody has proven who asked."""
    person = checked(arguments["person"])
    kind, local = Kind(arguments["kind"]), server_of(person) == context.staff_rules.server
    opening = service.Opening(
        person=person,
        kind=kind,
        channel=Channel(arguments["channel"]),
        trust=Trust.UNKNOWN,
        local=local,
        room_id=None,
        event_id=message.event_id,
        options=service.STATEMENT if kind is Kind.ACCESS and local else {},
        received_at=_received(arguments["day"], context.now),
    )
    try:
        case = (await service.open_case(context.tx, context.now, opening, context.rules)).case
    except Refusal as refusal:
        raise StaffRefusal("already_open", **refusal.values) from refusal
    detail = {"channel": case.channel.value}
    await trail.record(context.tx, context.now, message.sender, "case.opened_by_staff", case.id, detail)
    facts = {"reference": case.reference, "kind": case.kind.value, "received_at": case.received_at}
    said = tell(
        context, case, Reply("case_opened_for_you", {**facts, "due_at": case.due_at, "channel": case.channel.value})
    )
    counted = {"due_at": case.due_at, "survey": service.job_of(case) == "erase"}
    return [*said.to_person, Reply("staff/opened", {**said.told, **facts, **counted})]


def _received(day: Period, now: datetime) -> datetime:
    """Return the moment of a day that is that day in every zone of the law's, or now if it is today's and to come.

    Raises `StaffRefusal`: ``not_one_day``, ``future_day``, ``old_day``.
    """
    start, end = day
    if end - start != timedelta(days=1):
        raise StaffRefusal("not_one_day")
    if start > now:
        raise StaffRefusal("future_day", day=start)
    if start < now - _OLDEST:
        raise StaffRefusal("old_day", day=start)
    return min(start + timedelta(hours=12), now)


_KINDS = {
    "access": "access", "statement": "access", "information": "access",
    "export": "export", "copy": "export", "data": "export", "portability": "export", "archive": "export",
    "erasure": "erasure", "erase": "erasure", "delete": "erasure", "deletion": "erasure", "forget": "erasure",
    "rectification": "rectification", "rectify": "rectification", "correction": "rectification",
    "correct": "rectification",
    "restriction": "restriction", "restrict": "restriction",
    "objection": "objection", "object": "objection",
    "automated": "automated", "profiling": "automated",
    "complaint": "complaint", "complain": "complaint",
    "security": "security", "vulnerability": "security", "abuse": "security",
    "child": "child", "minor": "child",
    "question": "question", "other": "question",
}  # fmt: skip
_CHANNELS = {
    "e-mail": "email", "email": "email", "mail": "email",
    "post": "post", "letter": "post", "fax": "post",
    "phone": "phone", "telephone": "phone", "call": "phone",
    "other": "other", "person": "other", "in-person": "other", "authority": "other", "form": "other",
}  # fmt: skip

COMMANDS = (
    StaffCommand(
        name="open",
        summary=translatable("opens a case for a request that came by e-mail, post or phone, on that day"),
        run=run,
        parameters=(
            Parameter("kind", ParameterKind.CHOICE, "KIND", _KINDS),
            Parameter("person", ParameterKind.TEXT, "@user", most_words=1),
            Parameter("channel", ParameterKind.CHOICE, "channel", _CHANNELS),
            Parameter("day", ParameterKind.DATE, "date"),
        ),
        needs_case=False,
    ),
)
