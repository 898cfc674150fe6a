"""Attaching: files that staff have added to an export go from the staff room into the spool, one a step."""

from collections.abc import Sequence

from dpobot.archive.messages import safe
from dpobot.archive.spool import Added, Spool, disk
from dpobot.engine.api import StepResult, Steps
from dpobot.errors import Gone, Rejected
from dpobot.jobs.parts import Parts
from dpobot.jobs.progress import Tally
from dpobot.model.records import Case
from dpobot.store import files
from dpobot.store.files import CaseFile, Purpose

_LONGEST_NAME = 200  # characters, as the manifest has it; the file's own name is made by `archive.layout`


class Attaching:
    """Downloads what was attached; a spool that was lost is filled again, as with everything else."""

    def __init__(self, parts: Parts, case: Case, spool: Spool, steps: Steps) -> None:
        self._parts = parts
        self._case = case
        self._spool = spool
        self._steps = steps
        self._generation = spool.generation()

    async def all(self, tally: Tally) -> None:
        """Download all that is attached by now; finished steps are not done again."""
        offset = 0
        for number, file in enumerate(await attached(self._parts, self._case), 1):
            name = f"{self._generation}:added:{number}:{file.id}"
            fresh = self._steps.done(name) is None
            result = await self._steps.step(
                name,
                lambda file=file, number=number, offset=offset: self._download(file, number, offset),  # type: ignore[misc] # bound per turn
            )
            offset = result["offset"]
            tally.steps_total += 1
            tally.step(fresh=fresh)
            tally.size += result["size"]

    async def _download(self, file: CaseFile, number: int, offset: int) -> StepResult:
        missing = await self._fetch(file, number)
        added = Added(number, safe(file.file.name, _LONGEST_NAME), safe(file.file.media_type, 100), 0, None, missing)
        appended, noted = self._spool.add(added, offset)
        return {"offset": appended.offset, "size": noted.size}

    async def _fetch(self, file: CaseFile, number: int) -> str | None:
        """Fetch the bytes; return why they can't be had, None if they are there."""
        target = self._spool.added_path(number)
        draft = target.with_name(f"{number}.draft")
        try:
            with disk():
                await self._parts.matrix.download_encrypted(file.file.file, draft)
            draft.replace(target)
        except Gone:
            return "gone"
        except Rejected as refusal:
            if refusal.status == 401:
                raise  # that is about our token, not about this file
            return "altered" if refusal.code == "bad_hash" else "refused"
        finally:
            draft.unlink(missing_ok=True)
        return None


async def attached(parts: Parts, case: Case) -> Sequence[CaseFile]:
    """Return the files that belong into a case's archive, oldest first."""
    return await parts.database.read(lambda tx: files.of_case(tx, case.id, Purpose.ARCHIVE))
