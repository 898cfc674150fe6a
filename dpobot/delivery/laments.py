"""What is said when something can't be sent: nobody waits for a file or an answer that will not come."""

from datetime import datetime

from dpobot.delivery.attachments import Content
from dpobot.delivery.messages import StaffPlace, key, post_staff
from dpobot.model.records import Reply
from dpobot.store import people, staff_threads
from dpobot.store.database import Tx
from dpobot.store.outbox import OutboxRow, Relation
from dpobot.text.render import Renderer


class Laments:
    """Sentences in place of what could not be sent. ``language``: of the staff room; ``largest``: a file, bytes."""

    def __init__(self, renderer: Renderer, language: str, largest: int) -> None:
        self._renderer = renderer
        self._language = language
        self._largest = largest

    async def instead(self, tx: Tx, row: OutboxRow, reason: str) -> Content:
        """Return what stands in a file's place. ``reason``: gone, too_large, altered, refused, unreachable."""
        values = self._values(row, reason)
        if row.for_staff:
            return self._renderer.message(Reply("staff/thread_file_failed", values), self._language)
        person = await people.get(tx, row.user_id)
        return self._renderer.message(Reply("file_not_sent", values), person.language if person else "en")

    async def file(self, tx: Tx, now: datetime, row: OutboxRow, reason: str) -> None:
        """Tell staff that a person did not get a file of the answer."""
        await self._tell_staff(tx, now, row, Reply("staff/thread_file_not_sent", self._values(row, reason)))

    async def message(self, tx: Tx, now: datetime, row: OutboxRow) -> None:
        """Tell staff that a message of theirs did not reach the person."""
        await self._tell_staff(tx, now, row, Reply("staff/thread_not_delivered"))

    def _values(self, row: OutboxRow, reason: str) -> dict[str, object]:
        return {"file_name": row.content["filename"], "reason": reason, "largest": self._largest}

    async def _tell_staff(self, tx: Tx, now: datetime, row: OutboxRow, reply: Reply) -> None:
        if row.for_staff or row.case_id is None:
            return
        thread = await staff_threads.get(tx, row.case_id)
        if thread is None or thread.room_id is None:
            return
        place = StaffPlace(thread.room_id, self._language, thread.case_id, Relation.THREAD)
        await post_staff(tx, self._renderer, now, place, reply, key(row.key, "lament"))
