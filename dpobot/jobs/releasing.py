"""Releasing: volumes are packed, read back by other code, and only then carried into the person's room, one by one."""

import asyncio
import shutil
from collections.abc import Mapping
from typing import Any

from dpobot import log
from dpobot.archive.facts import PackageFacts, VolumeFile
from dpobot.archive.inspect import inspect
from dpobot.archive.package import package
from dpobot.archive.spool import Spool
from dpobot.cases.approval import ACCEPTED_ANOMALY
from dpobot.delivery import parcel
from dpobot.delivery.messages import Address, key, post
from dpobot.delivery.rooms import ROOM_NOT_SAFE, find
from dpobot.engine.api import Hold, Postponed, StepResult, Steps
from dpobot.errors import Rejected, Tripwire, Unavailable
from dpobot.jobs.attaching import attached
from dpobot.jobs.expire import take_back
from dpobot.jobs.parts import Parts
from dpobot.model.ids import RoomId
from dpobot.model.records import Case, EncryptedFile, ExportOptions, Reply
from dpobot.store import bot_state, people, staff_rooms, volumes
from dpobot.store.database import Tx
from dpobot.store.volumes import VolumeRow

ADDED_LATE = "added_late"  # why an archive is made anew
DELIVERIES_PAUSED = "deliveries_paused"  # why a delivery waits in breach mode
_ASK_AGAIN = 10.0  # seconds until we look whether the person has come into a safe room
_PAUSED_AGAIN = 60.0  # seconds until we look whether deliveries go out again
_ROOM_CHANGED = frozenset({"other_members", "not_encrypted", "not_joined", "M_FORBIDDEN"})
_SMALLEST = 1_000_000  # bytes; below this a volume could not hold its own pages
_logger = log.get(__name__)


class Releasing:
    """One case's archive on its way out."""

    def __init__(self, parts: Parts, case: Case, options: ExportOptions, spool: Spool, steps: Steps) -> None:
        self._parts = parts
        self._case = case
        self._options = options
        self._spool = spool
        self._steps = steps
        self._folder = spool.folder / "volumes"
        self._generation = spool.generation()

    async def look_out(self) -> None:
        """Wait at once if all is packed and only the way out is shut: the person need not see us begin each minute."""
        if self._steps.done(self._name("inspect")) is not None:
            await self._unless_paused()

    async def all(self, language: str, collected: int) -> None:
        """Pack, inspect and deliver what holds ``collected`` events; finished steps are not done again."""
        await self._steps.step(self._name("take back"), self._take_back)
        packed = await self._steps.step(self._name("package"), lambda: self._package(language))
        files = [self._file(item) for item in packed["files"]]
        await self._steps.step(self._name("inspect"), lambda: self._inspect(files, collected))
        await self._unless_added_to(files[0].number, packed["added"])
        for file in files:
            await self._steps.step(self._name("upload", file.number), lambda file=file: self._upload(file))  # type: ignore[misc] # bound per turn
            await self._steps.step(self._name("send", file.number), lambda file=file: self._send(file))  # type: ignore[misc] # bound per turn

    def _name(self, *parts: object) -> str:
        return ":".join([self._generation, *(str(part) for part in parts)])

    async def _take_back(self) -> StepResult:
        """Volumes of a spool that was lost half-way don't fit what is packed now: they leave the server first."""
        earlier = await self._parts.database.read(lambda tx: volumes.of_case(tx, self._case.id))
        for volume in earlier:
            await take_back(self._parts, volume)
        await self._parts.database.write(lambda tx: volumes.forget(tx, self._case.id))
        return {"count": len(earlier)}

    def _file(self, noted: Mapping[str, Any]) -> VolumeFile:
        return VolumeFile(noted["number"], self._folder / noted["name"], noted["size"], noted["sha256"])

    async def _package(self, language: str) -> StepResult:
        limit = await self._parts.matrix.upload_limit()
        size = max(min(self._parts.config.volume_bytes, limit), _SMALLEST)
        shutil.rmtree(self._folder, ignore_errors=True)
        facts = self._facts(language)
        added = sum(1 for _ in self._spool.added())
        done = await asyncio.to_thread(package, self._spool, self._folder, facts, size, self._parts.renderer)
        _logger.info("export.packed", case_id=self._case.id, events=done.totals.events, volumes=len(done.volumes))
        files = [{"number": v.number, "name": v.path.name, "size": v.size, "sha256": v.sha256} for v in done.volumes]
        return {
            "files": files,
            "events": done.totals.events,
            "media": done.totals.media,
            "size": done.totals.size,
            "added": added,
        }

    def _facts(self, language: str) -> PackageFacts:
        return PackageFacts(
            reference=self._case.reference,
            person=self._case.person,
            operator=self._parts.config.operator,
            created_at=self._parts.clock.now(),
            notice_version=self._parts.notice_version,
            scope=self._options.scope,
            sections=self._options.sections,
            since=self._options.since,
            until=self._options.until,
            language=language,
        )

    async def _inspect(self, files: list[VolumeFile], collected: int) -> StepResult:
        paths = [file.path for file in files]
        seen = await asyncio.to_thread(inspect, paths, self._case.person, self._options.scope)
        if seen.events != (0 if self._options.only_statement else collected):
            raise Tripwire("other_count")
        unusual = f"anomaly_{'.'.join(seen.anomalies)}"
        if seen.anomalies and self._case.options.get(ACCEPTED_ANOMALY) != unusual:  # staff have accepted just that
            raise Hold(unusual)
        return {"events": seen.events}

    async def _unless_added_to(self, first: int, added: int) -> None:
        """Begin anew if staff have attached something since the collecting, as long as nothing has left."""
        if (
            self._steps.done(self._name("upload", first)) is None
            and len(await attached(self._parts, self._case)) > added
        ):
            raise Unavailable(ADDED_LATE)

    async def _upload(self, file: VolumeFile) -> StepResult:
        """Upload once: after a crash between upload and note the orphan is ciphertext whose key nobody has."""
        await self._unless_paused()
        row = await self._row(file.number)
        if row is None or row.mxc is None:
            uploaded = await parcel.upload(self._parts.matrix, file.path)
            await self._parts.database.write(lambda tx: self._note(tx, file, uploaded))
        return {}

    async def _note(self, tx: Tx, file: VolumeFile, uploaded: EncryptedFile) -> None:
        await volumes.put(tx, self._case.id, file.number, file.size, file.sha256)
        await volumes.uploaded(tx, self._case.id, file.number, uploaded)

    async def _send(self, file: VolumeFile) -> StepResult:
        row = await self._row(file.number)
        if row is not None and row.sent_at is not None:  # a crash came between this note and the step's
            return {"event_id": row.event_id}
        if row is None or row.file is None:
            raise Unavailable("volume_lost")
        await self._unless_paused()  # before anything is said about rooms
        room_id = await self._safe_room()
        await self._unless_paused()  # finding one can take a while
        packet = parcel.Parcel(file.number, file.path.name, file.size, row.file.event_file())
        try:
            event_id = await parcel.send(self._parts.matrix, self._case, room_id, packet)
        except Rejected as refusal:
            if refusal.code not in _ROOM_CHANGED:
                raise
            raise Unavailable(ROOM_NOT_SAFE, _ASK_AGAIN) from refusal  # between the look and the sending
        now = self._parts.clock.now()
        await self._parts.database.write(
            lambda tx: volumes.sent(tx, self._case.id, file.number, room_id, event_id, now)
        )
        return {"event_id": event_id}

    async def _unless_paused(self) -> None:
        """Wait while breach mode is on: nothing of anybody leaves this machine; the person is told once."""
        if await self._parts.database.read(lambda tx: bot_state.get(tx, bot_state.DELIVERIES_PAUSED)) is None:
            return
        await self._parts.database.write(lambda tx: self._tell(tx, "update_paused_deliveries"))
        raise Postponed(DELIVERIES_PAUSED, _PAUSED_AGAIN)

    async def _safe_room(self) -> RoomId:
        """Return a room that is safe at this moment; else tell the person in one that will be, and wait for them."""
        person = await self._parts.database.read(lambda tx: people.get(tx, self._case.person))
        newest = person.room_id if person else None
        never = await self._parts.database.read(staff_rooms.ever)
        room_id = await find(self._parts.matrix, self._case.person, self._case.room_id, newest, never=never)
        if room_id is not None:
            return room_id
        _logger.warning("delivery.room_not_safe", case_id=self._case.id)
        await self._parts.database.write(lambda tx: self._tell(tx, "delivery_waits"))
        raise Unavailable(ROOM_NOT_SAFE, _ASK_AGAIN)

    async def _tell(self, tx: Tx, template: str) -> None:
        """Say something to the person, once for this case."""
        reply, now = Reply(template, {"reference": self._case.reference}), self._parts.clock.now()
        address = Address(self._case.person)
        await post(tx, self._parts.renderer, now, address, reply, key(template, self._case.id))

    async def _row(self, number: int) -> VolumeRow | None:
        rows = await self._parts.database.read(lambda tx: volumes.of_case(tx, self._case.id))
        return next((row for row in rows if row.number == number), None)
