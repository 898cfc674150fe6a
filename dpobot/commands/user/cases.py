"""``cases`` and ``status [case]``."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from dpobot.cases import queries
from dpobot.commands import stages, which
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.engine.progress import Progress
from dpobot.model.records import Case, Incoming, Reply
from dpobot.model.words import CaseState, JobState
from dpobot.store import jobs
from dpobot.text.language import translatable

ORDER = 80
_MOST_SHOWN = 20


async def run_cases(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """List the person's cases, newest first."""
    cases = await queries.of_person(context.tx, incoming.sender, _MOST_SHOWN + 1)
    shown = [await facts(case, context) for case in cases[:_MOST_SHOWN]]
    return [Reply("cases", {"cases": shown, "more": len(cases) > len(shown)})]


async def run_status(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Say where one case stands, or every open one."""
    case = await which.named(context, incoming, arguments)
    cases = [case] if case else await queries.open_of_person(context.tx, incoming.sender)
    shown = [await facts(each, context) for each in cases[:_MOST_SHOWN]]
    return [Reply("status", {"cases": shown, "more": len(cases) > len(shown)})]


async def facts(case: Case, context: Context) -> Mapping[str, object]:
    """Return what a template says of a case; who works on it is nobody's business but ours."""
    return {
        "reference": case.reference,
        "kind": case.kind.value,
        "state": case.state.value,
        "stage": await stages.stage_of(context.tx, context.now, case),
        "received_at": case.received_at,
        "due_at": case.due_at,
        "closed_at": case.closed_at,
        "overdue": _overdue(case, context.now),
        "extended": case.extended_months > 0,
        "ground": case.outcome if case.state is CaseState.REFUSED else None,
        "percent": await _percent(case, context) if case.state is CaseState.WORKING else None,
    }


def _overdue(case: Case, now: datetime) -> bool:
    """Say whether our answer is late; while we wait for the person, time stands still."""
    if case.closed_at is not None or case.state is CaseState.DELIVERED:
        return False
    return case.due_at < (case.paused_at or now)


async def _percent(case: Case, context: Context) -> int | None:
    """Return how much of the case's running work is done, None before it has said anything."""
    for job in await jobs.of_case(context.tx, case.id):
        if job.state is JobState.RUNNING:
            progress = Progress.from_json(job.progress)
            return int(progress.fraction * 100) if progress else None
    return None


COMMANDS = (
    Command(
        name="status",
        summary=translatable("where your request stands, and until when we must answer"),
        run=run_status,
        aliases=("stand", "état"),
        synonyms=(
            "where is my data",
            "where is my request",
            "what is the status",
            "wie ist der stand",
            "wo bleiben meine daten",
            "où en est ma demande",
        ),
        parameters=(Parameter("case", ParameterKind.CASE, "[case]"),),
    ),
    Command(
        name="cases",
        summary=translatable("all your requests"),
        run=run_cases,
        aliases=("requests", "anfragen", "demandes"),
        synonyms=("my cases", "my requests", "meine anfragen", "mes demandes"),
    ),
)
