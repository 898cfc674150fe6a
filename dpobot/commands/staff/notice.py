"""``notice announce VERSION``."""

from collections.abc import Sequence

from dpobot.audit import trail
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.errors import StaffRefusal
from dpobot.model.records import Json, Reply, StaffMessage
from dpobot.store import bot_state, people
from dpobot.text.language import translatable

ORDER = 120
_LAST = "A"  # user IDs begin with @, which comes before: all of them


async def plan(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Json:
    """Return which version goes to how many people. Raises `StaffRefusal`: ``unknown_version``, ``announcing``."""
    known = {version.id: version for version in context.notice.versions}
    version = known.get(arguments["version"])
    if version is None:
        raise StaffRefusal("unknown_version", version=arguments["version"], known=sorted(known))
    running = await bot_state.get(context.tx, bot_state.ANNOUNCING, lock=True)
    if running is not None:
        raise StaffRefusal("announcing", version=running.partition(" ")[0])
    count = await people.count_greeted(context.tx, _LAST)
    return {"version": version.id, "effective": version.effective.isoformat(), "count": count}


async def perform(context: StaffContext, message: StaffMessage, plan: Json) -> Sequence[Outcome]:
    """Let everybody be told of it, some at a time."""
    await bot_state.set(context.tx, bot_state.ANNOUNCING, f"{plan['version']} ")
    detail = {"version": plan["version"], "count": plan["count"]}
    await trail.record(context.tx, context.now, message.sender, "notice.announced", None, detail)
    return [Reply("staff/announcing", {**plan, "by": message.sender})]


COMMANDS = (
    StaffCommand(
        name="notice announce",
        summary=translatable("tells everybody of a version of the privacy notice; asks for a typed code"),
        plan=plan,
        perform=perform,
        parameters=(Parameter("version", ParameterKind.TEXT, "VERSION", most_words=1),),
        needs_case=False,
    ),
)
