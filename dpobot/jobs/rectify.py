"""The job `rectify` (Art. 16 GDPR): display name, picture or e-mail address, as staff have approved it."""

import asyncio
import tempfile
from pathlib import Path

from dpobot.engine.api import Hold, JobRun, StepResult
from dpobot.errors import Rejected
from dpobot.jobs.parts import Parts
from dpobot.jobs.restrict import working
from dpobot.model.records import Case, FileRef
from dpobot.store import files, rectifications
from dpobot.store.database import Tx
from dpobot.store.files import Purpose
from dpobot.store.rectifications import Rectification

NO_PICTURE = "no_picture"  # why a case is held
UNKNOWN_FIELD = "unknown_field"
_LARGEST = 10_000_000  # bytes of a picture
_IMAGE = "image/"


class Rectify:
    """Puts right what a case is about."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, run: JobRun) -> None:
        """Carry the job out. What the homeserver refuses is for staff to look at."""
        case = await self._parts.database.write(lambda tx: working(tx, self._parts, run, "rectification.started"))
        wanted = await self._parts.database.read(lambda tx: rectifications.get(tx, case.id))
        if wanted is None:
            raise Hold(UNKNOWN_FIELD)
        await run.steps.step("rectified", lambda: self._change(case, wanted))

    async def _change(self, case: Case, wanted: Rectification) -> StepResult:
        changes, old, new = self._parts.changes, wanted.values.get("old"), wanted.values.get("new")
        try:
            if wanted.field == "display_name":
                await changes.set_display_name(case.person, new)
            elif wanted.field == "avatar":
                await self._avatar(case, wanted=new is not None)
            elif wanted.field == "email":
                await changes.set_email(case.person, old, new)
            else:
                raise Hold(UNKNOWN_FIELD)
        except Rejected as refusal:
            raise Hold(refusal.code) from refusal
        return {}

    async def _avatar(self, case: Case, *, wanted: bool) -> None:
        if not wanted:
            await self._parts.changes.set_avatar(case.person, None, None)
            return
        picture = await self._parts.database.read(lambda tx: _newest_picture(tx, case.id))
        if picture is None:
            raise Hold(NO_PICTURE)
        await self._parts.changes.set_avatar(case.person, await self._bytes(picture), picture.media_type)

    async def _bytes(self, picture: FileRef) -> bytes:
        """Return a picture decrypted; on disk only while it is being read, in a folder that nobody else may enter."""
        with tempfile.TemporaryDirectory(dir=self._parts.spool) as folder:
            target = Path(folder) / "picture"
            await self._parts.matrix.download_encrypted(picture.file, target, most=_LARGEST)
            return await asyncio.to_thread(target.read_bytes)


async def _newest_picture(tx: Tx, case_id: int) -> FileRef | None:
    sent = await files.of_case(tx, case_id, Purpose.EVIDENCE)
    pictures = [each.file for each in sent if each.file.media_type.startswith(_IMAGE)]
    return pictures[-1] if pictures else None
