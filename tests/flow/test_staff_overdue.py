"""A case that nobody answers: what is said unasked, to whom, and on which day."""

from collections.abc import Sequence

import pytest

from dpobot.audit import chain
from dpobot.model.ids import RoomId
from dpobot.store.tx import Tx
from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import reference
from tests.flow.team import DORA, EMIL, Team, head


async def test_thirty_three_days_without_an_answer(team: Team) -> None:
    """Anna hears on days 7 and 21, Dora is reminded by name, then everybody is, every day; the digest comes daily."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"rectify {BODY} my name"))
    await team.says(DORA, "claim", case)
    assert "Received 22 November 2026, due 22 December 2026: 30 days left" in team.card(case)

    days = await _days(team, room_id, case, 32)
    assert {day: len(said) for day, said in days.to_anna.items()} == {7: 1, 21: 1}
    for (update,) in days.to_anna.values():
        assert update.startswith("You need not ask: here is where your request stands.")
        assert f"{case} (correction): a person of the DPO team is looking at it." in update
        assert "our answer is due by 22 December 2026" in update

    assert {day: said[0].split(". ")[0] for day, said in days.in_thread.items()} == {
        23: f"{case} is due in 7 days, on 22 December 2026",
        27: f"{case} is due in 3 days, on 22 December 2026",
        29: f"{case} is due in 1 day, on 22 December 2026",
    }
    assert team.mentioned("is due in") == [[DORA]] * 3

    digests = {day: said[-1] for day, said in days.in_main.items()}
    assert list(digests) == list(range(1, 33))  # every day one, and nothing else but what is overdue
    assert {day: len(said) for day, said in days.in_main.items() if len(said) != 1} == {31: 2, 32: 2}
    escalations = [days.in_main[day][0] for day in (31, 32)]
    assert escalations[0].startswith(f"{case} (rectification) is 1 day overdue; it was due on 22 December 2026.")
    assert escalations[1].startswith(f"{case} (rectification) is 2 days overdue; it was due on 22 December 2026.")
    assert f"To see it, write: `show {case}`" in escalations[1]
    assert team.mentioned("overdue; it was due on") == [[DORA, EMIL]] * 2
    assert "OVERDUE by 2 days" in team.card(case)

    assert digests[32].startswith("Today, 24 December 2026")
    assert "- overdue: 1" in digests[32]
    assert f"{case} (rectification), 2 days overdue, {DORA}" in digests[32]
    assert "late; we are sorry" in (await stage.ask(room_id, ANNA, "status"))[0]

    heads = [head(digest) for digest in digests.values()]
    assert await stage.database.read(lambda tx: _known(tx, heads)) == [True] * 32
    forged = heads[-1].translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    assert not await stage.database.read(lambda tx: chain.contains(tx, forged))

    before = team.main()
    await stage.pass_time(hours=2)
    assert team.main() == before  # a day has one digest, and one escalation of a case
    await team.says(DORA, "close: We have corrected it. We are sorry that it took so long.", case)
    await stage.pass_time(days=1)
    assert ["overdue; it was" in said for said in team.main()[len(before) :]] == [False]


async def _known(tx: Tx, heads: Sequence[str]) -> list[bool]:
    return [await chain.contains(tx, each) for each in heads]


class _Days:
    """What was said on which day."""

    def __init__(self) -> None:
        self.to_anna: dict[int, Sequence[str]] = {}
        self.in_thread: dict[int, Sequence[str]] = {}
        self.in_main: dict[int, Sequence[str]] = {}


async def _days(team: Team, room_id: RoomId, case: str, count: int) -> _Days:
    days = _Days()
    for day in range(1, count + 1):
        before = len(team.stage.said(room_id)), len(team.thread(case)), len(team.main())
        await team.stage.pass_time(days=1)
        places = (
            (days.to_anna, team.stage.said(room_id)),
            (days.in_thread, team.thread(case)),
            (days.in_main, team.main()),
        )
        for (noted, said), known in zip(places, before, strict=True):
            if said[known:]:
                noted[day] = said[known:]
    return days


async def test_who_waits_for_the_person_is_not_late(team: Team) -> None:
    """The time stands still; nobody is reminded, nothing is overdue, and Anna hears that it is her turn."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"rectify {BODY} my name"))
    await team.says(DORA, "pause Which name is right?", case)
    before = len(team.thread(case))
    for _ in range(5):
        await stage.pass_time(days=8)
    assert team.thread(case)[before:] == []
    assert [said for said in team.main() if "overdue; it was" in said] == []
    assert "the clock stands still with 30 days left" in team.card(case)
    assert "waiting for an answer from you" in stage.said(room_id)[-1]
    await stage.ask(room_id, ANNA, f"{BODY} the second")
    assert "due 1 February 2027: 31 days left" in team.card(case)  # forty days later is a Sunday


@pytest.mark.parametrize(("months", "due"), [(1, "22 January 2027"), (2, "22 February 2027")])
async def test_an_extension_within_the_first_month(team: Team, months: int, due: str) -> None:
    """Anna reads by when and why, once; the time counts from the day on which she asked."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"rectify {BODY} my name"))
    await stage.pass_time(days=20)
    (extended,) = await team.says(DORA, f"extend {months} your name stands in four systems", case)
    assert f"{case} is due by {due} now." in extended
    assert f"our answer is due by {due} now. The reason:" in stage.said(room_id)[-1]
    assert "your name stands in four systems" in stage.said(room_id)[-1]
    assert f"due {due}:" in team.card(case)
    assert f"extended by {months} month" in team.card(case)
    (again,) = await team.says(EMIL, "extend 1 and some more", case)
    assert "has been extended, which is allowed once (Art. 12(3) GDPR)" in again
    before = len(team.thread(case))
    await stage.pass_time(days=12)
    assert team.thread(case)[before:] == []  # what would have been late is not


async def test_after_the_first_month_it_is_too_late_to_extend(team: Team) -> None:
    """Whoever has let it pass must answer."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"rectify {BODY} my name"))
    await stage.pass_time(days=31)
    before = stage.said(room_id)
    refusal = (await team.says(DORA, "extend 2 it is a lot", case))[-1]
    assert f"the time of {case} is over. It could have been extended only within it" in refusal
    assert stage.said(room_id) == before
    (three,) = await team.says(DORA, "extend 3 it is a lot", case)
    assert "“3” is not what belongs there" in three
