"""The job `copies` (Art. 15(1)(c) GDPR): who got what the person sent, answered in their room.

Of each room only counts, times and names of servers and services are kept while it runs, never an event.
"""

from collections.abc import Mapping
from typing import Any

from dpobot.archive import recipients, recipients_csv
from dpobot.archive.spool import Room, Spool
from dpobot.delivery.messages import Address, key, post
from dpobot.engine.api import JobRun, StepResult, Steps
from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.api import EventPage, RoomCompany
from dpobot.jobs.generation import claimed
from dpobot.jobs.hearers import Hearers
from dpobot.jobs.parts import Parts
from dpobot.jobs.progress import Tally
from dpobot.jobs.received import Note, refused_note, room_note
from dpobot.jobs.receivers import Receivers, company_of, take_in
from dpobot.jobs.restrict import working
from dpobot.model.ids import RoomId
from dpobot.model.records import Attachment, Case, Reply
from dpobot.store.database import Tx

_SHOWN = 10  # of each kind; the file that goes with the answer has all
_PAGE = 1000
_ANSWERED = "answered"
_NOBODY = RoomCompany((), (), whole=True)  # of a room that the person sent nothing to


class Copies:
    """Finds out who received what the person of one case sent, and says it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, run: JobRun) -> None:
        """Carry the job out. What it raises says how it ends (`engine.outcome`)."""
        case = await self._parts.database.write(lambda tx: working(tx, self._parts, run, "copies.started"))
        spool = await claimed(self._parts.spool_of(run.job.id), run.steps)
        if run.steps.done(_ANSWERED) is None:
            tally = Tally(self._parts.clock.now())
            await RoomByRoom(self._parts, spool, run.steps, case).all(tally)
            await run.steps.step(_ANSWERED, lambda: self._answer(case, spool), tally.progress().to_json())
        await run.steps.step("spool removed", lambda: _remove(spool))

    async def _answer(self, case: Case, spool: Spool) -> StepResult:
        found = recipients.kept(spool)
        if found is None:
            raise Unavailable("spool_lost")
        await self._parts.database.write(lambda tx: self._post(tx, case, found))
        return {"count": len(found["servers"])}

    async def _post(self, tx: Tx, case: Case, found: Mapping[str, Any]) -> None:
        """Say it where the person is now, once: without a room the outbox finds or makes a safe one."""
        reply = answer(case.reference, found)
        await post(
            tx, self._parts.renderer, self._parts.clock.now(), Address(case.person), reply, key("copies", case.id)
        )


class RoomByRoom(Receivers):
    """Finds out the same as `Receivers`, without a spool of events: they are read from the server and forgotten."""

    def __init__(self, parts: Parts, spool: Spool, steps: Steps, case: Case) -> None:
        super().__init__(parts.homeserver, spool, steps, case.person)

    async def all(self, tally: Tally) -> None:
        """Find the rooms, then ask for each; finished steps are not done again. Raises as `Homeserver` does."""
        await self._steps.step(f"{self._generation}:rooms", self._find, tally.progress().to_json())
        await super().all(tally)

    async def _find(self) -> StepResult:
        found = await self._homeserver.rooms(self._person)
        rooms = [Room(number, seen.room_id, None, seen.membership) for number, seen in enumerate(found.rooms, start=1)]
        self._spool.rooms(rooms)
        return {"count": len(rooms)}

    def _sent_to(self, room: Room) -> bool:
        return True  # nobody knows before asking

    async def _heard(self, room: Room) -> Note:
        room_id = RoomId(room.room_id)
        try:
            page = await self._homeserver.own_events(room_id, self._person, None, _PAGE)
            company = await company_of(self._homeserver, room_id, self._person) if page.events else _NOBODY
            return await self._counted(room_id, page, company) if isinstance(company, RoomCompany) else company
        except Rejected as refusal:
            if refusal.status in (401, 403):
                raise  # that is about our token, not about this room
            return refused_note(refusal.code)

    async def _counted(self, room_id: RoomId, page: EventPage, company: RoomCompany) -> Note:
        hearers = Hearers(company)
        take_in(hearers, page.events)
        while page.next is not None:
            page = await self._homeserver.own_events(room_id, self._person, page.next, _PAGE)
            take_in(hearers, page.events)
        return room_note(hearers, company)


def answer(reference: str, found: Mapping[str, Any]) -> Reply:
    """Return what the person reads: the servers that got most, how many more there are, and a file with all."""
    others = [row for row in found["servers"] if not row["own"]]
    heard = [row for row in others if not row["later"]]
    values = {
        "reference": reference,
        "events": found["events"],
        "rooms": found["rooms"],
        "servers": [{"name": row["server"], "events": row["events"], "rooms": row["rooms"]} for row in heard[:_SHOWN]],
        "more": max(len(heard) - _SHOWN, 0),
        "later": len(others) - len(heard),
        "services": [
            {name: row[name] for name in ("user_id", "kind", "network")} for row in found["services"][:_SHOWN]
        ],
        "more_services": max(len(found["services"]) - _SHOWN, 0),
        "push": [{"host": row["host"], "app": row["app"]} for row in found["push"][:_SHOWN]],
        "identity": [row["host"] for row in found["identity"][:_SHOWN]],
        "incomplete": sum(found["incomplete"].values()),
    }
    file = Attachment(f"copies-{reference}.csv", "text/csv", recipients_csv.table(found))
    return Reply("copies", values, attachment=file)


async def _remove(spool: Spool) -> StepResult:
    spool.remove()
    return {}
