"""What the bot itself has said of a case in the staff room is taken back before the case is forgotten."""

import asyncio
from collections.abc import Awaitable, Callable

from dpobot import log
from dpobot.delivery.messages import key
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs.expire import take_back, take_back_link
from dpobot.jobs.parts import Parts
from dpobot.model.ids import EventId, Mxc, RoomId
from dpobot.store import downloads, staff_threads, staff_uploads, volumes
from dpobot.store.database import Tx
from dpobot.store.downloads import Download
from dpobot.store.volumes import VolumeRow

_ATTEMPTS = 10  # at one event, while the homeserver asks for patience
_LONGEST_PAUSE = 30.0  # seconds that it may ask for; beyond, the next hour is soon enough
_logger = log.get(__name__)


class ThreadRemoval:
    """Deletes the bot's uploads of a case and redacts its card, the card's edits and its messages in the thread.

    What staff wrote there is theirs, and stays. ``pause`` waits a number of seconds.
    """

    def __init__(self, parts: Parts, pause: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._parts = parts
        self._pause = pause

    async def remove(self, case_id: int) -> None:
        """Take everything back; harmless to repeat, and what is gone already is not asked for again.

        A room that has shut us out keeps what it has. Raises `Unavailable`.
        """
        try:
            await self._media(case_id)
            thread = await self._parts.database.read(lambda tx: staff_threads.get(tx, case_id))
            if thread is not None and thread.room_id is not None and thread.event_id is not None:
                await self._thread(case_id, thread.room_id, thread.event_id)
        except Rejected as refusal:
            if refusal.status == 401:  # says something of our token, nothing of the room
                raise Unavailable(refusal.code) from refusal
            _logger.warning("retention.not_redacted", case_id=case_id, code=refusal.code)

    async def _media(self, case_id: int) -> None:
        """Delete copies of evidence, and volumes that nobody has managed to delete in all that time."""

        async def look(tx: Tx) -> tuple[list[Mxc], list[VolumeRow], Download | None]:
            sent = await volumes.of_case(tx, case_id)
            return await staff_uploads.of_case(tx, case_id), sent, await downloads.of_case(tx, case_id)

        copies, sent, known = await self._parts.database.read(look)
        for url in copies:
            await self._unless_refused(case_id, lambda url=url: self._parts.homeserver.delete_media(url))  # type: ignore[misc] # bound per turn
        for volume in sent:
            if volume.deleted_at is None:
                await self._unless_refused(case_id, lambda volume=volume: take_back(self._parts, volume))  # type: ignore[misc] # bound per turn
        if known is not None and known.closed_at is None:
            await self._unless_refused(case_id, lambda: take_back_link(self._parts, case_id))

    async def _thread(self, case_id: int, room_id: RoomId, card: EventId) -> None:
        """Redact what hangs on the card, then the card: as long as it stands, the rest is found again."""
        for event_id in [*await self._parts.matrix.own_relations(room_id, card), card]:
            await self._unless_refused(case_id, lambda event_id=event_id: self._redact(room_id, event_id))  # type: ignore[misc] # bound per turn

    async def _redact(self, room_id: RoomId, event_id: EventId) -> None:
        for _ in range(_ATTEMPTS):
            try:
                return await self._parts.matrix.redact(room_id, event_id, txn_id=key("forget", room_id, event_id))
            except Unavailable as trouble:
                if trouble.retry_after is None or trouble.retry_after > _LONGEST_PAUSE:
                    raise
                await self._pause(2 * trouble.retry_after)  # leaves the bot's answers half of what it may send
        raise Unavailable("M_LIMIT_EXCEEDED")

    async def _unless_refused(self, case_id: int, work: Callable[[], Awaitable[object]]) -> None:
        """Do one part; if it is refused for good, the others are done all the same."""
        try:
            await work()
        except Rejected as refusal:
            if refusal.status == 401:
                raise
            _logger.warning("retention.not_removed", case_id=case_id, code=refusal.code)
