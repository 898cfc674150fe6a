"""A staff desk on a real database, members of staff who talk to it, and cases in whose threads they do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from dpobot.audit import access, trail
from dpobot.cases import erasure, queries, service
from dpobot.cases.service import Rules
from dpobot.commands.spec import Outcome, StaffRules
from dpobot.commands.staff_desk import StaffDesk, staff_refused
from dpobot.commands.staff_registry import StaffRegistry, discover_staff
from dpobot.delivery.messages import Address, key, post
from dpobot.errors import Refusal
from dpobot.inbox.choices import offer
from dpobot.model.erasure import Copy, ErasureOptions, ErasureRoom, Survey
from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.model.records import Case, IncomingKind, Reply, StaffMessage, ToPerson
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import case_messages, erasure_rooms, erasures, jobs, staff_threads
from dpobot.store.case_messages import Direction
from dpobot.store.database import Database, Tx
from dpobot.text import notice
from dpobot.text.render import Renderer, templates_folder
from tests.unit.text.samples import GLOBALS, OPERATOR

T = TypeVar("T")
ADA = UserId("@ada:example.org")
DORA = UserId("@dora:example.org")
EMIL = UserId("@emil:example.org")
ROOM = RoomId("!staff:example.org")
OPTIONS = ErasureOptions(redact=True, copy=Copy.WAIVED)
SURVEY = Survey(
    messages=2_345, state=12, state_kept=7, shared_rooms=8, left_rooms=2, sole_rooms=1, direct_rooms=0, media=9,
    media_bytes=4_200_000, media_private=3, devices=2, addresses=1, account_data=5, sso_links=0,
    servers=("elsewhere.example", "remote.example"),
)  # fmt: skip
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RENDERER = Renderer(templates_folder(), GLOBALS)


@dataclass
class Office:
    """What the members of staff share: the database, the desk, the clock, and the cases."""

    database: Database
    desk: StaffDesk
    now: datetime = START
    opened: int = 0

    async def opens(
        self,
        kind: Kind = Kind.COMPLAINT,
        *,
        person: UserId = ADA,
        trust: Trust = Trust.SIGNED,
        channel: Channel = Channel.MATRIX,
    ) -> Case:
        """Let a person ask for something; the case has its card."""
        self.opened += 1
        opening = service.Opening(
            person=person, kind=kind, channel=channel, trust=trust, local=True, room_id=None,
            event_id=EventId(f"$opened-{self.opened}"), options={}, received_at=self.now,
        )  # fmt: skip
        opened = await self.database.write(lambda tx: service.open_case(tx, self.now, opening, Rules()))
        await self.database.write(lambda tx: _card(tx, opened.case))
        return opened.case

    async def plans(self, case: Case, survey: Survey = SURVEY) -> Case:
        """Let a survey of an erasure come to its end."""

        async def note(tx: Tx) -> None:
            known = await erasures.get(tx, case.id)
            assert known is not None
            newest = await self._newest(tx, case)
            await erasure.planned(tx, self.now, newest, erasure.plan_of(case.person, known.options, survey))

        await self.database.write(note)
        return await self.case(case)

    async def confirmed(self, person: UserId = ADA, options: ErasureOptions = OPTIONS) -> Case:
        """Return an erasure whose person has typed the code under its plan: it waits for staff."""
        case = await self.opens(Kind.ERASURE, person=person)
        await self.write(lambda tx: erasure.begin(tx, self.now, case, options, survey_after=None))
        await self.plans(case)
        known = await self.read(lambda tx: erasures.get(tx, case.id))
        assert known is not None
        hash_ = known.plan_hash or ""
        await self.write(lambda tx: erasure.confirm(tx, self.now, case, hash_))
        return await self.plans(case)

    async def stopped_short(self, case: Case, *rooms: ErasureRoom, **failures: str) -> Case:
        """Let an approved erasure begin, and fail in part."""
        await self.moves(case, CaseState.WORKING)
        await self.write(lambda tx: erasures.change(tx, case.id, begun_at=self.now))
        await self.write(lambda tx: erasure_rooms.add_all(tx, case.id, rooms))
        await self.write(lambda tx: erasure.stopped_short(tx, self.now, case, failures))
        await self.write(lambda tx: jobs.supersede(tx, case.id, "erase", self.now))  # its job has ended
        return await self.case(case)

    async def _newest(self, tx: Tx, case: Case) -> Case:
        found = await queries.by_id(tx, case.id)
        assert found is not None
        return found

    async def moves(self, case: Case, *states: CaseState) -> Case:
        """Bring a case somewhere, as jobs do."""
        for state in states:
            newest = await self.case(case)
            await self.database.write(
                lambda tx, newest=newest, state=state: service.move(tx, self.now, newest, state, "bot", "case.moved")  # type: ignore[misc] # defaults of a lambda
            )
        return await self.case(case)

    def waits(self, time: timedelta) -> None:
        """Let time pass."""
        self.now += time

    async def case(self, case: Case) -> Case:
        """Return a case as it is now."""
        found = await self.database.read(lambda tx: queries.by_id(tx, case.id))
        assert found is not None
        return found

    async def words(self, case: Case, direction: Direction) -> list[str]:
        """Return what was written into a case."""
        found = await self.database.read(lambda tx: case_messages.of_case(tx, case.id, direction))
        return [message.text for message in found]

    async def actions(self, case: Case) -> list[str]:
        """Return what the trail says was done to a case; who looked at it is `looks`."""
        rows = await self.database.read(lambda tx: trail.of_case(tx, case.id))
        return [row.action for row in rows if row.action != access.CASE]

    async def looks(self, case: Case) -> list[tuple[str | None, str]]:
        """Return who was shown what of a case."""
        rows = await self.database.read(lambda tx: trail.of_case(tx, case.id))
        return [(row.actor, row.detail["what"]) for row in rows if row.action == access.CASE]

    async def read(self, fn: Callable[[Tx], Awaitable[T]]) -> T:
        """Look something up."""
        return await self.database.read(fn)

    async def write(self, fn: Callable[[Tx], Awaitable[T]]) -> T:
        """Change something."""
        return await self.database.write(fn)


@dataclass
class Member:
    """Says things in the staff room, as its inbox hands them over; every answer is rendered, so that it can be sent."""

    office: Office
    user_id: UserId = DORA
    staff: frozenset[UserId] = frozenset({DORA, EMIL})
    said: int = 0
    heard: list[str] = field(default_factory=list)

    async def says(self, body: str, case: Case | None = None, **changes: Any) -> Sequence[Outcome]:
        """Say something in the thread of a case, or in the main time line; a refusal is an answer like others."""
        self.said += 1
        message = StaffMessage(
            event_id=EventId(f"$said-{self.user_id}-{self.said}"),
            room_id=ROOM,
            sender=self.user_id,
            kind=IncomingKind.TEXT,
            body=body,
            received_at=self.office.now,
            case_id=case.id if case else None,
            content={"msgtype": "m.text", "body": body},
            staff=self.staff,
        )
        return await self._hands_in(replace(message, **changes))

    async def _hands_in(self, message: StaffMessage) -> Sequence[Outcome]:
        try:
            outcomes = await self.office.database.write(lambda tx: self._serve(tx, message))
        except Refusal as refusal:
            outcomes = [staff_refused(refusal)]
        for outcome in outcomes:
            self.heard.append(text_of(outcome))
        return outcomes

    async def _serve(self, tx: Tx, message: StaffMessage) -> Sequence[Outcome]:
        now = self.office.now
        outcomes = await self.office.desk.serve(tx, now, message)
        for number, outcome in enumerate(outcomes):
            if isinstance(outcome, ToPerson):
                message_key = key("to_person", message.event_id, number)
                to = Address(outcome.case.person)
                late = now + outcome.delay
                await post(tx, RENDERER, now, to, outcome.reply, message_key, not_before=late, files=outcome.files)
            else:
                await offer(tx, now, message.sender, ROOM, f"{message.event_id}-{number}", outcome.choices)
        return outcomes

    async def hears(self, body: str, case: Case | None = None, **changes: Any) -> list[str]:
        """Say something and return the templates of the answers; ``user/`` those that go to the person."""
        return [_template(outcome) for outcome in await self.says(body, case, **changes)]

    async def reacts(self, key_: str, case: Case, **changes: Any) -> list[str]:
        """React to a case's card."""
        relation = {"rel_type": "m.annotation", "event_id": card_of(case), "key": key_}
        content = {"m.relates_to": relation}
        return await self.hears("", None, **{"kind": IncomingKind.REACTION, "content": content, **changes})

    async def code_of(self, body: str, case: Case | None = None) -> str:
        """Ask for something that takes a code and return it."""
        (reply,) = await self.says(body, case)
        assert isinstance(reply, Reply)
        assert reply.template.startswith("staff/confirm_"), text_of(reply)
        return str(reply.values["code"])


def text_of(outcome: Outcome) -> str:
    """Return what an answer reads like."""
    reply = outcome.reply if isinstance(outcome, ToPerson) else outcome
    return str(RENDERER.message(reply, "en")["body"])


def values_of(outcome: Outcome) -> Mapping[str, Any]:
    """Return an answer's values."""
    return (outcome.reply if isinstance(outcome, ToPerson) else outcome).values


def card_of(case: Case) -> EventId:
    """Return the event that a case's card is."""
    return EventId(f"$card-{case.id}")


def _template(outcome: Outcome) -> str:
    return f"user/{outcome.reply.template}" if isinstance(outcome, ToPerson) else outcome.template


async def _card(tx: Tx, case: Case) -> None:
    await staff_threads.touch(tx, case.id)
    await staff_threads.noted(tx, case.id, ROOM, card_of(case))


@pytest.fixture(scope="session")
def staff_registry() -> StaffRegistry:
    """All commands of the staff room."""
    return discover_staff()


@pytest.fixture(scope="session")
def staff_desk(staff_registry: StaffRegistry) -> StaffDesk:
    """A desk where erasure takes two approvals."""
    staff_rules = StaffRules(second_approver=frozenset({Kind.ERASURE}), server="example.org")
    return StaffDesk(staff_registry, Rules(), staff_rules, notice.load(templates_folder() / "notice", OPERATOR))


@pytest.fixture(scope="session")
def staff_desk_of_one(staff_registry: StaffRegistry) -> StaffDesk:
    """A desk where one approval is enough."""
    staff_rules = StaffRules(server="example.org")
    return StaffDesk(staff_registry, Rules(), staff_rules, notice.load(templates_folder() / "notice", OPERATOR))


@pytest.fixture
def office(sqlite_database: Database, staff_desk: StaffDesk) -> Office:
    """The staff room."""
    return Office(sqlite_database, staff_desk)


@pytest.fixture
def dora(office: Office) -> Member:
    """A member of staff."""
    return Member(office)


@pytest.fixture
def emil(office: Office) -> Member:
    """Another member of staff."""
    return Member(office, EMIL)
