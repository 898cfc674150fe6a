"""The progress message: one message in the person's room, edited at most every few seconds."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from dpobot import log
from dpobot.delivery.messages import key
from dpobot.delivery.rooms import check
from dpobot.engine.progress import Progress
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs.parts import Parts
from dpobot.model.ids import EventId, RoomId
from dpobot.model.records import Case, Reply

_logger = log.get(__name__)


@dataclass
class Tally:
    """What a run has done so far; the job counts, the message reads."""

    started_at: datetime
    steps: int = 0
    steps_total: int = 0
    steps_before: int = 0  # done by earlier runs
    rooms: int = 0
    rooms_total: int = 0
    events: int = 0
    size: int = 0

    def step(self, *, fresh: bool) -> None:
        """Count a step; ``fresh``: this run did it."""
        self.steps += 1
        if not fresh:
            self.steps_before += 1

    def progress(self) -> Progress:
        """Return the figures for the message and for the job's row."""
        return Progress(
            done=self.steps,
            total=max(self.steps_total, self.steps, 1),
            started_at=self.started_at,
            done_before=self.steps_before,
            rooms=self.rooms,
            rooms_total=self.rooms_total,
            events=self.events,
            size=self.size,
        )


class ProgressMessage:
    """Shows a tally in the person's room while a block runs. A courtesy: what goes wrong is only logged."""

    def __init__(self, parts: Parts, case: Case, language: str, tally: Tally, run: str) -> None:
        self._parts = parts
        self._case = case
        self._language = language
        self._tally = tally
        self._run = run
        self._task: asyncio.Task[None] | None = None
        self._number = 0
        self._said: dict[str, object] = {}
        self._event: EventId | None = None

    async def __aenter__(self) -> Tally:
        """Begin to show."""
        self._task = asyncio.create_task(self._show())
        return self._tally

    async def __aexit__(self, kind: object, *_: object) -> None:
        """Stop showing; if all went well, with the figures of the end."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if kind is None:
            self._tally.steps_total = self._tally.steps
            await self._say()

    async def _show(self) -> None:
        while True:
            await self._say()
            await asyncio.sleep(self._parts.config.export.progress_seconds)

    async def _say(self) -> None:
        room_id, values = self._case.room_id, self._tally.progress().values(self._parts.clock.now())
        if room_id is None or values == self._said:
            return
        self._said = values
        try:
            if await check(self._parts.matrix, room_id, self._case.person):
                await self._edit(room_id, self._content(values))
        except (Unavailable, Rejected) as trouble:
            _logger.info("progress.not_shown", case_id=self._case.id, code=trouble.code)

    async def _edit(self, room_id: RoomId, content: dict[str, object]) -> None:
        send, case = self._parts.matrix.send, self._case
        if self._event is None:  # the same transaction in every run: a resumed job goes on with the message it has
            self._event = await send(room_id, content, txn_id=key("progress", case.id))
            return
        self._number += 1
        edit = content | {
            "body": f"* {content['body']}",
            "m.new_content": content,
            "m.relates_to": {"rel_type": "m.replace", "event_id": self._event},
        }
        await send(room_id, edit, txn_id=key("progress", case.id, self._run, self._number))

    def _content(self, values: dict[str, object]) -> dict[str, object]:
        reply = Reply("export_progress", {"reference": self._case.reference, **values}, notice=True)
        return self._parts.renderer.message(reply, self._language)
