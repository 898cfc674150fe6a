"""The job `survey`: the dry run of an erasure (Art. 17 GDPR). It counts, makes the plan, and shows it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dpobot.cases import erasure, queries, service
from dpobot.cases.erasure import Planned
from dpobot.delivery.messages import Address, key, post
from dpobot.delivery.rooms import find_or_open
from dpobot.engine.api import Cancelled, JobRun, Postponed, StepResult
from dpobot.jobs import plan_message
from dpobot.jobs.holdings import Holdings
from dpobot.jobs.parts import Parts
from dpobot.model import typed_code
from dpobot.model.erasure import ErasureOptions
from dpobot.model.erasure import Survey as Found
from dpobot.model.ids import EventId, RoomId
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState
from dpobot.store import erasures, people, prompts, staff_rooms
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure

CODE = "erase_code"  # the question to which the typed code is the answer (`commands.erase_codes`)
CHOICE = "choice"  # the question to which a number is (`commands.choices`)
VALID = timedelta(days=7)  # the plan is counted anew when the code comes, so the code may be old
_STATES = frozenset({CaseState.CONFIRMING, CaseState.REVIEW, CaseState.PAUSED})
TOO_NEW = "device_too_new"  # why it waits


class Survey:
    """Counts what the homeserver holds of a case's person, and asks the person, or tells staff."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, run: JobRun) -> None:
        """Carry the job out."""
        case, known = await self._parts.database.read(lambda tx: self._look(tx, run.job.case_id))
        if known.survey_after is not None and known.survey_after > self._parts.clock.now():
            raise Postponed(TOO_NEW, (known.survey_after - self._parts.clock.now()).total_seconds())
        exception = case.options.get(service.EXCEPTIONAL)
        plan = await (self._exceptional(run, case, exception) if exception else self._usual(run, case, known))
        room = await run.steps.step("room", lambda: self._room(case))
        await run.steps.step("plan", lambda: self._show(run, case, plan, RoomId(room["room_id"] or "")))

    async def _look(self, tx: Tx, case_id: int) -> tuple[Case, Erasure]:
        case, known = await queries.by_id(tx, case_id), await erasures.get(tx, case_id)
        if case is None or known is None or case.state not in _STATES:
            raise Cancelled
        return case, known

    async def _usual(self, run: JobRun, case: Case, known: Erasure) -> dict[str, Any]:
        found = await Holdings(self._parts, run.steps, case.person, known.options).survey()
        if known.plan is not None and known.confirmed_hash is not None and "survey" in known.plan:
            found = steady(Found.from_json(known.plan["survey"]), found)
        return erasure.plan_of(case.person, known.options, found)

    async def _exceptional(self, run: JobRun, case: Case, exception: Mapping[str, str]) -> dict[str, Any]:
        room_id = RoomId(exception["room_id"])
        people_ = await self._parts.changes.people(room_id, case.person)
        events = await self._parts.changes.own_counts(room_id, case.person)
        return erasure.exceptional_plan(
            case.person,
            exception["scope"],
            room_id,
            {"joined": people_.joined, "ever": people_.ever},
            {"messages": events.messages, "state": events.state, "kept": events.kept},
        )

    async def _room(self, case: Case) -> StepResult:
        """Find the room in which the plan is shown: its code is good there alone."""
        if not service.confirmed_by_person(case):
            return {"room_id": None}
        person = await self._parts.database.read(lambda tx: people.get(tx, case.person))
        never = await self._parts.database.read(staff_rooms.ever)
        preferred = (case.room_id, person.room_id if person else None)
        return {"room_id": await find_or_open(self._parts.matrix, case.person, *preferred, never=never)}

    async def _show(self, run: JobRun, case: Case, plan: dict[str, Any], room_id: RoomId) -> StepResult:
        became = await self._parts.database.write(lambda tx: self._keep(tx, run, case, plan, room_id))
        return {"became": became.value}

    async def _keep(self, tx: Tx, run: JobRun, case: Case, plan: dict[str, Any], room_id: RoomId) -> Planned:
        now = self._parts.clock.now()
        became = await erasure.planned(tx, now, case, plan)
        if became in (Planned.ASK, Planned.CHANGED):
            await self._ask(tx, now, run, case, plan, room_id, changed=became is Planned.CHANGED)
        elif became is Planned.CONFIRMED:
            await self._tell(tx, now, run, case)
        return became

    async def _ask(
        self, tx: Tx, now: datetime, run: JobRun, case: Case, plan: dict[str, Any], room_id: RoomId, *, changed: bool
    ) -> None:
        """Show the plan with its code, once for each run of the survey."""
        code, until = typed_code.new(), now + VALID
        options, found = ErasureOptions.from_json(plan["options"]), Found.from_json(plan["survey"])
        reply = plan_message.message(case, options, found, code, until, self._parts.config, changed=changed)
        hash_, message_key = erasure.plan_hash(plan), key("erase_plan", case.id, run.job.id)
        content = {"case_id": case.id, "plan_hash": hash_, "code": code}
        if not await self._question(tx, now, case, room_id, CODE, message_key, content):
            return  # this plan has been shown: a crash came before that was noted
        if reply.choices:
            await self._question(tx, now, case, room_id, CHOICE, message_key, {"choices": list(reply.choices)})
        await post(tx, self._parts.renderer, now, Address(case.person, room_id), reply, message_key, case_id=case.id)

    async def _question(
        self, tx: Tx, now: datetime, case: Case, room_id: RoomId, kind: str, message_key: str, content: dict[str, Any]
    ) -> bool:
        return await prompts.ask(
            tx,
            person=case.person,
            room_id=room_id,
            kind=kind,
            event_id=EventId(key(kind, message_key)),
            content=content,
            now=now,
            expires_at=now + VALID,
        )

    async def _tell(self, tx: Tx, now: datetime, run: JobRun, case: Case) -> None:
        newest, known = await queries.by_id(tx, case.id), await erasures.get(tx, case.id)
        if newest is None or known is None:
            return
        values = {
            "reference": case.reference,
            "until": known.cooled_off_at,
            "decided": newest.state is not CaseState.REVIEW,
            "due_at": newest.due_at,
        }
        message_key = key("erase_confirmed", case.id, run.job.id)
        await post(tx, self._parts.renderer, now, Address(case.person), Reply("erase_confirmed", values), message_key)


def steady(confirmed: Found, found: Found) -> Found:
    """Return what was found as it was confirmed, if nothing but what is not the person's doing has come between.

    Other servers come to shared rooms at any time, and clients write settings by themselves: neither undoes a
    confirmation, or it would never be done in a large room.
    """
    servers = confirmed.servers if set(confirmed.servers) <= set(found.servers) else found.servers
    same = replace(found, servers=servers, account_data=confirmed.account_data)
    return same if same == confirmed else found
