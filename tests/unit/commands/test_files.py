"""Files of a person are evidence in their case, or offered to a human."""

from datetime import timedelta

import pytest

from dpobot.cases import decisions
from dpobot.commands.desk import Desk
from dpobot.model.ids import UserId
from dpobot.model.records import IncomingKind
from dpobot.model.words import CaseState, Kind, Trust
from tests.unit.commands.conftest import Person, file_content

STAFF = UserId("@staff:example.org")


async def test_a_file_goes_into_the_open_case(ada: Person) -> None:
    """With the words that stand beside it; it is said once in a while."""
    await ada.hears("complaint x")
    assert await ada.sends("one.png", "this shows it") == ["free_text_added"]
    assert await ada.sends("two.png") == []
    case = await ada.case()
    assert await ada.files_of(case) == ["one.png", "two.png"]
    assert await ada.words_of(case) == ["x", "this shows it"]


async def test_a_file_without_a_case_is_offered_with_the_words(ada: Person) -> None:
    """A yes files both."""
    assert await ada.hears("look at this") == ["free_text_offer"]
    assert await ada.sends("proof.png", "here") == []
    assert await ada.hears("yes") == ["passed_on"]
    case = await ada.case()
    assert case.kind is Kind.QUESTION
    assert (await ada.words_of(case), await ada.files_of(case)) == (["look at this", "here"], ["proof.png"])


async def test_a_file_alone_is_offered_as_a_file(ada: Person) -> None:
    """It is not called words, and a no forgets it."""
    content = file_content("proof.png")
    (reply,) = await ada.says("proof.png", kind=IncomingKind.FILE, content=content)
    assert (reply.template, reply.values["file"], reply.choices) == ("free_text_offer", True, ("yes", "no", "help"))
    assert await ada.hears("no") == ["not_passed_on"]
    await ada.hears("something else")
    await ada.hears("yes")
    case = await ada.case()
    assert (await ada.files_of(case), await ada.words_of(case)) == ([], ["something else"])


async def test_an_unencrypted_file_is_not_taken_but_its_caption_is(ada: Person) -> None:
    """A sentence says why; the words came encrypted."""
    await ada.hears("complaint x")
    content = {"msgtype": "m.image", "url": "mxc://example.org/a", "filename": "a.png"}
    heard = await ada.says("see here", kind=IncomingKind.FILE, content={**content, "body": "see here"})
    assert [reply.template for reply in heard] == ["file_not_taken", "free_text_added"]
    assert heard[0].values["reason"] == "clear"
    case = await ada.case()
    assert (await ada.files_of(case), await ada.words_of(case)) == ([], ["x", "see here"])


async def test_a_file_that_is_too_large_is_told_the_limit(ada: Person, desk: Desk) -> None:
    """The limit is the desk's."""
    small = Desk(desk._registry, desk._rules, desk._notice, evidence_bytes=1233)
    ada.desk = small
    await ada.hears("complaint x")
    (reply,) = await ada.says("a.png", kind=IncomingKind.FILE, content=file_content("a.png"))
    assert (reply.template, reply.values) == ("file_not_taken", {"reason": "large", "most": 1233})
    assert await ada.files_of(await ada.case()) == []


@pytest.mark.parametrize("content", [{}, {"file": 5}, {"file": {}}, {"file": {"url": []}, "info": {"size": 5}}])
async def test_a_hostile_file_gets_a_sentence(ada: Person, content: dict[str, object]) -> None:
    """And changes nothing."""
    assert await ada.hears("a", kind=IncomingKind.FILE, content={"msgtype": "m.file", "body": "a", **content}) == [
        "file_not_taken"
    ]
    assert await ada.cases() == []


async def test_a_file_from_an_unverified_device_changes_no_verified_case(ada: Person) -> None:
    """It is offered as a question of its own."""
    await ada.hears("complaint x")
    ada.trust = Trust.UNSIGNED
    assert await ada.sends() == ["free_text_offer"]
    assert await ada.files_of(await ada.case()) == []


async def test_no_file_is_taken_in_clear_or_forged(ada: Person) -> None:
    """As with words."""
    ada.encrypted = False
    assert await ada.sends() == ["refusal_unencrypted_room"]
    ada.encrypted, ada.trust = True, Trust.MISMATCH
    assert await ada.sends() == ["refusal_forged"]


async def test_a_file_lets_a_paused_case_go_on(ada: Person) -> None:
    """What we waited for may be a picture; it is told even if it was just told where files go."""
    await ada.hears("complaint x")
    await ada.sends()
    await ada.staff(decisions.pause, await ada.case(), STAFF)
    ada.waits(timedelta(minutes=1))
    content = file_content("b.png")
    (reply,) = await ada.says("b.png", kind=IncomingKind.FILE, content=content)
    assert (reply.template, reply.values["resumed"]) == ("free_text_added", True)
    assert (await ada.case()).state is CaseState.REVIEW


async def test_files_that_wait_for_a_yes_are_bounded(ada: Person) -> None:
    """They count as much as many words."""
    content = file_content("a.png")
    many = [ada.message("a.png", kind=IncomingKind.FILE, content=content) for _ in range(110)]
    assert await ada.floods(many) == ["free_text_offer", "free_text_full"]
    await ada.hears("yes")
    assert len(await ada.files_of(await ada.case())) == 100
