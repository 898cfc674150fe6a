"""Whoever has the bot show them a person's data leaves a row in the trail, however they ask."""

from datetime import date

import pytest

from dpobot.cases import access_log
from dpobot.model.words import Kind
from dpobot.store import audit_rows
from dpobot.store.database import Tx
from tests.unit.commands.staff.conftest import START, Member, Office

TODAY = date(2026, 11, 23)


async def _lines(office: Office) -> list[list[str]]:
    """Return the log of access of the day without its head and the numbers of its rows."""
    written = await office.read(lambda tx: access_log.as_csv(tx, TODAY, TODAY))
    return [line.split(",")[:-1] for line in written.decode().splitlines()[1:]]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("show", "show"),
        ("trail", "trail"),
        ("assess", "assess"),
        ("plan", "plan"),
        ("approve", "approve"),
        ("refuse fraud Because.", "refuse"),
    ],
)
async def test_what_shows_a_case_is_recorded(office: Office, dora: Member, said: str, what: str) -> None:
    """Under who asked and what they were shown; nothing that anybody wrote."""
    case = await office.confirmed()
    before = await office.actions(case)
    await dora.says(said, case)
    assert (await office.looks(case), await office.actions(case)) == ([(dora.user_id, what)], before)


async def test_reactions_show_cases_too(office: Office, dora: Member) -> None:
    """The eyes this case, the arrow the next one: the row is of the case that was shown."""
    first, second = await office.opens(), await office.opens(Kind.QUESTION)
    await dora.reacts("\N{EYES}", first)
    await dora.reacts("\N{BLACK RIGHTWARDS ARROW}", first)
    assert (await office.looks(first), await office.looks(second)) == (
        [(dora.user_id, "show")],
        [(dora.user_id, "show")],
    )


async def test_what_shows_nothing_is_not_recorded(office: Office, dora: Member) -> None:
    """Neither what is about nobody, nor what is done: that has rows of its own."""
    case = await office.opens()
    for said in ("help", "stats", "claim", "note A word.", "hold Because."):
        await dora.says(said, case)
    await dora.says("show DPO-2026-0099")
    assert (await office.looks(case), await _lines(office)) == ([], [])


async def test_the_log_of_access_names_who_looked_at_what(office: Office, dora: Member, emil: Member) -> None:
    """One line a look, in order, lists and registers included; no cell is taken for a formula."""
    case = await office.opens()
    await dora.says("queue due")
    await emil.says("show", case)
    await emil.says("register 2026-11-23 2026-11-23")
    at = START.isoformat(timespec="seconds")
    assert await _lines(office) == [
        [at, f"'{dora.user_id}", "queue.read", "due", "", "0"],
        [at, f"'{emil.user_id}", "case.read", "show", case.reference, ""],
        [at, f"'{emil.user_id}", "register.read", "", "", ""],
    ]


async def test_only_the_days_that_are_asked_for_are_given(office: Office, dora: Member) -> None:
    """Other days' looks are left out, and so is what was done."""
    await dora.says("show", await office.opens())
    written = await office.read(lambda tx: access_log.as_csv(tx, date(2026, 11, 22), date(2026, 11, 22)))
    assert written.decode() == "at,who,action,what,case,count,seq\r\n"


async def test_who_looked_is_forgotten_with_the_case(office: Office, dora: Member) -> None:
    """The trail of a case that has expired names nobody; that there was a look stays."""
    case = await office.opens()
    await dora.says("show", case)

    async def expire(tx: Tx) -> None:
        await audit_rows.forget_actors(tx, case.id)

    await office.write(expire)
    assert [(line[1], line[2], line[4]) for line in await _lines(office)] == [("", "case.read", case.reference)]
