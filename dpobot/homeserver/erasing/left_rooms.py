"""Redaction where the person can no longer send anything: Synapse's own bulk call (admin API, "Redact all events").

Measured on Synapse 1.163: a redaction by the client API is refused after leaving (403), also while the person is
banned. The bulk call places each redaction right after its event, at a time when the person was still there, but it
knows only messages, encrypted events and joins. For reactions, stickers, polls and other state in such rooms there is
no way but to join again, which everybody there would see: they are counted as ``not_in_room``.

The call is not idempotent: begun again, it redacts again what is redacted. So what is left is asked first, each call is
bounded to a span of time that holds nothing else, and a call that is still at work is waited for.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.category import Subject, object_of, records_of
from dpobot.homeserver.changes import Depth, Redacted
from dpobot.homeserver.erasing.pages import judged
from dpobot.homeserver.erasing.redactable import goes
from dpobot.homeserver.erasing.spans import Span, spans
from dpobot.homeserver.http import Pause, not_begun
from dpobot.model.ids import RoomId

VERSION = "GET /_synapse/admin/v1/server_version"
BULK = "POST /_synapse/admin/v1/user/{user}/redact"
STATUS = "GET /_synapse/admin/v1/user/redact_status/{task}"
TASKS = "GET /_synapse/admin/v1/scheduled_tasks"
ENDPOINTS = (BULK, STATUS, TASKS, VERSION)

_BOUNDED_SINCE = (1, 157)  # before, the call ignores its bounds in time, and would redact what is to be spared
_NUMBER = re.compile(r"(\d+)\.(\d+)")
_LIMIT = 1_000_000  # events; left out, Synapse stops after 1,000
_POLLS = 60
_POLL_SECONDS = 0.5
_FIRST_POLL_SECONDS = 0.05
_ACTION = "redact_all_events"

Event = Mapping[str, Any]


async def redact_left(subject: Subject, room_id: RoomId, depth: Depth, pause: Pause) -> Redacted:
    """Redact what the bulk call reaches in one room, and count what it can't reach.

    Raises `Unavailable` ``redaction_running`` if Synapse is still at it after half a minute without an end.
    """
    await _quiet(subject, pause)
    reached, spared, refused = await _looked_at(subject, room_id, depth)
    if reached and not await _bounded(subject):
        refused["server_too_old"] += len(reached)
        return Redacted(0, dict(refused))
    chosen = list(spans(reached, spared))
    done = 0
    for span in chosen:
        failed = await _bulk(subject, room_id, span, pause)
        refused.update(_code(reason) for reason in failed.values())
        done += len(span.events) - len(failed)
    if close := len(reached) - sum(len(span.events) for span in chosen):
        refused["not_in_room"] += close  # sent in the same millisecond as something that stays
    return Redacted(done, dict(refused))


async def _looked_at(subject: Subject, room_id: RoomId, depth: Depth) -> tuple[list[Event], list[Event], Counter[str]]:
    """Return what is to go and can, what the bulk call would take and must not, and how much it can't reach."""
    reached: list[Event] = []
    spared: list[Event] = []
    refused: Counter[str] = Counter()
    async for event, chosen in judged(subject.http, room_id, subject.user):
        wanted, reachable = goes(chosen, depth), _reachable(event)
        if wanted and reachable:
            reached.append(event)
        elif reachable:
            spared.append(event)
        elif wanted:
            refused["not_in_room"] += 1
    return reached, spared, refused


async def _bounded(subject: Subject) -> bool:
    """Say whether this Synapse keeps the bulk call within a span of time."""
    found = _NUMBER.match(str((await subject.ask(VERSION)).get("server_version")))
    return found is not None and (int(found[1]), int(found[2])) >= _BOUNDED_SINCE


def _reachable(event: Event) -> bool:
    kind = event.get("type")
    if kind == "m.room.member":
        content = event.get("content")
        # of what is no join Synapse redacts only what has no content at all, by mistake; we spare that, too
        return not content or (isinstance(content, Mapping) and content.get("membership") == "join")
    return kind in {"m.room.message", "m.room.encrypted"}


async def _bulk(subject: Subject, room_id: RoomId, span: Span, pause: Pause) -> Mapping[str, Any]:
    """Let Synapse redact one span; return what failed, event ID -> why. One room a call: an unknown one fails all."""
    body = {"rooms": [room_id], "limit": _LIMIT, "after_ts": span.first, "before_ts": span.last}
    # only one can be at work; begun a second time it would redact again: the next attempt begins with what is left
    task = str((await subject.ask(BULK, body=body, again=not_begun))["redact_id"])
    for number in range(_POLLS):
        answer = await subject.ask(STATUS, task=task)
        if answer.get("status") == "complete":
            return object_of(answer.get("failed_redactions", {}))
        if answer.get("status") == "failed":
            raise Rejected("redaction_failed")
        await pause(_FIRST_POLL_SECONDS if number < 4 else _POLL_SECONDS)
    raise Unavailable("redaction_running", _POLL_SECONDS * _POLLS)


async def _quiet(subject: Subject, pause: Pause) -> None:
    """Wait until no bulk call for this person is at work, e.g. one of ours before a crash."""
    for _ in range(_POLLS):
        tasks = records_of(
            (await subject.ask(TASKS, params={"action_name": _ACTION, "resource_id": subject.user})).get(
                "scheduled_tasks"
            )
        )
        if not any(task.get("status") in {"active", "scheduled"} for task in tasks):
            return
        await pause(_POLL_SECONDS)
    raise Unavailable("redaction_running", _POLL_SECONDS * _POLLS)


def _code(reason: Any) -> str:
    """Return a stable code for Synapse's sentence, which begins with a status and may name people."""
    return "M_FORBIDDEN" if str(reason).startswith("403") else "redaction_failed"
