"""``plan [forget] [redact] [media] [direct] [tell]``, ``retry`` and ``retry skip``: what staff do for an erasure."""

from collections.abc import Sequence

from dpobot.audit import access
from dpobot.cases import erasure
from dpobot.commands.codes import CODE
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import refuse_own, the_case
from dpobot.commands.staff_erasure import erasure_of, plan_shown, what_failed
from dpobot.errors import StaffRefusal
from dpobot.model.erasure import ErasureOptions
from dpobot.model.records import Case, Json, Reply, StaffMessage
from dpobot.model.words import CaseState, Channel, Kind
from dpobot.text.language import translatable

ORDER = 84


async def run_plan(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Show the newest plan, or choose what is to be done and have it counted anew."""
    case = the_case(context)
    if "options" in arguments:
        return [await _choose(context, message, case, arguments["options"])]
    shown = plan_shown(await erasure_of(context, case))
    await access.case_shown(context.tx, context.now, message.sender, case.id, "plan")
    return [Reply("staff/plan", shown)]


async def run_retry(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Try again what has failed."""
    return await _retry(context, message, skip=False)


async def plan_skip(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Json:
    """Return what has failed and would be left."""
    case = the_case(context)
    refuse_own(case, message)
    found = await erasure_of(context, case)
    if case.state is not CaseState.PARTIAL:
        raise StaffRefusal("wrong_state", reference=case.reference, state=case.state.value, action="retry")
    return {"reference": case.reference, "person": case.person, **what_failed(found)}


async def perform_skip(context: StaffContext, message: StaffMessage, plan: Json) -> Sequence[Outcome]:
    """Go on without exactly that."""
    return await _retry(context, message, skip=True)


async def _retry(context: StaffContext, message: StaffMessage, *, skip: bool) -> Sequence[Outcome]:
    case = the_case(context)
    refuse_own(case, message)
    await erasure_of(context, case)
    await erasure.retry(context.tx, context.now, case, message.sender, skip=skip)
    return [Reply("staff/retrying", {"reference": case.reference, "by": message.sender, "skip": skip})]


async def _choose(context: StaffContext, message: StaffMessage, case: Case, words: frozenset[str]) -> Reply:
    """Set what is to be done in a request from outside. Raises `StaffRefusal`: ``plan_is_theirs``, ``wrong_state``."""
    refuse_own(case, message)
    if case.kind is Kind.ERASURE and case.channel is Channel.MATRIX:
        raise StaffRefusal("plan_is_theirs", reference=case.reference)
    before = (await erasure_of(context, case)).erasure.options
    if case.state is not CaseState.REVIEW or "exceptional" in case.options:
        raise StaffRefusal("wrong_state", reference=case.reference, state=case.state.value, action="plan")
    options = ErasureOptions("redact" in words, "media" in words, "direct" in words, before.copy, "tell" in words)
    await erasure.begin(context.tx, context.now, case, options, survey_after=None, actor=message.sender)
    chosen = {name: getattr(options, name) for name in ("redact", "media", "direct", "tell")}
    return Reply("staff/planning", {"reference": case.reference, "options": chosen})


# what staff write -> part of the erasure; ``forget`` is part of every one
_OPTIONS = {
    "forget": "forget", "hide": "forget", "nothing": "forget",
    "redact": "redact", "redactions": "redact", "messages": "redact",
    "media": "media", "files": "media",
    "direct": "direct", "dms": "direct", "dm": "direct",
    "tell": "tell", "notify": "tell", "servers": "tell",
}  # fmt: skip

COMMANDS = (
    StaffCommand(
        name="plan",
        summary=translatable(
            "what an erasure would do; with words chooses it anew for a request from outside, and counts"
        ),
        run=run_plan,
        parameters=(
            Parameter("options", ParameterKind.CHOICES, "[forget] [redact] [media] [direct] [tell]", _OPTIONS),
        ),
    ),
    StaffCommand(
        name="retry",
        summary=translatable("has an erasure try again what has failed"),
        run=run_retry,
    ),
    StaffCommand(
        name="retry skip",
        summary=translatable("has an erasure go on without what has failed; shows it, and asks for a typed code"),
        plan=plan_skip,
        perform=perform_skip,
        parameters=(CODE,),
    ),
)
