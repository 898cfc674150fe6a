"""``verify how``, and ``hold reason`` / ``release``: what staff establish about a case."""

from collections.abc import Sequence

from dpobot.cases import correspondence, decisions, identity, service
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import refuse_own, the_case
from dpobot.commands.staff_facts import lines_of
from dpobot.errors import StaffRefusal
from dpobot.model.records import Case, Json, Reply, StaffMessage
from dpobot.model.words import Trust
from dpobot.store import erasures
from dpobot.text.language import translatable

ORDER = 50


async def run_verify(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Note that it is established who asks, and how; if their identity had changed, the new one counts from now on."""
    case = the_case(context)
    refuse_own(case, message)
    if case.verified_at is not None:
        raise StaffRefusal("verified_already", reference=case.reference, at=case.verified_at)
    await decisions.verify(context.tx, context.now, case, message.sender)
    anew = case.trust is Trust.IDENTITY_CHANGED and await identity.accept_new(
        context.tx, context.now, case.person, message.sender, case.id
    )
    await _end_wait(context, case)
    noted = await _noted(context, message, case, arguments["how"])
    return [Reply("staff/verified", {**noted, "identity_accepted": anew})]


async def _end_wait(context: StaffContext, case: Case) -> None:
    """Have the plan of an erasure made now that was to wait because it was asked for from a new device."""
    known = await erasures.get(context.tx, case.id)
    if known is not None and known.survey_after is not None and known.plan is None:
        await erasures.change(context.tx, case.id, survey_after=None)
        await service.want_survey(context.tx, context.now, case, context.now)


async def run_hold(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Keep everything of the person, whatever is asked for."""
    case = the_case(context)
    if case.legal_hold:
        raise StaffRefusal("held_already", reference=case.reference)
    await decisions.hold(context.tx, context.now, case, message.sender)
    return [Reply("staff/legal_hold", await _noted(context, message, case, arguments["reason"]))]


async def run_release(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """End the legal hold."""
    case = the_case(context)
    refuse_own(case, message)
    if not case.legal_hold:
        raise StaffRefusal("not_held", reference=case.reference)
    await decisions.release(context.tx, context.now, case, message.sender)
    return [Reply("staff/released", {"reference": case.reference, "by": message.sender})]


async def _noted(context: StaffContext, message: StaffMessage, case: Case, words: str) -> Json:
    """Keep the words as a note, and return what is said of it."""
    await correspondence.note(context.tx, context.now, case, message.sender, message.event_id, words)
    return {"reference": case.reference, "by": message.sender, "person": case.person, "lines": lines_of(words)}


COMMANDS = (
    StaffCommand(
        name="verify",
        summary=translatable("notes that it is established who asks, and how"),
        run=run_verify,
        parameters=(Parameter("how", ParameterKind.TEXT, "how"),),
    ),
    StaffCommand(
        name="hold",
        summary=translatable("legal hold: nothing of this person is erased"),
        run=run_hold,
        parameters=(Parameter("reason", ParameterKind.TEXT, "reason"),),
    ),
    StaffCommand(
        name="release",
        summary=translatable("ends the legal hold"),
        run=run_release,
    ),
)
