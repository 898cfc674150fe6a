"""``pause-deliveries reason`` and ``resume-deliveries``: breach mode (Art. 33 GDPR)."""

from collections.abc import Sequence
from datetime import datetime

from dpobot.audit import trail
from dpobot.cases import deadlines
from dpobot.commands.codes import CODE
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_facts import lines_of
from dpobot.errors import StaffRefusal
from dpobot.model.records import Json, Reply, StaffMessage
from dpobot.store import bot_state, wakes
from dpobot.text.language import translatable

ORDER = 130
WAITING = "deliveries_paused"  # why jobs wait meanwhile: their error code


async def run_pause(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Let nothing more be handed out, at once. Raises `StaffRefusal` ``deliveries_paused_already``."""
    since = await bot_state.get(context.tx, bot_state.DELIVERIES_PAUSED, lock=True)
    if since is not None:
        raise StaffRefusal("deliveries_paused_already", **_clock(datetime.fromisoformat(since)))
    await bot_state.set(context.tx, bot_state.DELIVERIES_PAUSED, context.now.isoformat())
    await trail.record(context.tx, context.now, message.sender, "deliveries.paused")
    words = {"by": message.sender, "lines": lines_of(arguments["reason"])}
    return [Reply("staff/deliveries_paused", {**words, **_clock(context.now)})]


async def plan_resume(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Json:
    """Return since when nothing is handed out. Raises `StaffRefusal` ``deliveries_not_paused``."""
    since = await bot_state.get(context.tx, bot_state.DELIVERIES_PAUSED, lock=True)
    if since is None:
        raise StaffRefusal("deliveries_not_paused")
    return {"since": since}


async def perform_resume(context: StaffContext, message: StaffMessage, plan: Json) -> Sequence[Outcome]:
    """Hand out again; what waited goes now."""
    await bot_state.drop(context.tx, bot_state.DELIVERIES_PAUSED)
    count = await wakes.for_error(context.tx, WAITING, context.now)
    await trail.record(context.tx, context.now, message.sender, "deliveries.resumed", None, {"count": count})
    return [
        Reply(
            "staff/deliveries_resumed",
            {"by": message.sender, "since": datetime.fromisoformat(plan["since"]), "count": count},
        )
    ]


def _clock(since: datetime) -> dict[str, object]:
    return {"since": since, "breach_by": deadlines.breach_by(since)}


COMMANDS = (
    StaffCommand(
        name="pause-deliveries",
        summary=translatable("breach mode: nothing is handed out any more, at once"),
        run=run_pause,
        parameters=(Parameter("reason", ParameterKind.TEXT, "reason"),),
        needs_case=False,
    ),
    StaffCommand(
        name="resume-deliveries",
        summary=translatable("ends breach mode; asks for a typed code"),
        plan=plan_resume,
        perform=perform_resume,
        parameters=(CODE,),
        needs_case=False,
    ),
)
