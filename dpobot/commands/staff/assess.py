"""``assess``: the balancing worksheet (notice 2.1.3.1 "Exceptional Erasure"), and ``assess agree``."""

from collections.abc import Sequence

from dpobot.audit import access
from dpobot.cases import decisions
from dpobot.commands import worksheet
from dpobot.commands.codes import CODE
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import refuse_own, the_case
from dpobot.commands.to_person import check_length
from dpobot.errors import StaffRefusal
from dpobot.model.records import Case, Json, Reply, StaffMessage
from dpobot.text.language import translatable

ORDER = 80
_LEVELS = frozenset({"low", "medium", "high"})
_CONCLUSIONS = frozenset({"grant", "refuse"})


async def run(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Show the worksheet, or write a line of it."""
    case = the_case(context)
    if "factor" not in arguments:
        await access.case_shown(context.tx, context.now, message.sender, case.id, "assess")
        return [await _sheet(context, case, voided=False)]
    decisions.refuse_over(case)
    factor, level, reasons = _line(arguments, in_thread=message.case_id is not None)
    check_length(reasons)
    if factor == worksheet.CONCLUSION:
        await worksheet.conclude(context.tx, context.now, case, message.sender, level, reasons)
        return [await _sheet(context, case, voided=False)]
    voided = await worksheet.weigh(context.tx, context.now, case, message.sender, factor, level, reasons)
    return [await _sheet(context, case, voided=voided)]


async def plan_agree(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Json:
    """Return the worksheet that the second person agrees to."""
    case = the_case(context)
    refuse_own(case, message)
    decisions.refuse_over(case)
    known = await worksheet.agreeable(context.tx, case, message.sender)
    return {"reference": case.reference, "person": case.person, "lines": worksheet.shown(known)}


async def perform_agree(context: StaffContext, message: StaffMessage, plan: Json) -> Sequence[Outcome]:
    """Agree to exactly that."""
    case = the_case(context)
    await worksheet.agree(context.tx, context.now, case, message.sender)
    return [await _sheet(context, case, voided=False)]


async def _sheet(context: StaffContext, case: Case, *, voided: bool) -> Reply:
    known = await worksheet.lines(context.tx, case)
    return Reply("staff/worksheet", {"reference": case.reference, "lines": worksheet.shown(known), "voided": voided})


def _line(arguments: Arguments, *, in_thread: bool) -> tuple[str, str, str]:
    """Return factor, level, reasons. Raises `StaffRefusal` ``assess_line`` unless the three fit together."""
    factor, level, reasons = arguments["factor"], arguments.get("level"), arguments.get("reasons", "")
    known = _CONCLUSIONS if factor == worksheet.CONCLUSION else _LEVELS
    if level not in known or not reasons:
        shown = sorted(known, key=list(_WORDS.values()).index)
        raise StaffRefusal("assess_line", factor=factor, known=shown, in_thread=in_thread)
    return factor, level, reasons


_FACTORS = {
    "nature": "nature", "data": "nature",
    "others": "others", "other": "others", "number": "others",
    "degree": "degree", "risk": "degree",
    "conclude": "conclusion", "conclusion": "conclusion",
}  # fmt: skip
_WORDS = {
    "low": "low", "medium": "medium", "middle": "medium", "high": "high",
    "grant": "grant", "approve": "grant", "erase": "grant", "refuse": "refuse", "deny": "refuse", "keep": "refuse",
}  # fmt: skip

COMMANDS = (
    StaffCommand(
        name="assess",
        summary=translatable(
            "the balancing worksheet; without words shows it, `conclude grant|refuse reasons` ends it"
        ),
        run=run,
        parameters=(
            Parameter("factor", ParameterKind.CHOICE, "[nature|others|degree|conclude", _FACTORS),
            Parameter("level", ParameterKind.CHOICE, "[low|medium|high", _WORDS),
            Parameter("reasons", ParameterKind.TEXT, "[reasons]]]"),
        ),
    ),
    StaffCommand(
        name="assess agree",
        summary=translatable("agrees to a colleague's worksheet; shows it, and asks for a typed code"),
        plan=plan_agree,
        perform=perform_agree,
        parameters=(CODE,),
    ),
)
