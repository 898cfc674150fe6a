"""``exceptional room !id`` and ``exceptional state !id``: the notice's "exceptional erasure" (2.1.3.1)."""

import re
from collections.abc import Sequence

from dpobot.cases import erasure
from dpobot.commands.spec import Arguments, Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_case import refuse_own, the_case
from dpobot.commands.staff_erasure import refuse_other
from dpobot.errors import StaffRefusal
from dpobot.model.ids import RoomId
from dpobot.model.records import Reply, StaffMessage
from dpobot.text.language import translatable

ORDER = 82
_ROOM_ID = re.compile(r"!\S{1,254}")


async def run(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Say that only this room, or the person's state in it, is to be erased; it is counted, then two approve."""
    case, scope, room_id = the_case(context), arguments["scope"], arguments["room_id"]
    refuse_own(case, message)
    refuse_other(case)
    if _ROOM_ID.fullmatch(room_id) is None:
        raise StaffRefusal("no_room_id", text=room_id)
    await erasure.exceptional(context.tx, context.now, case, message.sender, scope, RoomId(room_id))
    chosen = {"scope": scope, "room_id": room_id}
    return [Reply("staff/exceptional", {"reference": case.reference, "exceptional": chosen})]


COMMANDS = (
    StaffCommand(
        name="exceptional",
        summary=translatable(
            "makes an assessed erasure one of a whole room, or of the person's state events in it, and counts"
        ),
        run=run,
        parameters=(
            Parameter("scope", ParameterKind.CHOICE, "room|state", {"room": "room", "state": "state"}),
            Parameter("room_id", ParameterKind.TEXT, "!id", most_words=1),
        ),
    ),
)
