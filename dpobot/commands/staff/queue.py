"""``queue [open|due|mine|all]`` and ``show CASE``."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from dpobot.audit import access
from dpobot.cases import queries
from dpobot.cases.queries import Queue
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import the_case
from dpobot.commands.staff_facts import case_facts, lines_of
from dpobot.model.records import Case, Reply, StaffMessage
from dpobot.store import case_messages, files, jobs
from dpobot.store.case_messages import CaseMessage
from dpobot.text.language import translatable

ORDER = 10
_MOST_LISTED = 20
_MOST_MESSAGES = 30
_MOST_OF_A_MESSAGE = 600  # characters; the thread has all of it
_MOST_SHOWN = 9_000  # characters of all messages together


async def run_queue(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """List cases, each with a number that can be typed."""
    which = Queue(arguments.get("which", Queue.OPEN))
    found = await queries.queue(context.tx, which, context.now, message.sender, _MOST_LISTED + 1)
    cases = found[:_MOST_LISTED]
    await access.queue_shown(context.tx, context.now, message.sender, which.value, len(cases))
    values = {
        "which": which.value,
        "cases": [case_facts(case, context.now) for case in cases],
        "more": len(found) > len(cases),
        "counts": asdict(await queries.counts(context.tx, context.now)),
    }
    return [Reply("staff/queue", values, choices=tuple(f"show {case.reference}" for case in cases))]


async def run_show(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Show all that there is about one case."""
    return await details(context, message, the_case(context))


async def details(context: StaffContext, message: StaffMessage, case: Case) -> Sequence[Outcome]:
    """Return what is known of a case: facts, what was written, files, work; that somebody looked is recorded."""
    await access.case_shown(context.tx, context.now, message.sender, case.id, "show")
    written = await case_messages.newest(context.tx, case.id, _MOST_MESSAGES + 1)
    shown = _shown(written[-_MOST_MESSAGES:])
    values = {
        "case": case_facts(case, context.now),
        "options": [_option(name, value) for name, value in sorted(case.options.items()) if value],
        "messages": shown,
        "left_out": len(written) > len(shown),
        "files": await _files(context, case),
        "jobs": [
            {"name": job.name, "state": job.state.value, "error": job.error}
            for job in await jobs.of_case(context.tx, case.id)
        ],
    }
    return [Reply("staff/show", values)]


def _option(name: str, value: object) -> str:
    """Return what a case was opened with in words that a member of staff can read, be it one value or several."""
    values = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    return f"{name}: {' '.join(str(each) for each in values)}"


async def next_one(context: StaffContext, message: StaffMessage, after: Case) -> Sequence[Outcome]:
    """Show the case that needs somebody most, after the one at hand."""
    case = await queries.next_for(context.tx, context.now, message.sender, after)
    return [Reply("staff/nothing_next")] if case is None else await details(context, message, case)


def _shown(messages: Sequence[CaseMessage]) -> list[dict[str, object]]:
    """Return the newest messages that fit, oldest first."""
    shown: list[dict[str, object]] = []
    room = _MOST_SHOWN
    for message in reversed(messages):
        text = message.text[:_MOST_OF_A_MESSAGE]
        room -= len(text)
        if room < 0:
            break
        shown.append(
            {
                "author": message.author,
                "direction": message.direction.value,
                "at": message.at,
                "lines": lines_of(text),
                "cut": len(text) < len(message.text),
            }
        )
    return shown[::-1]


async def _files(context: StaffContext, case: Case) -> list[dict[str, object]]:
    return [
        {
            "name": each.file.name,
            "size": each.file.file.size,
            "author": each.author,
            "purpose": each.purpose.value,
            "sent_at": each.sent_at,
        }
        for each in await files.of_case(context.tx, case.id)
    ]


_QUEUES = {
    "open": "open", "due": "due", "overdue": "due", "late": "due", "mine": "mine", "my": "mine", "me": "mine",
    "all": "all", "closed": "all", "everything": "all",
}  # fmt: skip

COMMANDS = (
    StaffCommand(
        name="queue",
        summary=translatable("the cases, by the day on which they are due"),
        run=run_queue,
        parameters=(Parameter("which", ParameterKind.CHOICE, "[open|due|mine|all]", _QUEUES),),
        needs_case=False,
    ),
    StaffCommand(
        name="show",
        summary=translatable("all about one case: what was written, files, notes"),
        run=run_show,
        parameters=(Parameter("case", ParameterKind.CASE, "CASE"),),
    ),
)
