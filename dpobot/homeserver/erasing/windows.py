"""Redaction as the person, in a room that they are in: window by window, several at once.

This is the fast way, and the only one that reaches every type of event: Synapse's own bulk call knows messages and
joins alone, and makes the room's history fray by one end for each redaction.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.category import Subject, records_of
from dpobot.homeserver.changes import Depth, Redacted
from dpobot.homeserver.erasing import directory
from dpobot.homeserver.erasing.fans import fans
from dpobot.homeserver.erasing.pages import page
from dpobot.homeserver.erasing.power import may_send
from dpobot.homeserver.erasing.redactable import goes
from dpobot.homeserver.http import not_begun
from dpobot.model.ids import RoomId

REDACT = "PUT /_matrix/client/v3/rooms/{room}/redact/{event}/{transaction}"
REDACT_ANEW = "POST /_matrix/client/v3/rooms/{room}/redact/{event}"  # Synapse's, for keys that allow no transaction IDs
JOINED_ROOMS = "GET /_synapse/admin/v1/users/{user}/joined_rooms"
STATE = "GET /_synapse/admin/v1/rooms/{room}/state"
ENDPOINTS = (REDACT, REDACT_ANEW, JOINED_ROOMS, STATE, *directory.ENDPOINTS)


@dataclass
class _Outcome:
    """What became of the events of a window: how many are redacted, and which the server refuses."""

    count: int = 0
    refused: Counter[str] = field(default_factory=Counter)


async def redact(subject: Subject, room_id: RoomId, depth: Depth, start: str | None, at_once: int) -> Redacted:
    """Redact one page of the person's events, oldest first, up to ``at_once`` side by side.

    Raises `Rejected` ``not_joined`` if they are not in the room, or are but may no longer send anything, as after the
    upgrade of a room: `left_rooms` is the way then.
    """
    if start is None and not await _joined(subject, room_id):
        raise Rejected("not_joined")
    found = await page(subject.http, room_id, subject.user, start)
    wanted = [str(event["event_id"]) for event, chosen in found.events if goes(chosen, depth)]
    shown = directory.shown(event for event, _ in found.events)
    if not wanted and not shown:
        return Redacted(0, {}, found.next)
    outcome = _Outcome()
    async with subject.acting() as person:
        # the first one alone: where nothing is allowed, that is found out once and not a thousand times
        await _all(person, room_id, wanted[:1], outcome, 1)
        if outcome.refused["M_FORBIDDEN"] and not await _able(subject, room_id):
            raise Rejected("not_joined")
        await _all(person, room_id, wanted[1:], outcome, at_once)
        await directory.taken_down(person, room_id, shown)
    return Redacted(outcome.count, dict(outcome.refused), found.next)


async def _joined(subject: Subject, room_id: RoomId) -> bool:
    rooms = (await subject.ask(JOINED_ROOMS)).get("joined_rooms")
    if not isinstance(rooms, list):
        raise Unavailable("bad_answer")
    return room_id in rooms


async def _all(person: Subject, room_id: RoomId, events: Sequence[str], outcome: _Outcome, at_once: int) -> None:
    try:
        for fan in fans(events, at_once):
            async with asyncio.TaskGroup() as group:
                for event in fan:
                    group.create_task(_one(person, room_id, event, outcome))
    except ExceptionGroup as failures:
        # what is redacted stays so: the next attempt begins with what is left
        raise failures.exceptions[0] from failures


async def _one(person: Subject, room_id: RoomId, event: str, outcome: _Outcome) -> None:
    try:
        # without a reason: everybody in the room would read it. The transaction ID makes a repeat the same redaction
        endpoint, again = (REDACT, _remembered) if person.lender.transactions else (REDACT_ANEW, not_begun)
        await person.ask(endpoint, room=room_id, event=event, transaction=f"dpobot-{event}", body={}, again=again)
    except Rejected as error:
        if error.status == 401:  # the key to the account has ended, not this event's fault
            raise Unavailable("acting_ended") from error
        outcome.refused[error.code] += 1
    else:
        outcome.count += 1


def _remembered(error: Unavailable) -> bool:
    """Tell whether a repeat would be known as one.

    Synapse (1.163) knows the transactions of an admin's key to an account by heart alone: once it was away, a redaction
    whose answer was lost would be made a second time. So the attempt ends, and the next begins with what is left.
    """
    return error.code not in {"connection_lost", "http_502"}


async def _able(subject: Subject, room_id: RoomId) -> bool:
    """Tell whether the person may send redactions here at all: in a room that was upgraded they have no power to."""
    state = records_of((await subject.ask(STATE, room=room_id)).get("state"))
    return may_send(state, subject.user, "m.room.redaction") and await _joined(subject, room_id)
