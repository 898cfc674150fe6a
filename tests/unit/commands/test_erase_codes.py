"""The code under the plan of an erasure: what confirms, and all that doesn't."""

from datetime import timedelta

import pytest

from dpobot.cases import decisions
from dpobot.cases.erasure import Planned
from dpobot.commands.erase_codes import MOST_WRONG
from dpobot.model.ids import RoomId, UserId
from dpobot.model.records import IncomingKind
from dpobot.model.words import CaseState, Trust
from dpobot.store import erasures
from tests.unit.commands import eraser
from tests.unit.commands.conftest import START, Person

STAFF = UserId("@staff:example.org")
CODE = "ABC234"


async def _confirmed(person: Person) -> bool:
    return (await eraser.of(person)).confirmed_at is not None


@pytest.mark.parametrize(
    "said",
    [
        CODE, "abc234", " ABC234. ", '"ABC234"', "erase ABC234", "Erase abc234", "!dpo ABC234", "!dpo erase ABC234",
        "löschen ABC234", "> <@dpo:example.org> your code\n\nABC234",
    ],
)  # fmt: skip
async def test_the_code_confirms_its_plan(ada: Person, said: str) -> None:
    """Alone or behind the command, in whatever letters; then it is counted once more."""
    await eraser.asked(ada)
    assert await ada.hears(said) == ["erase_checking"]
    known = await eraser.of(ada)
    assert (known.confirmed_hash, known.confirmed_at) == (known.plan_hash, START)
    assert (await ada.case()).state is CaseState.CONFIRMING
    assert await eraser.survey(ada, "XYZ234") is Planned.CONFIRMED
    assert (await ada.case()).state is CaseState.REVIEW


@pytest.mark.parametrize("said", ["yes", "Ja", "ok", "go ahead", "yes please"])
async def test_a_yes_is_not_enough(ada: Person, said: str) -> None:
    """It is said what is."""
    await eraser.asked(ada)
    assert await ada.hears(said) == ["erase_needs_code"]
    assert not await _confirmed(ada)


@pytest.mark.parametrize(
    ("kind", "template"),
    [(IncomingKind.EDIT, ["edited_after"]), (IncomingKind.REACTION, []), (IncomingKind.OTHER, [])],
)
async def test_only_a_message_confirms(ada: Person, kind: IncomingKind, template: list[str]) -> None:
    """No edit of an earlier one, no reaction."""
    await eraser.asked(ada)
    content = {"msgtype": "m.text", "body": CODE, "m.new_content": {"msgtype": "m.text", "body": CODE}}
    assert await ada.hears(CODE, kind=kind, content=content) == template
    assert not await _confirmed(ada)


async def test_a_file_does_not_confirm(ada: Person) -> None:
    """Neither its name nor what stands beside it; those are words for staff."""
    await eraser.asked(ada)
    assert await ada.sends(CODE) == ["free_text_added"]
    await ada.sends("proof.png", caption=CODE)
    assert not await _confirmed(ada)


async def test_a_notice_does_not_confirm(ada: Person) -> None:
    """It is the word of a program."""
    await eraser.asked(ada)
    assert await ada.hears(CODE, content={"msgtype": "m.notice", "body": CODE}) == []
    assert not await _confirmed(ada)


async def test_a_code_said_in_clear_does_not_confirm(ada: Person) -> None:
    """Whoever runs a server could have written it."""
    await eraser.asked(ada)
    assert await ada.hears(CODE, encrypted=False) == ["refusal_unencrypted_room"]
    assert not await _confirmed(ada)


async def test_the_code_of_somebody_else_does_nothing(ada: Person, bob: Person) -> None:
    """It is as unknown as one that was never given out; their own case waits on."""
    bob.trust = Trust.SIGNED
    await eraser.asked(ada)
    await eraser.asked(bob, code="XYZ789")
    assert await bob.hears(f"erase {CODE}") == ["erase_code_wrong"]
    assert await bob.hears(CODE) == ["erase_code_wrong"]
    assert not await _confirmed(ada)
    assert not await _confirmed(bob)
    eve = Person(ada.database, ada.desk, UserId("@eve:example.org"))
    assert await eve.hears(f"erase {CODE}") == ["refusal_erase_code_unknown"]
    assert await eve.hears(CODE) == ["free_text_offer"]


async def test_the_code_of_an_earlier_request_does_nothing(ada: Person) -> None:
    """A request that was taken back stays so, and the new one has its own code."""
    await eraser.asked(ada)
    await ada.hears("cancel")
    assert await ada.hears(CODE) == ["refusal_erase_code_over"]
    await eraser.asked(ada, code="XYZ789")
    assert await ada.hears(CODE) == ["refusal_erase_code_over"]
    assert not await _confirmed(ada)
    assert await ada.hears("XYZ789") == ["erase_checking"]


async def test_it_is_good_in_its_own_room(ada: Person) -> None:
    """Not in another one, though the same person speaks."""
    await eraser.asked(ada)
    elsewhere = RoomId("!another")
    assert await ada.hears(f"erase {CODE}", room_id=elsewhere) == ["refusal_erase_code_unknown"]
    assert not await _confirmed(ada)


async def test_it_is_good_once(ada: Person) -> None:
    """Typed again it says where the request stands."""
    await eraser.asked(ada)
    await ada.hears(CODE)
    assert await ada.hears(CODE) == ["refusal_erase_code_used"]
    assert await ada.hears(f"erase {CODE}") == ["refusal_erase_code_used"]


async def test_it_expires(ada: Person) -> None:
    """What was shown then may no longer be true."""
    await eraser.asked(ada)
    ada.waits(eraser.VALID)
    assert await ada.hears(CODE) == ["refusal_erase_code_expired"]
    assert not await _confirmed(ada)


async def test_a_newer_plan_takes_it_away(ada: Person) -> None:
    """Other options, other code; also while the new plan is still being made."""
    await eraser.asked(ada)
    await ada.hears("erase redact")
    assert await ada.hears(CODE) == ["refusal_plan_changed"]
    await eraser.survey(ada, "XYZ789")
    assert await ada.hears(CODE) == ["refusal_erase_code_superseded"]
    assert not await _confirmed(ada)
    assert await ada.hears("XYZ789") == ["erase_checking"]


async def test_what_has_changed_since_is_asked_anew(ada: Person) -> None:
    """New messages since the plan: the code confirmed what is no longer so."""
    await eraser.asked(ada)
    await ada.hears(CODE)
    assert await eraser.survey(ada, "XYZ789", messages=121) is Planned.CHANGED
    assert not await _confirmed(ada)
    assert await ada.hears(CODE) == ["refusal_erase_code_used"]
    assert await ada.hears("XYZ789") == ["erase_checking"]


@pytest.mark.parametrize("trust", [Trust.UNSIGNED, Trust.IDENTITY_CHANGED, Trust.UNKNOWN])
async def test_an_unsigned_device_does_not_confirm(ada: Person, trust: Trust) -> None:
    """Nor does it use the tries up: the person's own device still can."""
    await eraser.asked(ada)
    ada.trust = trust
    assert await ada.hears(CODE) == ["refusal_untrusted_device"]
    for _ in range(MOST_WRONG):
        assert await ada.hears("ZZZ999") == ["refusal_untrusted_device"]
    assert not await _confirmed(ada)
    ada.trust = Trust.SIGNED
    assert await ada.hears(CODE) == ["erase_checking"]


async def test_a_device_that_is_too_new_does_not_confirm(ada: Person) -> None:
    """Somebody who took the account over an hour ago, and signed a device of their own, has to wait."""
    await eraser.asked(ada)
    old, ada.device_since = ada.device_since, START - timedelta(hours=1)
    (reply,) = await ada.says(CODE)
    assert (reply.template, reply.values["until"]) == ("refusal_device_too_new", START + timedelta(hours=23))
    assert not await _confirmed(ada)
    ada.device_since = old
    assert await ada.hears(CODE) == ["erase_checking"]


async def test_after_the_wait_it_confirms(ada: Person) -> None:
    """To the second."""
    await eraser.asked(ada)
    ada.device_since = START - timedelta(hours=23)
    ada.waits(timedelta(hours=1) - timedelta(seconds=1))
    assert await ada.hears(CODE) == ["refusal_device_too_new"]
    ada.waits(timedelta(seconds=1))
    assert await ada.hears(CODE) == ["erase_checking"]


async def test_staff_may_vouch_for_the_person(ada: Person) -> None:
    """Then a new device need not wait."""
    case = await eraser.asked(ada)
    await ada.staff(decisions.verify, case, STAFF)
    ada.device_since = START
    assert await ada.hears(CODE) == ["erase_checking"]


async def test_an_open_request_for_the_data_stands_against_it(ada: Person) -> None:
    """Asked for after the plan was shown; the code is still good once that is over."""
    await eraser.asked(ada)
    await ada.hears("export")
    export = (await ada.cases())[-1]
    (reply,) = await ada.says(CODE)
    assert (reply.template, reply.values["reference"]) == ("refusal_erase_access_open", export.reference)
    await ada.hears(f"cancel {export.reference}")
    assert await ada.hears(CODE) == ["erase_checking"]


async def test_a_legal_hold_stands_against_it(ada: Person) -> None:
    """Placed after the plan was shown."""
    case = await eraser.asked(ada)
    await ada.staff(decisions.hold, case, STAFF)
    assert await ada.hears(CODE) == ["refusal_erase_on_hold"]
    assert not await _confirmed(ada)


async def test_wrong_codes_take_the_right_one_away(ada: Person) -> None:
    """After five; a new plan has a new code."""
    await eraser.asked(ada)
    left = [(await ada.says(f"ZZZZZ{number}"))[0].values["left"] for number in range(2, 2 + MOST_WRONG)]
    assert left == [4, 3, 2, 1, 0]
    assert await ada.hears(CODE) == ["refusal_erase_code_void"]
    assert not await _confirmed(ada)
    await eraser.asked(ada, "erase", code="XYZ789")
    assert await ada.hears("XYZ789") == ["erase_checking"]


async def test_tries_are_counted_for_each_plan(ada: Person) -> None:
    """What was mistyped before doesn't count against the new code."""
    await eraser.asked(ada)
    for _ in range(MOST_WRONG - 1):
        await ada.hears("erase ZZZZZ9")
    await eraser.asked(ada, "erase", code="XYZ789")
    assert (await ada.says("ZZZZZ9"))[0].values["left"] == MOST_WRONG - 1


@pytest.mark.parametrize("word", ["please", "thanks", "my words", "ABC2345", "1234", "really?"])
async def test_words_are_no_wrong_codes(ada: Person, word: str) -> None:
    """They go to staff, into the case."""
    case = await eraser.asked(ada)
    assert await ada.hears(word) == ["free_text_added"]
    assert await ada.words_of(case) == [word]


@pytest.mark.parametrize("command", ["status", "STATUS", "export", "access", "rights"])
async def test_commands_of_six_letters_stay_commands(ada: Person, command: str) -> None:
    """None of them is a try."""
    await eraser.asked(ada)
    assert "erase_code_wrong" not in await ada.hears(command)


async def test_options_of_six_letters_stay_options(ada: Person) -> None:
    """`redact` and `please` have only letters that a code may have."""
    await eraser.asked(ada)
    assert await ada.hears("erase REDACT") == ["erase_counting"]
    assert await ada.hears("erase please") == ["erase_counting"]


async def test_without_a_plan_nothing_is_a_code(ada: Person) -> None:
    """A word is a word; behind the command it is said that there is no such code."""
    assert await ada.hears("ABC234") == ["free_text_offer"]
    assert await ada.hears("erase ABC234") == ["refusal_erase_code_unknown"]


async def test_a_plan_that_is_no_longer_the_newest_is_not_confirmed(ada: Person) -> None:
    """Even if its code were still the last one that was given out."""
    case = await eraser.asked(ada)
    await ada.database.write(lambda tx: erasures.change(tx, case.id, plan_hash="0" * 64))
    assert await ada.hears(CODE) == ["refusal_plan_changed"]
    assert not await _confirmed(ada)
