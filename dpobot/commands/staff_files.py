"""A file that staff send into the thread of a case: it waits there for `attach`."""

from collections.abc import Sequence

from dpobot.cases import correspondence
from dpobot.commands.evidence import Unusable, caption, file_of
from dpobot.commands.spec import Outcome, StaffContext
from dpobot.errors import StaffRefusal
from dpobot.model.records import Reply, StaffMessage
from dpobot.store import files
from dpobot.store.files import Purpose


async def take(context: StaffContext, message: StaffMessage) -> Sequence[Outcome]:
    """Remember a file of a thread, and a caption as a note; the first that waits is answered with what can be done.

    Raises `StaffRefusal` ``file_unusable`` for one that is not encrypted, broken, or too large.
    """
    case = context.case
    if case is None:
        return []  # in the main time line it belongs to no case
    file = file_of(message.content, context.evidence_bytes)
    if isinstance(file, Unusable):
        raise StaffRefusal("file_unusable", why=file.value, most=context.evidence_bytes)
    await correspondence.add_file(context.tx, context.now, case, message.event_id, file, message.sender)
    words = caption(message.content, message.body)
    if words:
        await correspondence.note(context.tx, context.now, case, message.sender, message.event_id, words)
    waiting = await files.of_case(context.tx, case.id, Purpose.THREAD)
    return [Reply("staff/file_waits", {"reference": case.reference})] if len(waiting) == 1 else []
