"""What is no command is never dropped."""

from datetime import timedelta
from pathlib import Path

from dpobot.model.records import IncomingKind
from dpobot.model.words import CaseState, Kind, Trust
from tests.unit.commands.conftest import Person


async def test_words_are_offered_to_a_human_and_passed_on(ada: Person) -> None:
    """Yes opens a question with everything that was written meanwhile."""
    assert await ada.hears("my room is gone") == ["free_text_offer"]
    assert await ada.hears("it was called garden") == []
    assert await ada.cases() == []
    assert await ada.hears("yes") == ["passed_on"]
    case = await ada.case()
    assert (case.kind, case.state) == (Kind.QUESTION, CaseState.REVIEW)
    assert await ada.words_of(case) == ["my room is gone", "it was called garden"]


async def test_no_forgets_them(ada: Person) -> None:
    """And says so."""
    await ada.hears("my room is gone")
    assert await ada.hears("no") == ["not_passed_on"]
    assert await ada.hears("my other room, too") == ["free_text_offer"]
    await ada.hears("yes")
    assert await ada.words_of(await ada.case()) == ["my other room, too"]


async def test_a_yes_to_nothing_is_words(ada: Person) -> None:
    """It may be the answer to what a human asked."""
    assert await ada.hears("yes") == ["free_text_offer"]
    await ada.hears("yes")
    await ada.hears("yes")
    assert await ada.words_of(await ada.case()) == ["yes", "yes"]


async def test_the_offer_is_said_again_after_a_while(ada: Person) -> None:
    """Silence for minutes, not for ever."""
    assert await ada.hears("one") == ["free_text_offer"]
    ada.waits(timedelta(minutes=4))
    assert await ada.hears("two") == []
    ada.waits(timedelta(minutes=4))
    assert await ada.hears("three") == ["free_text_offer"]
    await ada.hears("yes")
    assert await ada.words_of(await ada.case()) == ["one", "two", "three"]


async def test_an_old_offer_is_forgotten(ada: Person) -> None:
    """As the bot had said."""
    await ada.hears("one")
    ada.waits(timedelta(days=3))
    assert await ada.hears("yes") == ["free_text_offer"]


async def test_too_much_is_told_and_not_kept(ada: Person) -> None:
    """What waits for a yes is bounded."""
    await ada.hears("x" * 60_000)
    assert await ada.hears("y" * 60_000) == ["free_text_full"]
    await ada.hears("yes")
    assert await ada.words_of(await ada.case()) == ["x" * 60_000]


async def test_words_go_into_the_open_case(ada: Person) -> None:
    """It is said once, then they are just filed."""
    await ada.hears("complaint the server was down")
    assert await ada.hears("since Monday") == ["free_text_added"]
    assert await ada.hears("and on Tuesday") == []
    ada.waits(timedelta(minutes=6))
    assert await ada.hears("still down") == ["free_text_added"]
    words = ["the server was down", "since Monday", "and on Tuesday", "still down"]
    assert await ada.words_of(await ada.case()) == words


async def test_words_go_into_the_newest_case(ada: Person) -> None:
    """Unless another one is named."""
    await ada.hears("access")
    await ada.hears("complaint x")
    await ada.hears("about the complaint")
    access, complaint = await ada.cases()
    assert await ada.hears(f"reply {access.reference} about the access") == ["free_text_added"]
    assert await ada.words_of(access) == ["about the access"]
    assert await ada.words_of(complaint) == ["x", "about the complaint"]


async def test_words_that_go_into_another_case_than_the_last_ones_are_confirmed(ada: Person) -> None:
    """She has just heard where her words go, but these go elsewhere."""
    await ada.says("object I don't want that")
    assert [reply.template for reply in await ada.says("and more of it")] == ["free_text_added"]
    assert await ada.says("and even more") == []
    await ada.says("complaint")
    (told,) = await ada.says("you lost my letters")
    assert (told.template, told.values["reference"]) == ("free_text_added", "DPO-2026-0002")


async def test_reply_without_a_case_is_a_question(ada: Person) -> None:
    """Who writes reply wants a human: no second yes is needed."""
    assert await ada.hears("reply") == ["refusal_no_words"]
    assert await ada.hears("reply who are you?") == ["passed_on"]
    assert await ada.words_of(await ada.case()) == ["who are you?"]


async def test_words_for_a_closed_case_become_a_new_question(ada: Person) -> None:
    """It is told that it is closed; a yes passes the words on, with the old number."""
    await ada.hears("complaint x")
    old = (await ada.case()).reference
    await ada.hears("cancel")
    assert await ada.hears(f"reply {old} wait") == ["closed_case"]
    assert await ada.hears("yes") == ["passed_on"]
    question = (await ada.cases())[-1]
    assert (question.kind, await ada.words_of(question)) == (Kind.QUESTION, [f"{old}: wait"])


async def test_an_unverified_persons_words_go_into_their_unverified_case(bob: Person) -> None:
    """They are heard, too."""
    await bob.hears("complaint x")
    assert await bob.hears("more") == ["free_text_added"]
    assert await bob.words_of(await bob.case()) == ["x", "more"]


async def test_an_edit_changes_nothing(ada: Person) -> None:
    """A request can't be altered after it was taken."""
    await ada.hears("complaint x")
    assert await ada.hears("cancel", kind=IncomingKind.EDIT) == ["edited_after"]
    assert (await ada.case()).state is CaseState.REVIEW


async def test_a_notice_gets_no_answer(ada: Person) -> None:
    """Two programs must not talk to each other for ever."""
    assert await ada.hears("export", content={"msgtype": "m.notice", "body": "export"}) == []
    assert await ada.cases() == []


async def test_an_empty_message_gets_a_sentence(ada: Person) -> None:
    """Silence would look like a fault."""
    assert await ada.hears("   ") == ["nothing_said"]
    assert await ada.hears("!dpo") == ["free_text_offer"]


async def test_a_text_that_is_kept_never_leaves_the_seal(ada: Person, tmp_path: Path) -> None:
    """What waits for a yes is encrypted at rest."""
    await ada.hears("a very secret sentence")
    files = list(tmp_path.glob("dpobot.sqlite*"))
    assert files
    assert [path.name for path in files if b"very secret" in path.read_bytes()] == []


async def test_forged_words_are_not_taken(ada: Person) -> None:
    """They come from none of the person's devices."""
    ada.trust = Trust.MISMATCH
    assert await ada.hears("my words") == ["refusal_forged"]
