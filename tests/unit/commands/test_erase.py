"""`erase`: what has to come before anything is counted, let alone erased."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from dpobot.cases import decisions, erasure, service
from dpobot.model.ids import UserId
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState, Kind, Trust
from dpobot.store import erasures, jobs
from dpobot.store.database import Tx
from tests.unit.commands import eraser
from tests.unit.commands.conftest import START, Person

STAFF = UserId("@staff:example.org")


async def _jobs(person: Person) -> list[str]:
    found = await person.cases()

    async def wanted(tx: Tx) -> list[str]:
        return [job.name for case in found for job in await jobs.of_case(tx, case.id)]

    return await person.read(wanted)


async def _deliver(person: Person) -> Case:
    """Let the newest case be answered with an archive."""
    case = (await person.cases())[-1]

    async def delivered(tx: Tx) -> None:
        working = await service.move(tx, person.now, case, CaseState.WORKING, "bot", "case.started")
        await service.move(tx, person.now, working, CaseState.DELIVERED, "bot", "case.delivered")

    await person.database.write(delivered)
    return case


def _body(person: Person, replies: Sequence[Reply]) -> str:
    return "\n".join(str(person.renderer.message(reply, "en")["body"]) for reply in replies)


async def test_a_copy_is_offered_first(ada: Person) -> None:
    """Nothing is opened or counted before it is said what is to become of it; a number is an answer."""
    (reply,) = await ada.says("erase redact media")
    assert (reply.template, reply.choices) == ("erase_copy_first", ("export", "erase redact media without copy"))
    assert await ada.cases() == []
    assert await ada.hears("2") == ["erase_counting"]
    assert (await eraser.of(ada)).options == eraser.options("redact", "media")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("erase without copy", ()),
        ("Erase my account, without a copy", ()),
        ("erase everything without copy", ()),
        ("delete direct chats, redact, pictures and no copy please", ("redact", "media", "direct")),
        ("löschen ohne Kopie", ()),
        ("löschen: Nachrichten, Dateien und direkte Nachrichten, ohne eine Kopie", ("redact", "media", "direct")),
        ("löschen medien direktnachrichten ohne kopie", ("media", "direct")),
        ("supprimer mes messages et mes fichiers, sans copie", ("redact", "media")),
        ("effacer messages directs pas de copie", ("direct",)),
    ],
)
async def test_options_are_understood_in_three_languages(ada: Person, said: str, wanted: tuple[str, ...]) -> None:
    """Whatever their order, and with the small words around them."""
    assert await ada.hears(said) == ["erase_counting"]
    assert (await eraser.of(ada)).options == eraser.options(*wanted)


@pytest.mark.parametrize("said", ["delete my account", "Lösche mein Konto!", "Supprimer mon compte", "!dpo erase"])
async def test_plain_words_ask_for_it(ada: Person, said: str) -> None:
    """As they did before there were options."""
    assert await ada.hears(said) == ["erase_copy_first"]


async def test_an_option_that_is_none_is_refused(ada: Person) -> None:
    """`without media` is not taken for `media`."""
    assert await ada.hears("erase without media") == ["refusal_unknown_parameter"]
    assert await ada.hears("erase media except the pictures of my cat") == ["free_text_offer"]
    assert await ada.cases() == []


async def test_a_signed_device_that_is_known_is_counted_for_at_once(ada: Person) -> None:
    """The case waits for the person, and its survey is wanted."""
    assert await ada.hears("erase without copy") == ["erase_counting"]
    case = await ada.case()
    assert (case.kind, case.state, await _jobs(ada)) == (Kind.ERASURE, CaseState.CONFIRMING, ["survey"])


async def test_a_delivered_copy_need_not_be_waived(ada: Person) -> None:
    """As long as it is not too old."""
    await ada.hears("export")
    case = await _deliver(ada)
    assert await ada.hears("received") == ["received"]
    ada.waits(timedelta(days=29))
    assert await ada.hears("erase") == ["erase_counting"]
    assert (await eraser.of(ada)).options.copy == "delivered"
    await ada.hears("cancel")
    ada.waits(timedelta(days=2))
    assert await ada.hears("erase") == ["erase_copy_first"]
    assert case.kind is Kind.EXPORT


async def test_an_unproven_copy_does_not_count(ada: Person) -> None:
    """Whoever got it, it may not have been the person."""
    ada.trust = Trust.UNSIGNED
    await ada.hears("export")
    await ada.staff(service.move, await ada.case(), CaseState.APPROVED, STAFF, "case.approved")
    await _deliver(ada)
    assert await ada.hears("received") == ["received"]
    ada.trust = Trust.SIGNED
    assert await ada.hears("erase") == ["erase_copy_first"]


@pytest.mark.parametrize("delivered", [False, True])
async def test_an_open_request_for_the_data_stands_against_it(ada: Person, delivered: bool) -> None:
    """It is named, with the words that end it, by number; then it goes on."""
    await ada.hears("export")
    reference = (await ada.case()).reference
    if delivered:
        await _deliver(ada)
    (reply,) = await ada.says("erase without copy")
    assert (reply.template, reply.values["reference"]) == ("refusal_erase_access_open", reference)
    end = "received" if delivered else "cancel"
    assert reply.choices == (f"status {reference}", f"{end} {reference}")
    assert await ada.hears("2") == ["received" if delivered else "cancelled"]
    assert await ada.hears("erase without copy") == ["erase_counting"]


async def test_somebody_elses_unproven_request_does_not_stand_against_it(ada: Person) -> None:
    """An unverified device can't keep the person from being forgotten."""
    ada.trust = Trust.UNSIGNED
    await ada.hears("access")
    ada.trust = Trust.SIGNED
    assert await ada.hears("erase without copy") == ["erase_counting"]


async def test_a_legal_hold_leaves_it_to_staff(ada: Person) -> None:
    """The person hears that, and until when they have their answer; nothing is counted."""
    await ada.hears("complaint x")
    await ada.staff(decisions.hold, await ada.case(), STAFF)
    (reply,) = await ada.says("erase without copy")
    case = (await ada.cases())[-1]
    assert (reply.template, case.kind, case.state) == ("erase_on_hold", Kind.ERASURE, CaseState.REVIEW)
    assert "by 23 December 2026 at the latest" in _body(ada, [reply])
    assert "survey" not in await _jobs(ada)
    assert await ada.hears("erase without copy") == ["erase_on_hold"]
    assert len(await ada.cases()) == 2


async def test_after_the_hold_it_is_asked_for_again(ada: Person) -> None:
    """The same case goes on."""
    await ada.hears("complaint x")
    held = await ada.case()
    await ada.staff(decisions.hold, held, STAFF)
    await ada.hears("erase media without copy")
    await ada.staff(decisions.release, (await ada.cases())[0], STAFF)
    assert await ada.hears("erase media") == ["erase_counting"]
    case = (await ada.cases())[-1]
    assert (len(await ada.cases()), case.state) == (2, CaseState.CONFIRMING)


@pytest.mark.parametrize("trust", [Trust.UNSIGNED, Trust.IDENTITY_CHANGED, Trust.UNKNOWN])
async def test_an_unsigned_device_gets_no_counts(ada: Person, trust: Trust) -> None:
    """A human looks at it; the person is told how to go on by themselves."""
    ada.trust = trust
    replies = await ada.says("erase redact without copy")
    case = await ada.case()
    assert [reply.template for reply in replies] == ["request_erasure"]
    assert (case.state, await _jobs(ada)) == (CaseState.REVIEW, [])
    expected = (
        "identity has changed" if trust is Trust.IDENTITY_CHANGED else "verify this device and then write `erase`"
    )
    assert expected in _body(ada, replies)
    assert await ada.hears("erase") == ["refusal_already_open"]


async def test_verified_afterwards_it_is_a_request_of_its_own(ada: Person) -> None:
    """The unproven one neither stands against it nor becomes it."""
    ada.trust = Trust.UNSIGNED
    await ada.hears("erase")
    ada.trust = Trust.SIGNED
    assert await ada.hears("erase without copy") == ["erase_counting"]
    assert [case.state for case in await ada.cases()] == [CaseState.REVIEW, CaseState.CONFIRMING]


async def test_an_account_elsewhere_is_for_people(ada: Person) -> None:
    """Only its own server can close it."""
    ada.local = False
    replies = await ada.says("erase")
    assert (await ada.case()).state is CaseState.REVIEW
    assert "Your account is on another server" in _body(ada, replies)
    assert "verify this device" not in _body(ada, replies)


async def test_a_device_that_is_too_new_waits(ada: Person) -> None:
    """It is said since when it is known and when it goes on; the survey is wanted for then."""
    ada.device_since = START - timedelta(hours=1)
    replies = await ada.says("erase without copy")
    assert [reply.template for reply in replies] == ["erase_device_new"]
    assert "I have known since 23 November 2026, 08:00 UTC. I go on by myself on 24 November 2026, 08:00 UTC" in _body(
        ada, replies
    )
    known = await eraser.of(ada)
    assert known.survey_after == START + timedelta(hours=23)
    assert (await ada.case()).state is CaseState.CONFIRMING


async def test_an_older_device_goes_on_at_once(ada: Person) -> None:
    """The same case, from the device that has been known for longer; the wait is over."""
    ada.device_since = START
    assert await ada.hears("erase without copy") == ["erase_device_new"]
    ada.device_since = START - timedelta(days=300)
    assert await ada.hears("erase") == ["erase_counting"]
    assert ((await eraser.of(ada)).survey_after, len(await ada.cases())) == (None, 1)


async def test_staff_may_vouch_for_a_new_device(ada: Person) -> None:
    """Once they have made sure who it is, it need not wait."""
    ada.device_since = START
    await ada.hears("erase without copy")
    await ada.staff(decisions.verify, await ada.case(), STAFF)
    assert await ada.hears("erase") == ["erase_counting"]


async def test_once_more_with_other_options(ada: Person) -> None:
    """The same case with a new plan; that no copy is wanted need not be said again."""
    await eraser.asked(ada)
    assert await ada.hears("erase redact") == ["erase_counting"]
    known = await eraser.of(ada)
    assert (known.options, known.plan_hash, len(await ada.cases())) == (eraser.options("redact"), None, 1)


async def test_what_staff_decide_about_is_not_asked_for_again(ada: Person) -> None:
    """Confirmed and counted once more: it can be looked at, or taken back."""
    await eraser.asked(ada)
    await ada.hears("ABC234")
    await eraser.survey(ada, "XYZ234")
    (reply,) = await ada.says("erase media")
    reference = (await ada.case()).reference
    assert (reply.template, reply.choices) == ("refusal_already_open", (f"status {reference}", f"cancel {reference}"))
    assert (await eraser.of(ada)).options == eraser.options()


async def _begin(person: Person) -> None:
    case = (await person.cases())[-1]

    async def begun(tx: Tx) -> None:
        approved = await service.move(tx, person.now, case, CaseState.APPROVED, "bot", "case.approved")
        await service.move(tx, person.now, approved, CaseState.WORKING, "bot", "case.started")
        await erasures.change(tx, case.id, begun_at=person.now, cooled_off_at=person.now)

    await person.database.write(begun)


@pytest.mark.parametrize("said", ["erase", "cancel", "undo"])
async def test_once_begun_there_is_no_way_back(ada: Person, said: str) -> None:
    """It is said what happens now, and how to get the receipt."""
    await eraser.asked(ada)
    await _begin(ada)
    replies = await ada.says(said)
    assert [reply.template for reply in replies] == ["refusal_erasure_begun"]
    assert "receipt" in _body(ada, replies)
    assert (await ada.case()).state is CaseState.WORKING


@pytest.mark.parametrize("said", ["cancel", "undo"])
async def test_until_it_begins_it_is_taken_back(ada: Person, said: str) -> None:
    """In the cooling-off, too."""
    await eraser.asked(ada)
    await ada.hears("ABC234")
    await eraser.survey(ada, "XYZ234")
    replies = await ada.says(said)
    assert "Nothing has been erased." in _body(ada, replies)
    assert (await ada.case()).state is CaseState.WITHDRAWN
    assert not await ada.read(lambda tx: erasure.has_begun(tx, 1))


async def _status(person: Person) -> str:
    return _body(person, await person.says("status"))


async def test_status_says_what_it_waits_for(ada: Person) -> None:
    """From the counting to the end of the cooling-off."""
    await ada.hears("erase without copy")
    assert "I am counting what would go" in await _status(ada)
    await eraser.survey(ada, "ABC234")
    assert "waiting for you to type the code" in await _status(ada)
    await ada.hears("ABC234")
    assert "I am counting once more" in await _status(ada)
    await eraser.survey(ada, "XYZ234")
    assert "confirmed by you; a person of the DPO team decides, and nothing begins before 24 Nov" in await _status(ada)
    await _approve(ada)
    assert "approved; it begins on 24 November 2026, 09:00 UTC. Until then, `cancel` takes it back" in await _status(
        ada
    )
    ada.waits(timedelta(hours=25))
    assert "approved; the work begins shortly" in await _status(ada)


async def _approve(person: Person) -> None:
    case = (await person.cases())[-1]
    await person.staff(service.move, case, CaseState.APPROVED, STAFF, "case.approved")


async def test_status_of_a_device_that_is_too_new(ada: Person) -> None:
    """It says until when."""
    ada.device_since = START
    await ada.hears("erase without copy")
    assert "waiting until your device has been known to me for long enough, on 24 November 2026" in await _status(ada)


async def test_status_of_what_has_begun(ada: Person) -> None:
    """Running, erased but not yet looked at, stopped short."""
    case = await eraser.asked(ada)
    await _begin(ada)
    assert "your data is being erased" in await _status(ada)
    await ada.database.write(lambda tx: erasures.change(tx, case.id, erased_at=ada.now))
    assert "it is being counted what is left" in await _status(ada)
    await ada.staff(erasure.stopped_short, case, {"profile": "M_UNKNOWN"})
    assert "begun; a part has failed" in await _status(ada)
