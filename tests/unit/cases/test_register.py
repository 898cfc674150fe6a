"""The register: one line a case, nobody's name, and no cell that a spreadsheet would run."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.cases import decisions, register
from dpobot.cases.register import RegisterRow
from dpobot.model.words import CaseState, Channel, Ground, Kind
from dpobot.store.database import Tx
from tests.unit.cases.office import ANNA, NOW, VERA, Office, after

TODAY = NOW.date()
COLUMNS = "reference,kind,channel,received,due,extended_months,ended,state,ground,days,legal_hold"


async def test_a_line_says_what_an_authority_may_ask(office: Office) -> None:
    """When it came, how, by when it was due, what became of it; not whose it is."""
    refused = await office.open(Kind.COMPLAINT, channel=Channel.POST)
    await office.do(decisions.refuse, refused, VERA, Ground.SCOPE, now=after(days=3))
    await office.do(decisions.hold, await office.open(Kind.EXPORT), VERA)
    text = (await office.ask(register.as_csv, TODAY, TODAY)).decode()
    assert text.split("\r\n") == [
        COLUMNS,
        "DPO-2026-0001,complaint,post,2026-03-02,2026-04-02,0,2026-03-05,refused,scope,3,no",
        "DPO-2026-0002,export,matrix,2026-03-02,2026-04-02,0,,review,,,yes",
        "",
    ]
    assert [name in text for name in (ANNA, VERA, "!r:x")] == [False, False, False]


@pytest.mark.parametrize(("start", "end", "expected"), [(0, 0, 1), (-1, 0, 2), (0, 1, 2), (-1, 1, 3), (2, 9, 0)])
async def test_both_days_count(office: Office, start: int, end: int, expected: int) -> None:
    """From the first second of the one to the last of the other."""
    midnight = datetime.combine(TODAY, datetime.min.time(), UTC)
    for moment in (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(days=1)):
        await office.open(Kind.QUESTION, received_at=moment)
    days = [TODAY + timedelta(days=each) for each in (start, end)]
    assert (await office.ask(register.as_csv, *days)).count(b"DPO-") == expected


async def test_days_are_those_of_the_operator(office: Office) -> None:
    """What came at 23:30 UTC came the next day in Berlin."""
    await office.open(Kind.QUESTION, received_at=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    berlin = ZoneInfo("Europe/Berlin")
    counted = [await office.ask(register.as_csv, day, day, berlin) for day in (TODAY, TODAY + timedelta(days=1))]
    assert [text.count(b"DPO-2026") for text in counted] == [0, 1]


async def test_a_long_register_is_read_in_pages(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case once and in its order, also those of the same moment."""
    monkeypatch.setattr("dpobot.store.case_queries._PAGE", 2)
    for _ in range(4):
        await office.open(Kind.QUESTION)
    await office.open(Kind.QUESTION, received_at=after(days=-1))

    async def read(tx: Tx) -> list[RegisterRow]:
        return [row async for row in register.rows(tx, TODAY - timedelta(days=1), TODAY)]

    found = [row.reference[-1] for row in await office.database.read(read)]
    assert found == ["5", "1", "2", "3", "4"]


HOSTILE = st.one_of(
    st.text(),
    st.builds(lambda first, rest: first + rest, st.sampled_from("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"), st.text()),
    st.sampled_from(["=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', "@SUM(1+1)", "-2+3", "+1", "\t=1", "\r=1"]),
)


@given(HOSTILE)
def test_no_cell_is_a_formula(value: str) -> None:
    """Whatever it is: it comes out of the file as text, with an apostrophe where it would be run."""
    shown = register.cell(value)
    assert shown.lstrip("'").lstrip() == value.lstrip("'").lstrip()
    assert shown[:1] not in set("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([shown, "next"])
    assert next(csv.reader(io.StringIO(out.getvalue(), newline=""))) == [shown, "next"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (0, "0"),
        (True, "yes"),
        (date(2026, 3, 2), "2026-03-02"),
        (CaseState.REVIEW, "review"),
        ("=1+1", "'=1+1"),
        (-1, "'-1"),
        ("a=1", "a=1"),
    ],
)
def test_values_are_shown_plainly(value: object, shown: str) -> None:
    """Dates as ISO 8601; what might be run is marked."""
    assert register.cell(value) == shown
