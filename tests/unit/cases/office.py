"""A person, two members of staff, and cases of any kind on a real database."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from dpobot.audit import trail
from dpobot.cases import erasure, service
from dpobot.cases.service import Opening, Rules
from dpobot.model.erasure import Copy, ErasureOptions, Survey
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.model.records import Case, EncryptedFile, FileRef
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import cases, erasures, jobs, staff_threads
from dpobot.store.database import Database, Tx
from dpobot.store.erasures import Erasure

T = TypeVar("T")

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANNA, BORIS = UserId("@anna:x"), UserId("@boris:x")
VERA, WIM = UserId("@vera:x"), UserId("@wim:x")  # staff
RULES = Rules(frozenset(), "uk", "GB")
FILE = FileRef("my passport.png", "image/png", EncryptedFile(Mxc("mxc://x/1"), {"k": "secret-key"}, "iv", {}, 7))
OPTIONS = ErasureOptions(redact=True, copy=Copy.DELIVERED)
SURVEY = Survey(7, 2, 1, 3, 1, 1, 0, 4, 1000, 1, 2, 1, 5, 0, ("a.org", "b.org"))
_numbers = count(1)


def after(**span: float) -> datetime:
    """Return a moment after `NOW`."""
    return NOW + timedelta(**span)


def asked(kind: Kind = Kind.RECTIFICATION, **other: Any) -> Opening:
    """Return a request of Anna's verified device, by a message of its own."""
    opening = Opening(
        person=ANNA,
        kind=kind,
        channel=Channel.MATRIX,
        trust=Trust.SIGNED,
        local=True,
        room_id=RoomId("!r:x"),
        event_id=EventId(f"$asked{next(_numbers)}"),
        options={},
        received_at=NOW,
    )
    return replace(opening, **other)


async def begin(tx: Tx, now: datetime, case: Case, options: ErasureOptions = OPTIONS, **other: Any) -> Case:
    """Begin an erasure whose survey needs to wait for nothing."""
    return await erasure.begin(tx, now, case, options, **{"survey_after": None, **other})


def plan_for(options: ErasureOptions = OPTIONS, survey: Survey = SURVEY, person: UserId = ANNA) -> dict[str, Any]:
    """Return the plan of an erasure."""
    return erasure.plan_of(person, options, survey)


@dataclass
class Office:
    """Opens cases, moves them, and looks at what became of them."""

    database: Database
    rules: Rules = field(default_factory=lambda: RULES)

    async def open(self, kind: Kind = Kind.RECTIFICATION, **other: Any) -> Case:
        """Open a case; nobody has looked at it yet."""
        opening = asked(kind, **other)
        return (await self.database.write(lambda tx: service.open_case(tx, NOW, opening, self.rules))).case

    async def asked_to_erase(self, options: ErasureOptions = OPTIONS, **other: Any) -> Case:
        """Return an erasure whose person has seen the plan, and has not typed its code yet."""
        case = await self.open(Kind.ERASURE, **other)
        case = await self.do(begin, case, options)
        await self.do(erasure.planned, case, plan_for(options, person=case.person))
        return await self.now(case)

    async def confirmed(self, options: ErasureOptions = OPTIONS, **other: Any) -> Case:
        """Return an erasure that its person has confirmed, and that waits for staff."""
        case = await self.asked_to_erase(options, **other)
        plan = plan_for(options, person=case.person)
        await self.do(erasure.confirm, case, erasure.plan_hash(plan))
        await self.do(erasure.planned, case, plan)
        return await self.now(case)

    async def working(self, **other: Any) -> Case:
        """Return an erasure whose cooling-off is over, and whose job runs."""
        case = await self.confirmed(**other)
        await self.database.write(lambda tx: erasures.change(tx, case.id, cooled_off_at=NOW))
        return await self.to(case, CaseState.APPROVED, CaseState.WORKING)

    async def erasure(self, case: Case) -> Erasure:
        """Return what is known of a case's erasure."""
        found = await self.ask(erasures.get, case.id)
        assert found is not None
        return found

    async def do(self, decision: Callable[..., Awaitable[T]], *arguments: Any, now: datetime = NOW) -> T:
        """Run ``decision(tx, now, *arguments)``."""
        return await self.database.write(lambda tx: decision(tx, now, *arguments))

    async def ask(self, question: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Run ``question(tx, *arguments)`` in a reading transaction."""
        return await self.database.read(lambda tx: question(tx, *arguments))

    async def to(self, case: Case, *states: CaseState) -> Case:
        """Move a case along the table of moves."""
        for state in states:
            case = await self.do(service.move, case, state, "bot", "case.moved")
        return case

    async def set(self, case: Case, **values: Any) -> Case:
        """Change columns of a case directly."""
        await self.database.write(lambda tx: cases.update(tx, case, values))
        return await self.now(case)

    async def now(self, case: Case) -> Case:
        """Return the case as it is."""
        return await self.ask(cases.get, case.id)

    async def actions(self, case: Case) -> list[str]:
        """Return the names of what happened to a case."""
        return [row.action for row in await self.ask(trail.of_case, case.id)]

    async def jobs(self, case: Case) -> list[tuple[str, str]]:
        """Return names and states of a case's jobs."""
        return [(job.name, job.state.value) for job in await self.ask(jobs.of_case, case.id)]

    async def card_is_new(self, case: Case) -> bool:
        """Say whether the card has to be written anew since the last call; then it counts as written."""

        async def look(tx: Tx) -> bool:
            thread = await staff_threads.get(tx, case.id)
            await staff_threads.shown(tx, case.id, 0, NOW)
            return thread is not None and thread.changed

        return await self.database.write(look)
