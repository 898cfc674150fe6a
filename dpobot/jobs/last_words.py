"""What a person must have been told before something happens after which they can no longer be told, or answer."""

from datetime import datetime, timedelta

from dpobot.delivery.messages import Address, key, post
from dpobot.engine.api import Hold, JobRun, Postponed, StepResult
from dpobot.jobs.parts import Parts
from dpobot.jobs.staff_line import StaffLine
from dpobot.model.records import Case, Reply
from dpobot.model.words import Channel
from dpobot.store import outbox
from dpobot.store.database import Tx

PATIENCE = timedelta(hours=24)  # so long we try to reach somebody, before staff look
UNSENT = "last_words_unsent"  # why a case is held
_STEP = "last words"
_ASK_AGAIN = 2.0  # seconds until we look whether they are sent


class LastWords:
    """Said once in each job; whoever waits for them raises until they are sent."""

    def __init__(self, parts: Parts, run: JobRun, case: Case) -> None:
        self._parts = parts
        self._run = run
        self._case = case
        self._line = StaffLine(parts)

    async def say(self, reply: Reply, to_staff: Reply | None = None) -> None:
        """Tell the person, and wait until it is sent; who asked from outside is told by staff, as ``to_staff`` says.

        Raises `Postponed` while it is on its way, Hold("last_words_unsent") if it can't be sent for a day.
        """
        said = await self._run.steps.step(_STEP, lambda: self._post(reply, to_staff))
        if self._case.channel is Channel.MATRIX:
            await self._until_sent(datetime.fromisoformat(said["at"]))

    async def _post(self, reply: Reply, to_staff: Reply | None) -> StepResult:
        now = self._parts.clock.now()
        await self._parts.database.write(lambda tx: self._write(tx, now, reply, to_staff))
        return {"at": now.isoformat()}

    async def _write(self, tx: Tx, now: datetime, reply: Reply, to_staff: Reply | None) -> None:
        if self._case.channel is Channel.MATRIX:
            address = Address(self._case.person)
            await post(tx, self._parts.renderer, now, address, reply, self._key, case_id=self._case.id)
        elif to_staff is not None and (room_id := await self._line.room(tx)) is not None:
            await self._line.say(tx, now, room_id, to_staff, self._case.id, self._run.job.id, case_id=self._case.id)

    async def _until_sent(self, since: datetime) -> None:
        if await self._parts.database.read(lambda tx: outbox.event_of(tx, self._key)) is not None:
            return
        if self._parts.clock.now() - since >= PATIENCE:
            raise Hold(UNSENT)
        raise Postponed(UNSENT, _ASK_AGAIN)

    @property
    def _key(self) -> str:
        return key(_STEP, self._case.id, self._run.job.id)
