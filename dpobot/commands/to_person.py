"""Words of staff on their way to the person of a case: recorded, held back for a moment, and how that is answered."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dpobot.cases import correspondence
from dpobot.commands.spec import StaffContext
from dpobot.commands.staff_facts import lines_of
from dpobot.delivery.messages import key
from dpobot.errors import StaffRefusal
from dpobot.model.ids import EventId, server_of
from dpobot.model.records import Case, FileRef, Reply, StaffMessage, ToPerson
from dpobot.model.words import Channel
from dpobot.text.render import MOST_CHARACTERS, MOST_ITEMS

_MOST_BYTES = 14_000  # of words as JSON: they stand twice in a message, escaped (text.render: MOST_BYTES)


@dataclass(frozen=True, slots=True)
class Said:
    """What goes to the person (nothing if they can't be reached), and what staff are told of it."""

    to_person: Sequence[ToPerson]
    told: Mapping[str, Any]


def reachable(context: StaffContext, case: Case) -> bool:
    """Say whether who asked can be written to: in Matrix, or because the account is ours."""
    there = case.channel in (Channel.MATRIX, Channel.FEDERATION)
    return there or server_of(case.person) == context.staff_rules.server


async def say(
    context: StaffContext,
    message: StaffMessage,
    case: Case,
    reply: Reply,
    text: str,
    *,
    delay: timedelta = timedelta(0),
    files: Sequence[FileRef] = (),
) -> Said:
    """Record words of staff in the case and send them, with files; so long as ``delay`` lasts `undo` takes them back.

    Raises `StaffRefusal` ``too_long``.
    """
    check_length(text)
    await correspondence.reply(context.tx, context.now, case, message.sender, message.event_id, text)
    return tell(context, case, reply, text, delay=delay, files=files)


def tell(
    context: StaffContext,
    case: Case,
    reply: Reply,
    text: str = "",
    *,
    delay: timedelta = timedelta(0),
    files: Sequence[FileRef] = (),
) -> Said:
    """Send a sentence about a case, and say what is to be told of it to staff."""
    reached = reachable(context, case)
    told = {
        "reference": case.reference,
        "person": case.person,
        "channel": case.channel.value,
        "reachable": reached,
        "seconds": int(delay.total_seconds()),
        "at": f"{context.now + delay:%H:%M:%S} UTC",
        "lines": lines_of(text),
        "file_count": len(files),
    }
    return Said([ToPerson(case, reply, delay, tuple(files))] if reached else [], told)


def key_of(event_id: EventId) -> str:
    """Return the key under which the words of a staff member's message wait in the outbox."""
    return key("to_person", event_id, 0)


def check_length(text: str) -> None:
    """Raise `StaffRefusal` ``too_long`` for words that a message would not hold whole (see `text.render`)."""
    lines = lines_of(text)
    longest = max((len(line) for line in lines), default=0)
    fits = min(_MOST_BYTES / len(json.dumps(text)), MOST_CHARACTERS / max(longest, 1), MOST_ITEMS / max(len(lines), 1))
    if fits < 1:
        raise StaffRefusal("too_long", share=int(100 * fits))
