"""``open KIND @user channel date``: requests that came in another way."""

from datetime import UTC, datetime

import pytest

from dpobot.cases import queries
from dpobot.commands.user_ids import checked
from dpobot.errors import StaffRefusal
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind, Trust
from tests.unit.commands.staff.conftest import ADA, Member, Office, text_of


async def _cases(office: Office) -> list[Case]:
    return list(await office.read(lambda tx: queries.of_person(tx, ADA)))


async def test_a_request_by_post_counts_from_its_day(office: Office, dora: Member) -> None:
    """Nobody has proven who asked; our own account hears of it."""
    to_person, told = await dora.says("open copy @ada:example.org letter 2026-11-03")
    (case,) = await _cases(office)
    assert (case.kind, case.channel, case.trust, case.proven) == (Kind.EXPORT, Channel.POST, Trust.UNKNOWN, False)
    assert case.state is CaseState.REVIEW
    assert case.received_at.date().isoformat() == "2026-11-03"
    assert case.due_at.date().isoformat() == "2026-12-03"
    assert "If that was not you" in text_of(to_person)
    assert case.reference in text_of(told)
    assert "case.opened_by_staff" in await office.actions(case)


async def test_an_account_elsewhere_is_not_written_to(dora: Member) -> None:
    """Who is a stranger to us gets no invitation."""
    assert await dora.hears("open complaint @bob:elsewhere.example e-mail yesterday") == ["staff/opened"]
    assert "by e-mail" in dora.heard[-1]


@pytest.mark.parametrize(
    ("said", "kind", "channel"),
    [("access @ada:example.org e-mail 20.11.2026", Kind.ACCESS, Channel.EMAIL),
     ("deletion @ada:example.org post 20 November 2026", Kind.ERASURE, Channel.POST),
     ("COMPLAINT @ada:example.org phone today", Kind.COMPLAINT, Channel.PHONE),
     ("correction @ada:example.org authority yesterday", Kind.RECTIFICATION, Channel.OTHER),
     ("minor @ada:example.org call 2026-11-20", Kind.CHILD, Channel.PHONE)],
)  # fmt: skip
async def test_synonyms(office: Office, dora: Member, said: str, kind: Kind, channel: Channel) -> None:
    """As people write them."""
    await dora.says(f"open {said}")
    (case,) = await _cases(office)
    assert (case.kind, case.channel) == (kind, channel)
    assert case.received_at <= office.now


@pytest.mark.parametrize(
    ("said", "code"),
    [("", "missing_words"), ("export", "missing_words"), ("export @ada:example.org", "missing_words"),
     ("export @ada:example.org post", "missing_words"), ("banana @ada:example.org post today", "not_one_of"),
     ("export @ada:example.org matrix today", "not_one_of"), ("export @ada:example.org post someday", "bad_date"),
     ("export @ada:example.org post 2026", "not_one_day"), ("export @ada:example.org post March 2026", "not_one_day"),
     ("export @ada:example.org post 2026-11-24", "future_day"), ("export @ada:example.org post 2023-11-22", "old_day"),
     ("export ada post today", "no_user_id"), ("export @ada post today", "no_user_id"),
     ("export @\u0430da:example.org post today", "look_alike"),
     ("export @ada:ex\u0430mple.org post today", "look_alike"),
     ("export \uff20ada:example.org post today", "look_alike"),
     ("export @ad\u200ba:example.org post today", "look_alike"),
     ("export @ada:example.org post today please", "extra_words")],
)  # fmt: skip
async def test_what_is_wrong_is_said(office: Office, dora: Member, said: str, code: str) -> None:
    """Nothing is opened."""
    assert await dora.hears(f"open {said}") == [f"staff/refusal_{code}"]
    assert await _cases(office) == []


async def test_the_same_twice_is_refused(office: Office, dora: Member) -> None:
    """The open one is named."""
    await dora.says("open export @ada:example.org post 2026-11-20")
    assert await dora.hears("open export @ada:example.org e-mail 2026-11-21") == ["staff/refusal_already_open"]
    (case,) = await _cases(office)
    assert case.reference in dora.heard[-1]


async def test_it_does_not_block_what_the_person_asks_for_themselves(office: Office, dora: Member) -> None:
    """An unverified request never blocks a verified one."""
    await dora.says("open export @ada:example.org post 2026-11-20")
    own = await office.opens(Kind.EXPORT)
    assert len(await _cases(office)) == 2
    assert own.proven


@pytest.mark.parametrize(
    "user_id",
    ["@ada:example.org", "@a:b", "@ada.b_c=d-e/f+g:example.org:8448", "@Ada:example.org", "@ada:[::1]:8008",
     "@ada:1.2.3.4", "@" + "a" * 242 + ":example.org"],
)  # fmt: skip
def test_user_ids(user_id: str) -> None:
    """By the specification's grammar, historical ones included."""
    assert checked(user_id) == user_id


@pytest.mark.parametrize(
    "text",
    ["ada", "@:example.org", "@ada:", "@ada:example.org/x", "@ada:exa mple.org", "@ada:example.org:port", "@ada",
     "@ada:-example.org", "@" + "a" * 243 + ":example.org", "!room:example.org", "@ada:<b>"],
)  # fmt: skip
def test_no_user_ids(text: str) -> None:
    """Anything else."""
    with pytest.raises(StaffRefusal, match=r"no_user_id|look_alike"):
        checked(text)


def test_a_look_alike_is_named() -> None:
    """Where the character stands, and what it is."""
    with pytest.raises(StaffRefusal, match="look_alike") as caught:
        checked("@dp\u043e-staff:example.org")
    assert caught.value.values == {"place": 4, "name": "Cyrillic small letter o"}


def test_the_clock_of_the_tests() -> None:
    """The dates above hang on it."""
    assert Office.now == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
