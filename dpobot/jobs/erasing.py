"""The irreversible part of an erasure, in the order in which it works (facts: homeserver.md 2.6).

While the account lives it can still redact and delete; so whatever has failed stops it before the deactivation.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from dpobot.audit import trail
from dpobot.cases import queries
from dpobot.engine.api import Hold, JobRun, Postponed, StepResult
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs.counting import Counted, Counting
from dpobot.jobs.erasing_rooms import ErasingRooms
from dpobot.jobs.farewell import Farewell
from dpobot.jobs.holdings import Holdings
from dpobot.jobs.parts import Parts
from dpobot.jobs.private_media import look_through
from dpobot.model.erasure import Fate
from dpobot.model.ids import Mxc
from dpobot.model.records import Case
from dpobot.store import erasure_rooms, erasures, jobs
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure

ERASED = "erased"  # the step after which nothing is left to do
STOPPED = "stopped"  # the step that notes what failed, where it stops short
SAMPLE = "sample"  # files that `verify_erasure` asks for at their addresses
NOT_EXHAUSTED = "not_exhausted"
_SAMPLE_SIZE = 20
_ROUNDS = 5  # through all rooms; the first redacts, the next finds nothing new unless somebody goes on writing
_MOST_BATCHES = 10_000  # of files: far beyond any account, so that a server that deletes nothing doesn't keep us
_ASK_AGAIN = 2.0  # seconds
_MANY = 100_000  # rooms of one account

Work = Callable[[], Awaitable[int]]


class Erasing:
    """Erases one person's data in steps; `Hold` if a legal hold comes in between."""

    def __init__(self, parts: Parts, run: JobRun, case: Case, known: Erasure) -> None:
        self._parts = parts
        self._run = run
        self._steps = run.steps
        self._case = case
        self._person = case.person
        self._known = known
        self._options = known.options
        self._rooms = ErasingRooms(parts, run.steps, case, known.options)
        self._failures: dict[str, str] = {}

    async def all(self) -> None:
        """Do everything that is not done yet; `STOPPED` or `ERASED` is the last step."""
        account = await self._parts.homeserver.account(self._person)
        alive = account is not None and not account.deactivated
        await self._must("prepare", lambda: self._parts.changes.prepare_erasure(self._person))
        private = await self._look()
        await self._round(0)
        await self._try("media", lambda: self._media(private))
        await self._try("links", lambda: self._parts.changes.delete_links(self._person))
        await self._try("profile", self._profile)
        if alive:
            await self._until_quiet()
        if await self._failed() and alive and not self._known.skip:
            await self._steps.step(STOPPED, self._stop)
            return
        await self._try("deactivate", self._deactivate)
        if "deactivate" in self._failures:
            await self._steps.step(STOPPED, self._stop)
            return
        await self._must("parting", self._part)
        await Farewell(self._parts, self._run, self._case, self._rooms).all()
        await self._steps.step(ERASED, self._end)

    # before

    async def _look(self) -> Sequence[Mxc]:
        """Find the rooms and note how much there is, once for the case; return the files that only they could see."""
        counted = await self._discover(0)
        if self._known.counts:  # an earlier job has counted, and what it has redacted names its files no more
            return await self._parts.database.read(self._private_noted)
        uploads = await look_through(self._parts.homeserver, self._steps, self._person, counted.named)
        ours = [room.room_id for room in counted.of(Fate.OURS)]
        account = await Holdings(self._parts, self._steps, self._person, self._options).account(ours)
        shared = counted.of(Fate.REDACT)
        counts = {
            "messages": sum(room.messages for room in shared),
            "state": sum(room.state for room in shared),
            "rooms": len(counted.of(Fate.PURGE)) + len(ours),
            "media": uploads.count,
            "media_private": len(uploads.private),
            **account,
        }
        await self._steps.step(SAMPLE, lambda: self._sample(uploads.private))
        await self._steps.step("counted", lambda: self._note_counts(counts))
        return uploads.private

    async def _discover(self, number: int) -> Counted:
        known = await self._parts.database.read(lambda tx: erasure_rooms.of_case(tx, self._case.id, limit=_MANY))
        counting = self._counting(number)
        counted = await counting.rooms([room.room_id for room in known])
        work = [room.work(self._options) for room in counted.rooms]
        await self._steps.step(f"rooms noted:{number}", lambda: self._rooms.add(work))
        return counted

    def _counting(self, number: int) -> Counting:
        return Counting(self._parts, self._steps, self._person, self._options, round_=number)

    async def _note_counts(self, counts: Mapping[str, int]) -> StepResult:
        await self._parts.database.write(lambda tx: erasures.change(tx, self._case.id, counts=counts))
        return {}

    async def _sample(self, private: Sequence[Mxc]) -> StepResult:
        """Note some of the files that go, so that somebody else can see that their bytes are gone."""
        if not self._options.media:
            return {"media": list(private[:_SAMPLE_SIZE])}
        page = await self._parts.homeserver.media(self._person, limit=_SAMPLE_SIZE)
        return {"media": [item.url for item in page.items]}

    async def _private_noted(self, tx: Tx) -> tuple[Mxc, ...]:
        found: list[Mxc] = []
        for job in await jobs.of_case(tx, self._case.id):
            if job.name == self._run.job.name:
                for name, result in (await jobs.steps_of(tx, job.id)).items():
                    found += result["private"] if name.startswith("media:") else ()
        return tuple(found)

    # rooms

    async def _round(self, number: int) -> int:
        """Go through all rooms once; return how much there was to do."""
        await self._unless_held()
        joined = self._counting(number).joined()
        changed = await self._rooms.redact(number, joined)
        return changed + await self._rooms.purge()

    async def _until_quiet(self) -> None:
        """Go through all rooms again until a whole round finds nothing: somebody may go on writing meanwhile."""
        for number in range(1, _ROUNDS):
            await self._unless_held()
            counted = await self._discover(number)
            new = [room for room in counted.rooms if room.fate is not Fate.NOTHING]
            if not await self._round(number) and not new:
                return
        self._failures["rooms"] = NOT_EXHAUSTED

    # the account

    async def _media(self, private: Sequence[Mxc]) -> int:
        if not self._options.media:
            return sum([await self._parts.homeserver.delete_media(url) for url in private])
        total = 0
        for _ in range(_MOST_BATCHES):
            count = await self._parts.changes.delete_all_media(self._person)
            if not count:
                return total
            total += count
        raise Rejected(NOT_EXHAUSTED)

    async def _profile(self) -> int:
        await self._parts.changes.clear_profile(self._person)
        return 0

    async def _deactivate(self) -> int:
        await self._unless_held()
        await self._parts.changes.deactivate(self._person)
        return 0

    async def _part(self) -> None:
        if not await self._parts.changes.finish_erasure(self._person):
            raise Postponed("parting", _ASK_AGAIN)

    # how it goes on

    async def _must(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do what all else depends on. Raises what it raises."""

        async def do() -> StepResult:
            await work()
            return {}

        await self._steps.step(name, do)

    async def _try(self, name: str, work: Work) -> None:
        """Do a part; if the server refuses it for good, that is noted and the others go on."""

        async def do() -> StepResult:
            try:
                return {"count": await work()}
            except Rejected as refusal:
                if refusal.status == 401:  # says something of our token, nothing of this
                    raise Unavailable(refusal.code) from refusal
                return {"failed": refusal.code}

        result = await self._steps.step(name, do)
        if "failed" in result:
            self._failures[name] = result["failed"]

    async def _failed(self) -> bool:
        rooms = await self._parts.database.read(lambda tx: erasure_rooms.counts(tx, self._case.id))
        return bool(self._failures) or rooms.get("failed", 0) > 0

    async def _stop(self) -> StepResult:
        failures = self._failures
        await self._parts.database.write(lambda tx: erasures.change(tx, self._case.id, failures=failures))
        return {"count": len(failures)}

    async def _unless_held(self) -> None:
        if await self._parts.database.read(lambda tx: queries.on_legal_hold(tx, self._person)):
            raise Hold("legal_hold")

    async def _end(self) -> StepResult:
        now = self._parts.clock.now()
        await self._parts.database.write(lambda tx: self._note_end(tx, now))
        return {}

    async def _note_end(self, tx: Tx, now: datetime) -> None:
        known = await erasures.get(tx, self._case.id)
        if known is not None and known.erased_at is None:
            await erasures.change(tx, self._case.id, erased_at=now)
            await trail.record(tx, now, "bot", "erasure.erased", self._case.id)
