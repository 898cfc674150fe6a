"""Every kind of request: guided, acknowledged, and followed to its end."""

from datetime import timedelta

import pytest

from dpobot.cases import correspondence, decisions, service
from dpobot.model.ids import EventId, UserId
from dpobot.model.records import Reply
from dpobot.model.words import CaseState, Channel, Ground, Kind, Trust
from dpobot.store.database import Tx
from tests.unit.commands.conftest import Person

STAFF = UserId("@staff:example.org")
WORDS = {
    "access": Kind.ACCESS, "rectify": Kind.RECTIFICATION, "restrict": Kind.RESTRICTION, "object": Kind.OBJECTION,
    "automated": Kind.AUTOMATED, "complaint": Kind.COMPLAINT, "security": Kind.SECURITY, "child": Kind.CHILD,
}  # fmt: skip


def _body(person: Person, reply: Reply) -> str:
    return str(person.renderer.message(reply, "en")["body"])


@pytest.mark.parametrize("word", sorted(WORDS))
async def test_an_acknowledgement_says_number_and_day(ada: Person, word: str) -> None:
    """And what happens next."""
    (reply,) = await ada.says(word)
    body = _body(ada, reply)
    assert (await ada.case()).reference in body
    assert "by 23 December 2026 at the latest" in body


@pytest.mark.parametrize("word", sorted(WORDS))
async def test_the_next_words_go_into_the_request(ada: Person, word: str) -> None:
    """Even if others are open."""
    await ada.hears("complaint old")
    await ada.hears("cancel")
    await ada.hears("object to the statistics")
    await ada.hears(word)
    if word == "object":
        return
    ada.waits(timedelta(minutes=1))
    await ada.hears("these are my words")
    case = (await ada.cases())[-1]
    assert (case.kind, await ada.words_of(case)) == (WORDS[word], ["these are my words"])


@pytest.mark.parametrize("word", sorted(WORDS))
async def test_asking_twice_without_words_opens_nothing(ada: Person, word: str) -> None:
    """The one that is open is named."""
    await ada.hears(word)
    (reply,) = await ada.says(word)
    assert (reply.template, reply.values["reference"]) == ("refusal_already_open", (await ada.case()).reference)


@pytest.mark.parametrize("word", sorted(WORDS))
async def test_an_unverified_request_never_touches_a_verified_one(ada: Person, word: str) -> None:
    """It neither blocks it, nor merges with it, nor takes it back."""
    ada.trust = Trust.UNSIGNED
    await ada.hears(f"{word} in somebody's name")
    ada.trust = Trust.SIGNED
    assert await ada.hears(f"{word} in my own") == ["access_waiting" if word == "access" else f"request_{WORDS[word]}"]
    ada.trust = Trust.UNSIGNED
    assert await ada.hears(f"{word} and more") == ["free_text_added"]
    assert await ada.hears("undo") == ["cancelled"]
    first, second = await ada.cases()
    assert await ada.words_of(first) == ["in somebody's name", "and more"]
    assert await ada.words_of(second) == ["in my own"]
    assert (first.state, second.state) == (CaseState.WITHDRAWN, CaseState.REVIEW)


async def test_verified_words_go_into_the_verified_case(ada: Person) -> None:
    """A newer unverified one doesn't catch them."""
    await ada.hears("complaint mine")
    ada.trust = Trust.UNSIGNED
    ada.waits(timedelta(minutes=1))
    await ada.hears("object to everything")
    ada.trust = Trust.SIGNED
    await ada.hears("more of mine")
    assert await ada.words_of((await ada.cases())[0]) == ["mine", "more of mine"]


async def test_a_complaint_names_the_authority_and_acknowledges(ada: Person) -> None:
    """UK DPA 2018 s.164A wants an acknowledgement within 30 days; Art. 77 the route to the authority."""
    body = _body(ada, (await ada.says("complaint nobody answers"))[0])
    assert "your complaint is acknowledged" in body
    assert "the ICO" in body
    assert "https://ico.org.uk/concerns" in body


@pytest.mark.parametrize("word", ["security", "child"])
async def test_what_is_urgent_has_its_own_contact(ada: Person, word: str) -> None:
    """And goes before everything else."""
    body = _body(ada, (await ada.says(word))[0])
    assert "security@example.org" in body
    assert "before everything else" in body


async def test_whose_account_is_taken_over_hears_what_to_do(ada: Person) -> None:
    """At once, not when somebody reads it."""
    body = _body(ada, (await ada.says("my account was hacked"))[0])
    assert body.index("Change your password now") < body.index("sessions")


async def test_a_restriction_is_guided_and_warns(ada: Person) -> None:
    """Four grounds, unless the person has written already; who is locked out is told the other way."""
    (reply,) = await ada.says("restrict")
    assert len(reply.choices) == 4
    assert "dpo@example.org" in _body(ada, reply)
    await ada.hears("cancel")
    (reply,) = await ada.says("restrict my picture, it is wrong")
    assert reply.choices == ()
    assert "\n1. " not in _body(ada, reply)


@pytest.mark.parametrize("word", sorted(WORDS))
async def test_people_of_other_servers_are_served(ada: Person, word: str) -> None:
    """They hear what this server can do for them."""
    ada.local, ada.user_id = False, UserId("@ada:other.example")
    (reply,) = await ada.says(word)
    assert reply.template == f"request_{WORDS[word].value}"
    assert ("your own server" in _body(ada, reply)) is (word not in ("complaint", "child"))
    assert await ada.sends() == ["free_text_added"]
    assert await ada.hears("status") == ["status"]


async def test_words_let_a_paused_case_go_on(ada: Person) -> None:
    """It is told, and the words go there although another case is newer."""
    await ada.hears("complaint x")
    await ada.hears("object to y")
    complaint = (await ada.cases())[0]
    ada.waits(timedelta(minutes=1))
    await ada.staff(decisions.pause, complaint, STAFF)
    (status,) = await ada.says(f"status {complaint.reference}")
    assert "just answer here" in _body(ada, status)
    (reply,) = await ada.says("the answer")
    assert (reply.values["reference"], reply.values["resumed"]) == (complaint.reference, True)
    assert "goes on" in _body(ada, reply)
    assert (await ada.cases())[0].state is CaseState.REVIEW


async def test_an_answer_goes_where_a_human_has_asked(ada: Person) -> None:
    """Into the case in which staff wrote last."""
    await ada.hears("complaint x")
    await ada.hears("object to y")
    ada.waits(timedelta(minutes=1))
    await ada.staff(correspondence.reply, (await ada.cases())[0], STAFF, EventId("$asked"), "when was that?")
    await ada.hears("on Monday")
    assert await ada.words_of((await ada.cases())[0]) == ["x", "on Monday"]


async def test_an_extension_shows_in_the_status(ada: Person) -> None:
    """With the new day."""
    await ada.hears("complaint x")
    case = await ada.case()
    await ada.database.write(lambda tx: decisions.extend(tx, ada.now, case, STAFF, 2, ada.desk._rules))
    body = _body(ada, (await ada.says("status"))[0])
    assert "23 February 2027. That is later than usual, as we told you." in body


@pytest.mark.parametrize("ground", list(Ground))
async def test_a_refusal_shows_its_ground(ada: Person, ground: Ground) -> None:
    """In words; who decided is not said."""
    await ada.hears("complaint x")
    await ada.staff(decisions.refuse, await ada.case(), STAFF, ground)
    (reply,) = await ada.says("cases")
    assert reply.values["cases"][0]["ground"] == ground.value
    assert "): refused: " in _body(ada, reply)
    assert STAFF not in str(reply)


async def test_who_works_on_it_is_not_said(ada: Person) -> None:
    """Neither in the values nor in the sentence."""
    await ada.hears("complaint x")
    await ada.staff(decisions.claim, await ada.case(), STAFF)
    (reply,) = await ada.says("status")
    assert STAFF not in f"{reply}{_body(ada, reply)}"


async def test_what_is_late_says_sorry_and_names_the_authority(ada: Person) -> None:
    """Art. 12(4), 77."""
    await ada.hears("complaint x")
    assert "ico.org.uk" not in _body(ada, (await ada.says("status"))[0])
    ada.waits(timedelta(days=40))
    body = _body(ada, (await ada.says("status"))[0])
    assert "is late; we are sorry" in body
    assert "https://ico.org.uk/concerns" in body


async def test_time_stands_still_while_we_wait(ada: Person) -> None:
    """A case that was paused in time is not late."""
    await ada.hears("complaint x")
    await ada.staff(decisions.pause, await ada.case(), STAFF)
    ada.waits(timedelta(days=40))
    assert (await ada.says("status"))[0].values["cases"][0]["overdue"] is False


async def test_undo_takes_the_newest_request_back(ada: Person) -> None:
    """And no older one, however often it is said."""
    assert await ada.hears("undo") == ["refusal_nothing_to_cancel"]
    await ada.hears("complaint x")
    await ada.hears("object to y")
    assert await ada.hears("Rückgängig!") == ["cancelled"]
    assert await ada.hears("annule") == ["refusal_nothing_to_cancel"]
    assert [case.state for case in await ada.cases()] == [CaseState.REVIEW, CaseState.WITHDRAWN]


async def test_what_is_over_is_not_undone(ada: Person) -> None:
    """It is told that it is too late."""
    await ada.hears("complaint x")
    await ada.staff(decisions.refuse, await ada.case(), STAFF, Ground.SCOPE)
    assert await ada.hears("undo") == ["refusal_not_withdrawable"]


async def test_undo_leaves_alone_what_staff_have_opened(ada: Person) -> None:
    """A letter is not taken back by a word."""
    await ada.hears("complaint x")

    async def by_post(tx: Tx) -> None:
        opening = service.Opening(
            ada.user_id,
            Kind.ACCESS,
            Channel.POST,
            Trust.UNKNOWN,
            True,
            None,
            None,
            {},
            ada.now,
        )
        await service.open_case(tx, ada.now, opening, ada.desk._rules)

    await ada.database.write(by_post)
    await ada.hears("undo")
    assert [case.state for case in await ada.cases()] == [CaseState.WITHDRAWN, CaseState.REVIEW]


async def test_a_restriction_warns_before_it_cuts_the_line(ada: Person) -> None:
    """A suspended account can't write to the bot: what still works, and the way back (Art. 18(3))."""
    body = _body(ada, (await ada.says("restrict"))[0])
    assert "A suspended account can\u2019t write to me either." in body
    assert "log in, read, leave rooms" in body
    assert "dpo@example.org, or by post to Example Ltd, 1 Example Street, London" in body


async def test_one_word_does_not_end_a_restriction(ada: Person) -> None:
    """`received` is about archives; whether a restriction ends staff say."""
    await ada.hears("restrict my statistics")
    for state in (CaseState.APPROVED, CaseState.WORKING, CaseState.DELIVERED):
        await ada.staff(service.move, await ada.case(), state, STAFF, "case.moved")
    assert await ada.hears("received") == ["refusal_nothing_to_receive"]
    assert await ada.hears(f"received {(await ada.case()).reference}") == ["refusal_not_delivered"]
    assert await ada.hears("cancel") == ["refusal_nothing_to_cancel"]
    assert "in force: your data is kept, but not used" in _body(ada, (await ada.says("status"))[0])
