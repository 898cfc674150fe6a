"""What a card shows of a case: pure, so that every branch is cheap to look at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dpobot.jobs import last_words, restrict
from dpobot.model.ids import Reference, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.staff import card

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
CASE = Case(
    id=1,
    reference=Reference("DPO-2026-0001"),
    person=UserId("@ada:x"),
    kind=Kind.EXPORT,
    state=CaseState.REVIEW,
    version=1,
    channel=Channel.MATRIX,
    trust=Trust.SIGNED,
    room_id=None,
    event_id=None,
    options={},
    received_at=NOW,
    due_at=datetime(2026, 4, 2, 21, 59, 59, tzinfo=UTC),
    updated_at=NOW,
)
MINE = replace(CASE, assignee=UserId("@siri:x"))


@pytest.mark.parametrize(
    ("case", "step"),
    [
        (CASE, "claim"),
        (MINE, "approve"),
        (replace(MINE, trust=Trust.UNSIGNED), "verify"),
        (replace(MINE, trust=Trust.UNSIGNED, verified_at=NOW), "approve"),
        (replace(MINE, kind=Kind.ERASURE, trust=Trust.UNSIGNED), "verify"),
        (replace(MINE, kind=Kind.COMPLAINT, trust=Trust.UNSIGNED), "reply"),
        (replace(MINE, kind=Kind.COMPLAINT, answered_at=NOW), "close"),
        (replace(MINE, state=CaseState.PAUSED), "resume"),
        (replace(MINE, state=CaseState.HELD), "held"),
        (replace(MINE, state=CaseState.APPROVED), "works"),
        (replace(MINE, state=CaseState.WORKING), "works"),
        (replace(MINE, state=CaseState.DELIVERED), "received"),
        (replace(MINE, state=CaseState.CLOSED), "nothing"),
        (replace(MINE, state=CaseState.REFUSED), "nothing"),
        (replace(MINE, state=CaseState.WITHDRAWN), "nothing"),
    ],
)
def test_the_next_step_follows_from_the_case(case: Case, step: str) -> None:
    """One command to type, or nothing to do."""
    assert card.next_step(case) == step


@pytest.mark.parametrize(
    ("code", "may_be"),
    [(restrict.NO_ACCOUNT, False), (last_words.UNSENT, False), ("http_503", True), (None, True)],
)
def test_a_restriction_that_was_stopped_may_be_in_force(code: str | None, may_be: bool) -> None:
    """The answer of the homeserver may have been lost; what stops it before leaves the account alone."""
    held = replace(MINE, kind=Kind.RESTRICTION, state=CaseState.HELD)
    assert card.values(held, card.Counts(), code, NOW, BERLIN)["may_be_suspended"] is may_be


@pytest.mark.parametrize(
    ("case", "evidence"),
    [
        (CASE, "signed"),
        (replace(CASE, trust=Trust.UNSIGNED), "unsigned"),
        (replace(CASE, trust=Trust.IDENTITY_CHANGED), "identity_changed"),
        (replace(CASE, trust=Trust.UNKNOWN), "unknown"),
        (replace(CASE, trust=Trust.UNKNOWN, channel=Channel.POST), "outside"),
        (replace(CASE, trust=Trust.UNKNOWN, channel=Channel.POST, verified_at=NOW), "verified"),
    ],
)
def test_it_says_by_what_we_know_who_asks(case: Case, evidence: str) -> None:
    """What staff have established counts above all."""
    assert card.evidence(case) == evidence


@pytest.mark.parametrize(
    ("now", "days"),
    [
        (NOW, 31),
        (datetime(2026, 4, 2, 21, 59, tzinfo=UTC), 0),  # still the same day in Berlin
        (datetime(2026, 4, 2, 22, 0, tzinfo=UTC), -1),
    ],
)
def test_days_are_those_of_the_operators_calendar(now: datetime, days: int) -> None:
    """Not spans of 24 hours."""
    assert card.days_left(CASE, now, BERLIN) == days


def test_in_a_pause_the_clock_stands_still() -> None:
    """The deadline will move by the whole pause."""
    paused = replace(CASE, state=CaseState.PAUSED, paused_at=NOW)
    assert card.days_left(paused, NOW + timedelta(days=20), BERLIN) == 31


def test_a_user_id_shows_what_it_is_made_of() -> None:
    """Neither a look-alike, nor a blank, nor a change of direction can hide."""
    assert card.shown(UserId("@аda\u202e😀 x:b\x07")) == "@\\u0430da\\u202e\\U0001f600\\x20x:b\\x07"  # noqa: RUF001


@pytest.mark.parametrize(
    ("case", "by"),
    [
        (CASE, None),
        (replace(CASE, channel=Channel.POST), NOW),
        (replace(CASE, channel=Channel.POST, answered_at=NOW), None),
    ],
)
def test_a_first_answer_is_owed_to_whom_the_bot_did_not_acknowledge_at_once(case: Case, by: datetime | None) -> None:
    """Over Matrix it said the reference when the complaint came."""
    shown = card.values(replace(case, acknowledge_by=NOW), card.Counts(), None, NOW, BERLIN)
    assert shown["acknowledge_by"] == by
