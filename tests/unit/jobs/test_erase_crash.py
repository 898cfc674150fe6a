"""A crash after any step of an erasure, before the step could be noted, changes nothing of how it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dpobot.engine.api import JobRun, Postponed, StepResult
from dpobot.engine.journal import Journal
from dpobot.errors import Unavailable
from dpobot.jobs.erase import Erase
from dpobot.jobs.outcome import Outcome
from dpobot.jobs.verify_erasure import VerifyErasure
from dpobot.model.ids import Mxc, RoomId, UserId
from dpobot.model.records import Case, Job
from dpobot.model.words import CaseState, JobState, Kind
from dpobot.store import erasures, jobs, people, receipts, safeguards
from dpobot.store.database import Tx
from dpobot.store.safeguards import Safeguard
from tests.unit.jobs.conftest import World
from tests.unit.jobs.erasures import ALL, BERT, read

_LONGEST = 200  # steps; there are fewer
_TOKEN = "run"


@dataclass
class Power:
    """Fails once, after ``left`` steps were done; ``names`` are those that were done, also if that was never noted."""

    left: int | None
    names: list[str] = field(default_factory=list)


class CutOff(Journal):
    """A journal that loses power between a step and the note that it is done."""

    power: Power

    async def _checkpoint(self, name: str, result: StepResult, progress: Mapping[str, Any] | None) -> None:
        self.power.names.append(name)
        if self.power.left is not None and len(self.power.names) > self.power.left:
            self.power.left = None
            raise Unavailable("no_power")
        await super()._checkpoint(name, result, progress)


@dataclass
class Somebody:
    """One person with an approved erasure, and what they have."""

    world: World
    name: UserId
    case: Case
    job: Job
    rooms: list[RoomId]
    media: list[Mxc]

    @classmethod
    async def arrive(cls, world: World, number: int) -> "Somebody":
        """Let somebody have a room with Bert, one of their own, one that they left, and a room with the bot."""
        person, home = world.homeserver.add_account(UserId(f"@person{number}:dpobot.test")), world.homeserver
        direct = world.server.room(person, world.parts.matrix.user_id)
        world.server.join(direct, world.parts.matrix.user_id)
        rooms = [RoomId(f"!{kind}{number}:dpobot.test") for kind in ("group", "sole", "left")] + [direct]
        for room_id in rooms:
            home.add_room(room_id)
            home.set_membership(room_id, person, "join")
            home.say(room_id, person, "words")
        for room_id, other in ((rooms[0], BERT), (rooms[2], BERT), (direct, world.parts.matrix.user_id)):
            home.set_membership(room_id, other, "join")
        home.send(rooms[0], person, {"topic": "a topic"}, "m.room.topic", state_key="")
        home.set_membership(rooms[2], person, "leave")
        media = [home.upload(person, b"1"), home.upload(person, b"2")]
        home.hold("devices", person, {"device_id": "A"})
        case = await world.case(CaseState.APPROVED, kind=Kind.ERASURE, person=person, room_id=direct)
        job = await world.database.write(lambda tx: _approved(tx, world, case))
        return cls(world, person, case, job, rooms, media)

    async def be_erased(self, crash: int | None) -> list[str]:
        """Run the job until it ends, beginning it again after the crash; return the steps that were done."""
        power = Power(crash)
        for _ in range(20):
            try:
                await Erase(self.world.parts)(JobRun(self.job, await self._journal(self.job, power)))
            except (Unavailable, Postponed):
                await self.world.outbox.drain()
            else:
                break
        await self._end(self.job)
        verification = await self._verification()
        await VerifyErasure(self.world.parts)(JobRun(verification, await self._journal(verification, Power(None))))
        return power.names

    async def _journal(self, job: Job, power: Power) -> Journal:
        journal = await CutOff.open(self.world.database, self.world.parts.clock, job.id, _TOKEN)
        assert isinstance(journal, CutOff)
        journal.power = power
        return journal

    async def _end(self, job: Job) -> None:
        outcome = Outcome(self.world.parts)
        await self.world.database.write(lambda tx: outcome.end(tx, job, JobState.DONE))
        await self.world.database.write(
            lambda tx: jobs.finish(tx, job.id, _TOKEN, JobState.DONE, None, self.world.server.now)
        )

    async def _verification(self) -> Job:
        wanted = await self.world.database.read(lambda tx: jobs.of_case(tx, self.case.id))
        found = [job for job in wanted if job.name == "verify_erasure"]
        assert len(found) == 1
        return await self.world.database.write(lambda tx: _run(tx, self.world, found[0].id, "verify_erasure"))

    async def end_state(self) -> dict[str, Any]:
        """Return all that must be the same, however it came about, without names."""
        home, known = self.world.homeserver, await read(self.world, self.case)
        receipt = await self.world.database.read(lambda tx: receipts.of_case(tx, self.case.id))
        group = [event for event in home.rooms_held[self.rooms[0]].events if event["sender"] == self.name]
        return {
            "state": (await self.world.read(self.case)).state,
            "counts": dict(known.counts),
            "residuals": known.residuals,
            "signed": receipt is not None and receipt.document is not None,
            "redactions": sum(event["type"] == "m.room.redaction" for event in group),
            "content": [event["content"].get("body") for event in group],
            "there": [room_id in home.rooms_held for room_id in self.rooms],
            "files": [url in home._media for url in self.media],
            "erased": home.accounts[self.name].erased,
            "last words": sum("begins now" in text for text in self.world.said(self.rooms[3])),
        }


async def _approved(tx: Tx, world: World, case: Case) -> Job:
    now = world.server.now
    await people.ensure(tx, case.person, now)
    await people.set_room(tx, case.person, case.room_id or RoomId(""))
    await erasures.put(tx, case.id, ALL)
    await erasures.change(tx, case.id, cooled_off_at=now, plan={}, plan_hash="0" * 64, confirmed_at=now)
    job_id = await jobs.want(tx, case_id=case.id, name="erase", person=case.person, wake_at=now, now=now)
    return await _run(tx, world, job_id, "erase")


async def _run(tx: Tx, world: World, job_id: int, name: str) -> Job:
    job = await jobs.admit(tx, job_id, name=name, run_token=_TOKEN, at_once=_LONGEST, now=world.server.now)
    assert job is not None
    return job


async def test_a_crash_after_any_step_ends_in_the_same_state(world: World) -> None:
    """Same rooms, same counts, same receipt, the last words once; no redaction is sent twice."""
    await world.engine.stop()
    await _no_cap(world)
    undisturbed = await Somebody.arrive(world, 0)
    names = await undisturbed.be_erased(None)
    expected = await undisturbed.end_state()
    assert (expected["state"], expected["redactions"], expected["last words"]) == (CaseState.CLOSED, 2, 1)
    for number in range(len(names)):
        somebody = await Somebody.arrive(world, number + 1)
        done = await somebody.be_erased(number)
        assert await somebody.end_state() == expected, names[number]
        assert len(done) <= len(names) + 1  # none but the one that was not noted is done twice


async def _no_cap(world: World) -> None:
    """Let as many begin as this needs."""
    await world.database.write(lambda tx: safeguards.write(tx, [Safeguard("daily_cap", _LONGEST)]))
