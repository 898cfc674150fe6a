"""``reply …``, ``undo``, ``note …`` and ``attach``: what is written about a case, and what reaches the person."""

from collections.abc import Sequence

from dpobot.cases import correspondence
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import the_case
from dpobot.commands.staff_facts import lines_of
from dpobot.commands.to_person import key_of, reachable, say
from dpobot.errors import StaffRefusal
from dpobot.model.records import Reply, StaffMessage
from dpobot.store import outbox
from dpobot.text.language import translatable

ORDER = 60


async def run_reply(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Answer the person, with the files that were attached; for a moment it can be taken back."""
    case, text = the_case(context), arguments["text"]
    files = await correspondence.take_for_answer(context.tx, context.now, case)
    words = {"reference": case.reference, "lines": lines_of(text), "file_count": len(files)}
    said = await say(
        context, message, case, Reply("staff_reply", words), text, delay=context.staff_rules.reply_delay, files=files
    )
    return [*said.to_person, Reply("staff/reply_goes", said.told)]


async def run_undo(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Take the sender's newest reply back. Raises `StaffRefusal`: ``nothing_to_undo``, ``too_late``."""
    case = the_case(context)
    event_id = await correspondence.take_reply_back(context.tx, context.now, case, message.sender)
    if event_id is None:
        raise StaffRefusal("nothing_to_undo", reference=case.reference)
    sent_by_us = reachable(context, case)
    if sent_by_us and not await outbox.take_back(context.tx, key_of(event_id), context.now):
        raise StaffRefusal("too_late", reference=case.reference)
    return [Reply("staff/undone", {"reference": case.reference, "reachable": sent_by_us})]


async def run_note(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Keep words for colleagues. In the thread they stand there already: nothing is answered."""
    case = the_case(context)
    await correspondence.note(context.tx, context.now, case, message.sender, message.event_id, arguments["text"])
    return [] if message.case_id == case.id else [Reply("staff/noted", {"reference": case.reference})]


async def run_attach(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Let the files of the thread go to the person."""
    case = the_case(context)
    attached = await correspondence.attach(context.tx, context.now, case, message.sender)
    return [
        Reply(
            "staff/attached", {"reference": case.reference, "file_count": attached.count, "archive": attached.archive}
        )
    ]


COMMANDS = (
    StaffCommand(
        name="reply",
        summary=translatable("answers the person: the only words of a thread that reach them"),
        run=run_reply,
        parameters=(Parameter("text", ParameterKind.TEXT, "…"),),
    ),
    StaffCommand(
        name="undo",
        summary=translatable("takes your newest reply back, as long as it has not been sent"),
        run=run_undo,
    ),
    StaffCommand(
        name="note",
        summary=translatable("keeps words for colleagues, as all other text in a thread does"),
        run=run_note,
        parameters=(Parameter("text", ParameterKind.TEXT, "…"),),
    ),
    StaffCommand(
        name="attach",
        summary=translatable("puts the files of the thread into the archive, or into the next reply"),
        run=run_attach,
    ),
)
