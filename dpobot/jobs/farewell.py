"""The bot's own part of an erasure: what it has sent to the person goes, and so do the rooms in which they talked."""

from dpobot.engine.api import JobRun, StepResult
from dpobot.errors import Rejected
from dpobot.jobs.erasing_rooms import ErasingRooms
from dpobot.jobs.expire import take_back, take_back_link
from dpobot.jobs.parts import Parts
from dpobot.model.erasure import Fate
from dpobot.model.ids import RoomId
from dpobot.model.records import Case
from dpobot.model.words import CaseState
from dpobot.store import cases, downloads, erasure_rooms, known_devices, outbox, people, volumes
from dpobot.store.database import Tx
from dpobot.store.volumes import VolumeRow

_MANY = 1000  # cases, and rooms, of one person with the bot


class Farewell:
    """Takes back what lies in the person's rooms with the bot, leaves them, and deletes them."""

    def __init__(self, parts: Parts, run: JobRun, case: Case, rooms: ErasingRooms) -> None:
        self._parts = parts
        self._steps = run.steps
        self._case = case
        self._rooms = rooms

    async def all(self) -> None:
        """Do it; the account is gone by now, so nothing more is said to the person."""
        for volume in await self._parts.database.read(self._volumes):
            name = f"take back:{volume.case_id}:{volume.number}"
            await self._steps.step(name, lambda volume=volume: take_back(self._parts, volume))  # type: ignore[misc] # bound per turn
        for case_id in await self._parts.database.read(self._links):
            name = f"take back link:{case_id}"
            await self._steps.step(name, lambda case_id=case_id: take_back_link(self._parts, case_id))  # type: ignore[misc] # bound per turn
        await self._steps.step("silence", self._silence)
        for room_id in await self._parts.database.read(self._ours):
            await self._steps.step(f"leave:{room_id}"[:255], lambda room_id=room_id: self._leave(room_id))  # type: ignore[misc] # bound per turn
        await self._rooms.delete_ours()

    async def _volumes(self, tx: Tx) -> list[VolumeRow]:
        known = await cases.of_person(tx, self._case.person, tuple(CaseState), _MANY)
        found = [volume for case in known for volume in await volumes.of_case(tx, case.id)]
        return [volume for volume in found if volume.deleted_at is None]

    async def _links(self, tx: Tx) -> list[int]:
        known = await cases.of_person(tx, self._case.person, tuple(CaseState), _MANY)
        found = [await downloads.of_case(tx, case.id) for case in known]
        return [download.case_id for download in found if download is not None and download.closed_at is None]

    async def _ours(self, tx: Tx) -> list[RoomId]:
        rooms = await erasure_rooms.of_case(tx, self._case.id, fate=Fate.OURS, limit=_MANY)
        return [room.room_id for room in rooms if room.state == "new"]

    async def _silence(self) -> StepResult:
        """Drop what waits to be said: the outbox would open a new room for it, with an account that is no more."""
        return {"count": await self._parts.database.write(self._forget)}

    async def _forget(self, tx: Tx) -> int:
        person, now = self._case.person, self._parts.clock.now()
        await people.lose(tx, person)
        await known_devices.forget(tx, person)
        return await outbox.give_up_all(tx, person, now)

    async def _leave(self, room_id: RoomId) -> StepResult:
        try:
            await self._parts.matrix.leave(room_id)
        except Rejected as refusal:  # we are no longer in it, or it is gone
            return {"refused": refusal.code}
        return {}
