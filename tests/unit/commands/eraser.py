"""What happens behind the desk between the words of an erasure: its survey, as the job has it made."""

from datetime import datetime, timedelta

from dpobot.cases import erasure
from dpobot.cases.erasure import Planned
from dpobot.commands import erase_codes
from dpobot.model.erasure import ErasureOptions, Survey
from dpobot.model.ids import EventId
from dpobot.model.records import Case
from dpobot.store import erasures, prompts
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure
from tests.unit.commands.conftest import Person

VALID = timedelta(hours=24)
_SURVEY = Survey(120, 30, 7, 4, 1, 2, 0, 9, 5_000_000, 3, 2, 1, 14, 0, ("other.example",))


async def survey(person: Person, code: str, *, messages: int = 120) -> Planned:
    """Count what the newest erasure of a person would do, and ask for its code if there is something to confirm."""
    case = (await person.cases())[-1]

    async def made(tx: Tx) -> Planned:
        known = await erasures.get(tx, case.id)
        assert known is not None
        plan = erasure.plan_of(person.user_id, known.options, counted(messages))
        outcome = await erasure.planned(tx, person.now, case, plan)
        if outcome in (Planned.ASK, Planned.CHANGED):
            await ask(tx, person, case, code, erasure.plan_hash(plan))
        return outcome

    return await person.database.write(made)


async def ask(tx: Tx, person: Person, case: Case, code: str, hash_: str) -> None:
    """Ask a person for a code in their room."""
    await prompts.ask(
        tx,
        person=person.user_id,
        room_id=person.message("").room_id,
        kind=erase_codes.KIND,
        event_id=EventId(f"plan-{case.id}-{code}"),
        content={"case_id": case.id, "plan_hash": hash_, "code": code},
        now=person.now,
        expires_at=person.now + VALID,
    )


def counted(messages: int) -> Survey:
    """Return what a homeserver holds, with so many messages."""
    return Survey(**{**_SURVEY.to_json(), "messages": messages, "servers": _SURVEY.servers})


async def asked(person: Person, words: str = "erase without copy", code: str = "ABC234") -> Case:
    """Let a person ask for an erasure, have it counted, and return the case that waits for their code."""
    assert await person.hears(words) == ["erase_counting"]
    assert await survey(person, code) is Planned.ASK
    return (await person.cases())[-1]


async def of(person: Person) -> Erasure:
    """Return what is known of a person's newest erasure."""
    case = (await person.cases())[-1]
    known = await person.read(lambda tx: erasures.get(tx, case.id))
    assert known is not None
    return known


def options(*words: str) -> ErasureOptions:
    """Return options by their names, the copy waived."""
    return ErasureOptions.from_json(
        {**{name: name in words for name in ("redact", "media", "direct")}, "copy": "waived"}
    )


def later(person: Person, **parts: float) -> datetime:
    """Return a moment so long after a person's now."""
    return person.now + timedelta(**parts)
