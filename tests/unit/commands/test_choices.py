"""What is offered by number can be said by its number."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.cases import correspondence, decisions
from dpobot.commands.choices import number
from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.model.words import CaseState, Kind, Trust
from tests.unit.commands.conftest import Person

STAFF = UserId("@staff:example.org")


@pytest.mark.parametrize(
    "body", ["2", " 2. ", "2)", "2:", "#2", "!dpo 2", "\uff12", "2\ufe0f\u20e3", "> <@a:b> x\n\n2"]
)
def test_a_number(body: str) -> None:
    """As people type it, or as a picture of a key."""
    assert number(body) == 2


@pytest.mark.parametrize(
    "body", ["", "2 rooms", "2.2", "two", "-2", "1234", "2\n3", "²³", "DPO-2026-0002", "9" * 100_000]
)
def test_no_number(body: str) -> None:
    """Anything else is words."""
    assert number(body) is None or body == "²³"


@given(st.text(max_size=30))
def test_any_text_gives_an_answer(body: str) -> None:
    """Nobody can stop the bot with digits of another script."""
    assert number(body) is None or 0 <= (number(body) or 0) <= 999


async def test_help_by_number(ada: Person) -> None:
    """Every command stands at its place."""
    (reply,) = await ada.says("help")
    rights = reply.choices.index("rights") + 1
    assert await ada.hears(f"{rights}.") == ["rights"]
    assert await ada.hears(str(rights)) == ["rights"]


async def test_the_greeting_has_numbers_only_where_nothing_follows(ada: Person) -> None:
    """Else the numbers of the answer after it would be meant."""
    alone, before = ada.desk.greeting(alone=True), ada.desk.greeting(alone=False)
    assert (alone.choices[0], before.choices) == ("help", ())
    values = {"commands": [{"name": name, "usage": name, "summary": "x"} for name in alone.choices]}
    body = str(ada.renderer.message(type(alone)("greeting", {**alone.values, **values}), "en")["body"])
    assert f"\n{len(alone.choices)}. `" in body


async def test_which_request_by_number(ada: Person) -> None:
    """The refusal lists them, the number does it."""
    await ada.hears("export")
    await ada.hears("complaint x")
    (reply,) = await ada.says("cancel")
    assert reply.choices == tuple(f"cancel {case.reference}" for case in reversed(await ada.cases()))
    assert await ada.hears("1") == ["cancelled"]
    assert [case.state for case in await ada.cases()] == [CaseState.APPROVED, CaseState.WITHDRAWN]


async def test_what_is_asked_for_already_offers_its_status(ada: Person) -> None:
    """And a way to take it back."""
    await ada.hears("export")
    assert await ada.hears("export") == ["refusal_already_open"]
    assert await ada.hears("1") == ["status"]
    assert await ada.hears("2)") == ["cancelled"]


async def test_an_offer_by_number(ada: Person) -> None:
    """One is yes, two is no; a later number is words, for nothing is asked."""
    await ada.hears("my room is gone")
    assert await ada.hears("1") == ["passed_on"]
    assert await ada.words_of(await ada.case()) == ["my room is gone"]


async def test_a_language_by_number(ada: Person) -> None:
    """Each is written in itself."""
    (reply,) = await ada.says("language")
    english = reply.choices.index("language English") + 1
    assert await ada.hears(str(english)) == ["language_set"]


async def test_a_ground_by_number(ada: Person) -> None:
    """Art. 18(1) has four; the case says which."""
    assert await ada.hears("restrict") == ["request_restriction"]
    assert await ada.hears("2") == ["free_text_added"]
    assert await ada.words_of(await ada.case()) == ["Art. 18(1)(b)"]


async def test_a_number_without_choices_is_words(ada: Person) -> None:
    """So is one beyond them."""
    assert await ada.hears("3") == ["free_text_offer"]
    assert await ada.hears("7") == []
    await ada.hears("yes")
    assert await ada.words_of(await ada.case()) == ["3", "7"]


async def test_old_choices_say_so(ada: Person) -> None:
    """Nothing happens that nobody remembers."""
    await ada.hears("help")
    ada.waits(timedelta(minutes=31))
    assert await ada.hears("4") == ["refusal_choices_expired"]
    assert await ada.cases() == []


async def test_a_number_for_a_human_is_words(ada: Person) -> None:
    """It answers what a human has asked since, and is never lost in an old list."""
    await ada.hears("complaint x")
    await ada.hears("help")
    ada.waits(timedelta(minutes=1))
    await ada.staff(correspondence.reply, await ada.case(), STAFF, EventId("$asked"), "how many rooms?")
    ada.waits(timedelta(minutes=1))
    assert await ada.hears("4") == ["free_text_added"]
    ada.waits(timedelta(hours=1))
    assert await ada.hears("5") == ["free_text_added"]
    assert await ada.words_of(await ada.case()) == ["x", "4", "5"]


async def test_a_number_for_a_paused_case_is_words(ada: Person) -> None:
    """Somebody waits for it."""
    await ada.hears("complaint x")
    await ada.hears("help")
    ada.waits(timedelta(minutes=1))
    await ada.staff(decisions.pause, await ada.case(), STAFF)
    assert await ada.hears("4") == ["free_text_added"]


async def test_choices_are_bound_to_their_room_and_person(ada: Person, bob: Person) -> None:
    """A number elsewhere, or of somebody else, is words."""
    await ada.hears("help")
    assert await ada.hears("3", room_id=RoomId("!other")) == ["free_text_offer"]
    assert await bob.hears("3") == ["free_text_offer"]


async def test_a_choice_is_checked_like_words(ada: Person) -> None:
    """A number gives an unverified device no more rights."""
    await ada.hears("export")
    await ada.hears("export")
    ada.trust = Trust.UNSIGNED
    assert await ada.hears("2") == ["refusal_untrusted_change"]
    assert (await ada.case()).kind is Kind.EXPORT
