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
from dpobot.engine.api import Hold, StepResult, Steps
from dpobot.errors import Rejected, Tripwire, Unavailable
from dpobot.jobs.attaching import attached
from dpobot.jobs.expire import take_back, take_back_link
from dpobot.jobs.linking import Linking
from dpobot.jobs.parts import Parts
from dpobot.jobs.seeing import permits, pseudonyms
from dpobot.jobs.way_out import WayOut, unless_room_changed
from dpobot.model.records import Case, EncryptedFile, ExportOptions
from dpobot.model.words import Scope
from dpobot.store import downloads, volumes
from dpobot.store.database import Tx
from dpobot.store.volumes import VolumeRow

ADDED_LATE = "added_late"  # why an archive is made anew
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
        self._way = WayOut(parts, case)

    async def look_out(self) -> None:
        """Wait at once if all is packed and only the way out is shut: the person need not see us begin each minute."""
        if self._steps.done(self._name("inspect")) is not None:
            await self._way.unless_paused()

    async def all(self, language: str, collected: int) -> None:
        """Pack, inspect and deliver what holds ``collected`` events; finished steps are not done again."""
        await self._steps.step(self._name("take back"), self._take_back)
        packed = await self._steps.step(self._name("package"), lambda: self._package(language))
        files = [self._file(item) for item in packed["files"]]
        await self._steps.step(self._name("inspect"), lambda: self._inspect(files, collected))
        await self._unless_added_to(files[0].number, packed["added"])
        way = await self._steps.step(self._name("way"), lambda: self._choose(len(files)))
        if way["link"]:
            await Linking(self._parts, self._case, self._steps, self._generation).all(files, language)
        else:
            await self._carry(files)

    async def _choose(self, count: int) -> StepResult:
        """Decide once how an archive leaves, whatever the configuration says after a restart."""
        wanted = self._parts.config.download
        return {"link": wanted.url is not None and count > wanted.above_volumes}

    async def _carry(self, files: list[VolumeFile]) -> None:
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
        await take_back_link(self._parts, self._case.id)
        await self._parts.database.write(self._forget)
        return {"count": len(earlier)}

    async def _forget(self, tx: Tx) -> None:
        await volumes.forget(tx, self._case.id)
        await downloads.forget(tx, self._case.id)

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
            pseudonyms=self._options.scope is Scope.VISIBLE and pseudonyms(self._spool),
            sections=self._options.sections,
            since=self._options.since,
            until=self._options.until,
            language=language,
        )

    async def _inspect(self, files: list[VolumeFile], collected: int) -> StepResult:
        paths = [file.path for file in files]
        scope, permitted = self._options.scope, None
        if scope is Scope.VISIBLE:
            permitted = permits(self._spool)
        seen = await asyncio.to_thread(inspect, paths, self._case.person, scope, permitted)
        if seen.events != (0 if self._options.only_statement else collected):
            raise Tripwire("other_count")
        unusual = f"anomaly_{'.'.join(seen.anomalies)}"
        if seen.anomalies and self._case.options.get(ACCEPTED_ANOMALY) != unusual:  # staff have accepted just that
            raise Hold(unusual)
        return {"events": seen.events}

    async def _unless_added_to(self, first: int, added: int) -> None:
        """Begin anew if staff have attached something since the collecting, as long as nothing has left."""
        leaving = (self._name("upload", first), self._name("link"))
        if (
            all(self._steps.done(name) is None for name in leaving)
            and len(await attached(self._parts, self._case)) > added
        ):
            raise Unavailable(ADDED_LATE)

    async def _upload(self, file: VolumeFile) -> StepResult:
        """Upload once: after a crash between upload and note the orphan is ciphertext whose key nobody has."""
        await self._way.unless_paused()
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
        room_id = await self._way.safe_room()
        packet = parcel.Parcel(file.number, file.path.name, file.size, row.file.event_file())
        try:
            event_id = await parcel.send(self._parts.matrix, self._case, room_id, packet)
        except Rejected as refusal:
            raise unless_room_changed(refusal) from refusal
        now = self._parts.clock.now()
        await self._parts.database.write(
            lambda tx: volumes.sent(tx, self._case.id, file.number, room_id, event_id, now)
        )
        return {"event_id": event_id}

    async def _row(self, number: int) -> VolumeRow | None:
        rows = await self._parts.database.read(lambda tx: volumes.of_case(tx, self._case.id))
        return next((row for row in rows if row.number == number), None)
