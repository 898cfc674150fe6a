"""What somebody may try at the desk, and what comes of it."""

import pytest

from dpobot.commands.free_text import PASS_ON, QUIET
from dpobot.model.ids import UserId
from dpobot.model.records import IncomingKind
from dpobot.model.words import CaseState
from dpobot.store import prompts
from dpobot.store.database import Tx
from tests.unit.commands.conftest import Person, file_content

NASTY = "!dpo cancel <b>@room</b> [x](https://evil.example) https://matrix.to/#/@dpo:example.org"


async def test_an_edit_afterwards_changes_nothing(ada: Person) -> None:
    """Neither the words of a case, nor what was asked for, nor an answer to an offer."""
    await ada.hears("complaint the truth")
    content = {
        "msgtype": "m.text",
        "body": "* cancel",
        "m.new_content": {"msgtype": "m.text", "body": "cancel"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$said-@ada:example.org-1"},
    }
    for body in ("* cancel", "cancel", "yes", "1", "complaint a lie"):
        assert await ada.hears(body, kind=IncomingKind.EDIT, content=content) == ["edited_after"]
    case = await ada.case()
    assert (case.state, await ada.words_of(case)) == (CaseState.REVIEW, ["the truth"])


async def test_an_edited_file_is_not_taken(ada: Person) -> None:
    """What was sent first counts."""
    await ada.hears("complaint x")
    await ada.sends("first.png")
    content = {**file_content("second.png"), "m.relates_to": {"rel_type": "m.replace", "event_id": "$f"}}
    assert await ada.hears("second.png", kind=IncomingKind.EDIT, content=content) == ["edited_after"]
    assert await ada.files_of(await ada.case()) == ["first.png"]


@pytest.mark.parametrize(
    "command", ["complaint x", "status", "help", "my words", "cancel", "undo", "reply x", "rights"]
)
async def test_a_display_name_is_never_read_nor_shown(ada: Person, command: str) -> None:
    """A command, markup or a mention in it does nothing and appears nowhere."""
    await ada.hears("object to y")
    content = {
        "msgtype": "m.text",
        "body": command,
        "format": "org.matrix.custom.html",
        "formatted_body": NASTY,
        "displayname": NASTY,
        "m.mentions": {"room": True, "user_ids": ["@dpo:example.org"]},
    }
    replies = await ada.says(command, content=content)
    said = [ada.renderer.message(reply, "en") for reply in replies]
    assert "evil.example" not in f"{replies}{said}"
    assert all(message["m.mentions"] == {} for message in said)


@pytest.mark.parametrize("localpart", ["dpo", "dpo-staff", "staff", "d\u0440o", "dpo\u200b", "admin=2fstaff"])
async def test_look_alikes_are_people_like_others(ada: Person, localpart: str) -> None:
    """Whatever somebody is called, staff commands are words here, and another's case is unknown."""
    await ada.hears("complaint x")
    reference = (await ada.case()).reference
    eve = Person(ada.database, ada.desk, UserId(f"@{localpart}:example.org"))
    assert await eve.hears(f"approve {reference}") == ["free_text_offer"]
    assert await eve.hears(f"refuse {reference} fraud") == []
    assert await eve.hears(f"status {reference}") == ["refusal_unknown_case"]
    assert (await ada.case()).state is CaseState.REVIEW


@pytest.mark.parametrize(("length", "most"), [(500, 100), (1, 199)])
async def test_a_flood_gets_two_answers(ada: Person, length: int, most: int) -> None:
    """One offer, one word that it is full; what is kept has a bound, and a yes files exactly that."""
    many = [ada.message("x" * length) for _ in range(most + 10)]
    assert await ada.floods(many) == ["free_text_offer", "free_text_full"]
    assert await ada.read(lambda tx: _kept(tx, ada)) == [message.event_id for message in many[:most]]
    ada.waits(QUIET)
    assert await ada.hears("x" * length) == ["free_text_full"]
    assert await ada.hears("yes") == ["passed_on"]
    assert len(await ada.words_of(await ada.case())) == most


async def test_after_the_answer_words_are_kept_again(ada: Person) -> None:
    """What is full is emptied by a yes or a no."""
    await ada.hears("x" * 60_000)
    assert await ada.hears("y" * 60_000) == ["free_text_full"]
    assert await ada.hears("no") == ["not_passed_on"]
    assert await ada.hears("z") == ["free_text_offer"]
    await ada.hears("yes")
    assert await ada.words_of(await ada.case()) == ["z"]


async def _kept(tx: Tx, person: Person) -> list[object]:
    prompt = await prompts.newest_open(tx, person.user_id, person.now, (PASS_ON,))
    return [] if prompt is None else [message["event_id"] for message in prompt.content["messages"]]


async def test_many_messages_into_a_case_get_one_answer(ada: Person) -> None:
    """Nothing is lost, and nothing is repeated."""
    await ada.hears("complaint x")
    assert await ada.floods(ada.message(f"message {number}") for number in range(50)) == ["free_text_added"]
    assert len(await ada.words_of(await ada.case())) == 51


@pytest.mark.parametrize("command", ["export", "complaint in your name", "undo", "cancel", "erase", "my words"])
async def test_an_unverified_device_leaves_a_verified_request_alone(ada: Person, bob: Person, command: str) -> None:
    """It can't keep the person from asking either."""
    bob.user_id = ada.user_id
    bob.said = 100
    await ada.hears("access")
    await bob.hears(command)
    assert ((await ada.cases())[0].state, await ada.words_of((await ada.cases())[0])) == (CaseState.REVIEW, [])
    assert await ada.hears("export") == ["export_accepted"]
