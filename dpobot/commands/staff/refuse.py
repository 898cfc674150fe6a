"""``refuse REASON text``."""

from collections.abc import Sequence

from dpobot.cases import decisions, erasure, transitions
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import the_case
from dpobot.commands.staff_facts import lines_of
from dpobot.commands.to_person import check_length, say
from dpobot.errors import StaffRefusal
from dpobot.model.records import Json, Reply, StaffMessage
from dpobot.model.words import CaseState, Ground
from dpobot.store import people
from dpobot.text.language import DEFAULT, translatable

ORDER = 31


async def plan(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Json:
    """Return what the person would read. Raises `StaffRefusal` if the case can't be refused any more."""
    case = the_case(context)
    decisions.refuse_over(case)
    if await erasure.has_begun(context.tx, case.id):
        raise StaffRefusal("erasure_begun", reference=case.reference)
    if not transitions.allowed(case.state, CaseState.REFUSED):
        raise StaffRefusal("wrong_state", reference=case.reference, state=case.state.value, action="refuse")
    check_length(arguments["text"])
    person = await people.get(context.tx, case.person)
    return {
        "reference": case.reference,
        "kind": case.kind.value,
        "person": case.person,
        "language": person.language if person else DEFAULT,
        "state": case.state.value,
        "ground": Ground(arguments["ground"]).value,
        "text": arguments["text"],
        "lines": lines_of(arguments["text"]),
    }


async def perform(context: StaffContext, message: StaffMessage, plan: Json) -> Sequence[Outcome]:
    """Refuse, with exactly these words."""
    case = the_case(context)
    refused = await decisions.refuse(context.tx, context.now, case, message.sender, Ground(plan["ground"]))
    values = {name: plan[name] for name in ("reference", "kind", "ground", "lines")}
    said = await say(context, message, refused, Reply("case_refused", values), plan["text"])
    return [*said.to_person, Reply("staff/refused", {**said.told, "by": message.sender, "ground": plan["ground"]})]


# what staff write -> Ground
GROUNDS = {
    "fraud": "fraud", "fraudulent": "fraud", "suspected-fraud": "fraud", "impostor": "fraud",
    "identity": "identity", "unproven": "identity", "id": "identity", "unverified": "identity",
    "no_data": "no_data", "no-data": "no_data", "nodata": "no_data", "nothing": "no_data",
    "scope": "scope", "out-of-scope": "scope", "outside": "scope",
    "legal_duty": "legal_duty", "legal-duty": "legal_duty", "legal": "legal_duty", "duty": "legal_duty",
    "unfounded": "unfounded", "excessive": "unfounded", "abusive": "unfounded", "manifestly-unfounded": "unfounded",
    "other": "other",
}  # fmt: skip

COMMANDS = (
    StaffCommand(
        name="refuse",
        summary=translatable("refuses the request; shows what the person would read, and asks for a typed code"),
        plan=plan,
        perform=perform,
        parameters=(
            Parameter("ground", ParameterKind.CHOICE, "REASON", GROUNDS),
            Parameter("text", ParameterKind.TEXT, "text"),
        ),
    ),
)
