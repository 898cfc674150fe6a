"""Restriction (Art. 18) and rectification (Art. 16): what approving them means, and how a restriction ends."""

import pytest

from dpobot.cases import service
from dpobot.cases.service import Rules
from dpobot.model.records import Case, ToPerson
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import jobs, rectifications
from dpobot.store.case_messages import Direction
from tests.unit.commands.staff.conftest import ADA, Member, Office, text_of


async def _in_force(office: Office, dora: Member) -> Case:
    case = await office.opens(Kind.RESTRICTION)
    await dora.says(await dora.code_of("approve", case), case)
    return await office.moves(case, CaseState.WORKING, CaseState.DELIVERED)


async def _jobs(office: Office, case: Case) -> list[str]:
    return [job.name for job in await office.read(lambda tx: jobs.of_case(tx, case.id))]


async def test_approving_a_restriction_warns_of_what_it_means(office: Office, dora: Member) -> None:
    """The person can't write any more, nor to the bot: the way back has to be known before."""
    case = await office.opens(Kind.RESTRICTION)
    code = await dora.code_of("approve", case)
    for part in ("write to nobody, nor to me", "dpo@example.org", "`lift …`"):
        assert part in dora.heard[-1]
    to_person, _ = await dora.says(code, case)
    assert "Before it takes effect I tell you" in text_of(to_person)
    assert await _jobs(office, case) == ["restrict"]


async def test_lifting_tells_the_person_first(office: Office, dora: Member) -> None:
    """In the words of staff; the work that lifts it waits for that message."""
    case = await _in_force(office, dora)
    to_person, told = await dora.says("lift: Your data is corrected,\nso nothing stands in the way.", case)
    assert isinstance(to_person, ToPerson)
    assert "Your data is corrected,\nso nothing stands in the way." in text_of(to_person)
    assert "Art. 18(3)" in text_of(told)
    assert await office.words(case, Direction.REPLY) == ["Your data is corrected,\nso nothing stands in the way."]
    assert await _jobs(office, case) == ["restrict", "lift"]
    assert (await office.case(case)).state is CaseState.DELIVERED  # until the account works again


@pytest.mark.parametrize("kind", [Kind.RESTRICTION, Kind.EXPORT])
async def test_what_is_not_in_force_is_not_lifted(office: Office, dora: Member, kind: Kind) -> None:
    """A request that nobody has approved, and one of another kind."""
    case = await office.opens(kind)
    assert await dora.hears("lift: It is over.", case) == ["staff/refusal_no_restriction"]
    assert await dora.hears("lift", case) == ["staff/refusal_missing_words"]
    assert await _jobs(office, case) == []


async def test_nobody_lifts_their_own(office: Office, dora: Member) -> None:
    """A colleague does."""
    case = await office.opens(Kind.RESTRICTION, person=dora.user_id)
    case = await office.moves(case, CaseState.APPROVED, CaseState.WORKING, CaseState.DELIVERED)
    assert await dora.hears("lift: It is over.", case) == ["staff/refusal_own_case"]


@pytest.mark.parametrize(
    ("field", "old", "new", "shown"),
    [
        ("display_name", "Ada", "Ada <b>L.</b>", "Display name: `Ada` → `Ada <b>L.</b>`"),
        ("email", "ada@example.org", "ada@example.net", "E-mail address: `ada@example.org` → `ada@example.net`"),
        ("avatar", None, None, "Picture: none → none"),
    ],
)
async def test_approving_a_correction_shows_both_values(
    office: Office, dora: Member, field: str, old: str | None, new: str | None, shown: str
) -> None:
    """What the code then stands for."""
    opening = service.Opening(
        person=ADA, kind=Kind.RECTIFICATION, channel=Channel.MATRIX, trust=Trust.SIGNED, local=True, room_id=None,
        event_id=None, options={"field": field}, received_at=office.now,
    )  # fmt: skip
    case = (await office.write(lambda tx: service.open_case(tx, office.now, opening, Rules()))).case
    await office.write(lambda tx: rectifications.put(tx, case.id, field, {"old": old, "new": new}))
    code = await dora.code_of(f"approve {case.reference}")
    assert shown in dora.heard[-1]
    assert field not in dora.heard[-1]  # it stands there in words
    assert await dora.hears(code) == ["user/case_approved", "staff/approved"]
    assert await _jobs(office, case) == ["rectify"]


async def test_a_correction_in_free_words_is_carried_out_by_people(office: Office, dora: Member) -> None:
    """Nothing is promised that the bot can't do."""
    case = await office.opens(Kind.RECTIFICATION)
    await dora.code_of("approve", case)
    assert "carried out by people" in dora.heard[-1]
