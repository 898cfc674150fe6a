"""Whatever people and staff write: an answer that can be sent, and no error but a refusal."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dpobot.commands.parse import FreeText, Said, parse
from dpobot.commands.registry import discover
from dpobot.commands.staff_parse import parse_staff, said_in
from dpobot.commands.staff_registry import discover_staff
from dpobot.matrix.events import wholesome
from dpobot.model.ids import UserId
from dpobot.model.records import Case
from dpobot.model.words import Kind
from tests.fuzz.anything import fuzzed, texts
from tests.unit.commands.conftest import Person, ada, desk, registry
from tests.unit.commands.staff.conftest import Member, dora, office, staff_desk, staff_registry

__all__ = ["ada", "desk", "dora", "office", "registry", "staff_desk", "staff_registry"]  # fixtures

_PEOPLE, _STAFF = discover().vocabulary, discover_staff().vocabulary
_ARGUMENTS = st.one_of(
    texts,
    st.sampled_from(
        [
            "mine",
            "visible",
            "account",
            "media",
            "since",
            "until",
            "2026-02-30",
            "2026-01-01",
            "DPO-2026-0001",
            "DPO-9999-9999",
            "@a:b",
            "@:",
            "!r:x",
            "redact",
            "without copy",
            "yes",
            "no",
            "1",
            "0",
            "99",
            "email",
            "all",
            "mine due",
            "de",
            "x@y.z",
            "ABC234",
            "high",
            "because",
            "-",
            ":",
            "no_data",
            "2",
            "history",
        ]
    ),
)


def said_with(words: list[str]) -> st.SearchStrategy[str]:
    """Return messages that begin, more often than not, with a word that is known."""
    first = st.one_of(st.sampled_from(words), texts)
    between = st.sampled_from([" ", " ", " ", "\n", "  ", "\t", "\u00a0", ": ", ""])
    start = st.sampled_from(["", "", "!", "!dpo ", "please ", "> <@a:b> x\n\n"])
    parts = st.lists(st.tuples(between, _ARGUMENTS), max_size=4)
    return st.builds(lambda a, b, c: a + b + "".join(x + y for x, y in c), start, first, parts)


@fuzzed(300)
@given(body=said_with(sorted({*_PEOPLE.words, *_PEOPLE.phrases})))
def test_any_text_is_a_command_or_words(body: str) -> None:
    """Both parsers say so of any text, and of no text anything else."""
    found = parse(body, _PEOPLE)
    assert isinstance(found, Said | FreeText)
    if isinstance(found, Said):
        assert found.command in {*_PEOPLE.words.values(), *_PEOPLE.phrases.values()}
    staff = parse_staff(said_in(body), _STAFF)
    assert staff is None or type(staff).__name__ in ("StaffSaid", "UnknownCommand")


@fuzzed(80)
@given(body=said_with(sorted({*_PEOPLE.words, *_PEOPLE.phrases})))
@example(body="")
async def test_whatever_a_person_says_is_answered(ada: Person, body: str) -> None:
    """Every answer renders; nobody is left without one."""
    ada.waits(timedelta(hours=3))
    assert await ada.says(wholesome(body)) != []


@pytest.fixture
async def threads(dora: Member) -> list[Case | None]:
    """The main time line, and threads of a complaint, a correction and an erasure that its person has confirmed."""
    complaint = await dora.office.opens(Kind.COMPLAINT)
    correction = await dora.office.opens(Kind.RECTIFICATION, person=UserId("@bea:example.org"))
    return [None, complaint, correction, await dora.office.confirmed(UserId("@cleo:example.org"))]


@fuzzed(80)
@given(body=said_with(sorted({*_STAFF.words, *_STAFF.phrases})), place=st.integers(0, 3))
async def test_whatever_staff_say_is_done_or_refused(
    dora: Member, threads: list[Case | None], body: str, place: int
) -> None:
    """In a thread and beside it; talk needs no answer, and every answer renders."""
    dora.office.waits(timedelta(hours=3))
    before = len(dora.heard)
    outcomes = await dora.says(wholesome(body), threads[place])
    assert len(dora.heard) == before + len(outcomes)
