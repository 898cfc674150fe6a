"""Each command, on a real database: what it does, and what it answers."""

from datetime import UTC, datetime, timedelta

import pytest

from dpobot.cases import service
from dpobot.engine.progress import Progress
from dpobot.model.ids import UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind, Trust
from dpobot.store import jobs, people
from dpobot.store.database import Tx
from tests.unit.commands.conftest import START, Person


async def _deliver(person: Person) -> Case:
    """Let the archive of the person's one case be delivered."""
    case = await person.case()
    for state in (CaseState.WORKING, CaseState.DELIVERED):
        now, at = person.now, state
        case = await person.database.write(
            lambda tx, case=case, at=at, now=now: service.move(tx, now, case, at, "bot", "test.moved")  # type: ignore[misc]
        )
    return case


async def _jobs(person: Person) -> list[str]:
    case = (await person.cases())[-1]
    return [job.name for job in await person.read(lambda tx: jobs.of_case(tx, case.id))]


async def test_help_shows_every_command(ada: Person) -> None:
    """The list is made from the commands themselves."""
    (reply,) = await ada.says("help")
    body = str(ada.renderer.message(reply, "en")["body"])
    assert all(f"`{command.usage}`" in body for command in ada.desk._registry.values())  # the desk's own list


@pytest.mark.parametrize("word", ["export", "exporter", "delete my account"])
async def test_help_of_one_command(ada: Person, word: str) -> None:
    """By name, alias or phrase."""
    assert await ada.hears(f"help {word}") == ["help_command"]


async def test_help_of_an_unknown_word_is_help(ada: Person) -> None:
    """Better everything than an error."""
    assert await ada.hears("help frobnicate") == ["help"]


async def test_a_cry_for_help_reaches_a_human(ada: Person) -> None:
    """A sentence that only begins with a command isn't thrown away."""
    for cry in ("help me please", "help! somebody reads all of my messages, what can I do now"):
        (reply,) = await ada.says(cry)
        assert (reply.template, reply.values["meant"]) == ("free_text_offer", "help")


@pytest.mark.parametrize(
    ("said", "template"),
    [
        ("privacy", "privacy"),
        ("privacy 2.2", "privacy_section"),
        ("privacy passwords", "privacy_section"),
        ("privacy servers messages", "privacy_found"),
        ("privacy xylophone", "privacy_found"),
        ("privacy history", "privacy_history"),
        ("privacy history 2026-12-01", "privacy_in_force"),
        ("privacy history 1999", "privacy_in_force"),
        ("privacy history someday", "refusal_bad_date"),
        ("rights", "rights"),
    ],
)
async def test_the_notice_and_the_rights(ada: Person, said: str, template: str) -> None:
    """By section, by words, by date."""
    assert await ada.hears(said) == [template]


async def test_a_verified_export_is_accepted_and_its_job_wanted(ada: Person) -> None:
    """Case, approval and job in one transaction."""
    assert await ada.hears("give me my data") == ["export_accepted"]
    case = await ada.case()
    assert (case.kind, case.state, await _jobs(ada)) == (Kind.EXPORT, CaseState.APPROVED, ["export"])
    assert case.options == {"scope": "mine", "sections": [], "since": None, "until": None}


async def test_an_export_takes_sections_and_dates(ada: Person) -> None:
    """Until a day means: that day included."""
    await ada.hears("export all my messages and files from March 2024 until 2024-12-31, please")
    assert (await ada.case()).options == {
        "scope": "mine",
        "sections": ["media", "messages"],
        "since": "2024-03-01T00:00:00+00:00",
        "until": "2025-01-01T00:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("said", "template"),
    [
        ("export visible", "refusal_visible_not_offered"),
        ("export since 2025 until 2024", "refusal_empty_period"),
        ("export since 2999", "refusal_future_date"),
        ("export since someday", "refusal_bad_date"),
        ("export since", "refusal_bad_date"),
        ("export since 03/04/2024", "refusal_bad_date"),
        ("export sinec 2024", "refusal_unknown_parameter"),
        ("!dpo export this and that and everything else there is", "refusal_unknown_parameter"),
    ],
)
async def test_a_slip_in_an_export_opens_nothing(ada: Person, said: str, template: str) -> None:
    """It is explained, and no case exists."""
    assert await ada.hears(said) == [template]
    assert await ada.cases() == []


async def test_one_year_may_be_both_ends(ada: Person) -> None:
    """Since 2024 until 2024 is that year."""
    assert await ada.hears("export since 2024 until 2024") == ["export_accepted"]


@pytest.mark.parametrize("trust", [Trust.UNSIGNED, Trust.IDENTITY_CHANGED, Trust.UNKNOWN])
async def test_an_unverified_export_waits_and_says_why(ada: Person, trust: Trust) -> None:
    """No data goes out on the word of a device that nobody vouches for."""
    ada.trust = trust
    (reply,) = await ada.says("export")
    assert (reply.template, reply.values["trust"]) == ("export_waiting", trust.value)
    assert ((await ada.case()).state, await _jobs(ada)) == (CaseState.REVIEW, [])


async def test_an_unverified_export_tells_how_to_verify(bob: Person) -> None:
    """In plain words, with the way there."""
    (reply,) = await bob.says("export")
    assert "Settings, then Sessions" in str(bob.renderer.message(reply, "en")["body"])


async def test_a_remote_export_waits(ada: Person) -> None:
    """People of other servers are served, by a human's decision."""
    ada.local = False
    assert await ada.hears("export") == ["export_waiting"]


async def test_an_unverified_request_does_not_block_the_verified_one(ada: Person) -> None:
    """Nobody can keep a person from their data by asking first in their name."""
    ada.trust = Trust.UNSIGNED
    assert await ada.hears("export") == ["export_waiting"]
    ada.trust = Trust.SIGNED
    assert await ada.hears("export") == ["export_accepted"]
    assert await ada.hears("export") == ["refusal_already_open"]


async def test_nothing_personal_in_clear_or_forged(ada: Person) -> None:
    """Neither a case nor a list of cases."""
    ada.encrypted = False
    assert await ada.hears("export") == ["refusal_unencrypted_room"]
    assert await ada.hears("cases") == ["refusal_unencrypted_room"]
    assert await ada.hears("anything at all") == ["refusal_unencrypted_room"]
    assert await ada.hears("privacy") == ["privacy"]
    ada.encrypted, ada.trust = True, Trust.MISMATCH
    assert await ada.hears("export") == ["refusal_forged"]
    assert await ada.hears("my words") == ["refusal_forged"]
    assert await ada.cases() == []


async def test_status_and_cases(ada: Person) -> None:
    """Where it stands, and by when it is due."""
    assert (await ada.says("status"))[0].values == {"cases": [], "more": False}
    await ada.hears("export")
    await ada.hears("complaint the server was down")
    (status,) = await ada.says("status")
    assert [case["kind"] for case in status.values["cases"]] == ["complaint", "export"]
    export = (await ada.cases())[0]
    (one,) = await ada.says(f"status {export.reference.lower()}")
    assert [case["reference"] for case in one.values["cases"]] == [export.reference]
    assert one.values["cases"][0]["overdue"] is False
    ada.waits(timedelta(days=60))
    assert (await ada.says("cases"))[0].values["cases"][1]["overdue"] is True


async def test_status_says_how_far_the_work_is(ada: Person) -> None:
    """While the job runs, its own figure; before it has begun, none."""
    await ada.hears("export")
    assert (await ada.says("status"))[0].values["cases"][0]["percent"] is None
    case = await ada.case()
    (job,) = await ada.read(lambda tx: jobs.of_case(tx, case.id))
    progress = Progress(done=3, total=4, started_at=START).to_json()

    async def work(tx: Tx) -> None:
        await service.move(tx, START, case, CaseState.WORKING, "bot", "test.moved")
        await jobs.admit(tx, job.id, name="export", run_token="r", at_once=1, now=START)
        await jobs.checkpoint(tx, job.id, "r", step="s", result={}, progress=progress, now=START)

    await ada.database.write(work)
    assert (await ada.says("status"))[0].values["cases"][0]["percent"] == 75


async def test_somebody_elses_case_is_unknown(ada: Person, bob: Person) -> None:
    """In the same words as one that never was."""
    await ada.hears("export")
    reference = (await ada.case()).reference
    for command in ("status", "cancel", "received"):
        assert await bob.hears(f"{command} {reference}") == ["refusal_unknown_case"]
        assert await bob.hears(f"{command} DPO-2001-0001") == ["refusal_unknown_case"]
    assert await bob.hears(f"reply {reference} hello") == ["refusal_unknown_case"]


async def test_cancel_takes_the_one_open_request_back(ada: Person) -> None:
    """Without a reference, if there is no doubt."""
    assert await ada.hears("cancel") == ["refusal_nothing_to_cancel"]
    await ada.hears("export")
    assert await ada.hears("cancel") == ["cancelled"]
    assert (await ada.case()).state is CaseState.WITHDRAWN
    assert await ada.hears(f"cancel {(await ada.case()).reference}") == ["refusal_not_withdrawable"]


async def test_cancel_asks_which_one(ada: Person) -> None:
    """With two, nothing is guessed."""
    await ada.hears("export")
    await ada.hears("complaint x")
    (reply,) = await ada.says("cancel")
    assert (reply.template, len(reply.values["cases"])) == ("refusal_which_case", 2)
    assert {case.state for case in await ada.cases()} == {CaseState.APPROVED, CaseState.REVIEW}


async def test_an_unverified_device_changes_nothing_verified(ada: Person) -> None:
    """It can neither withdraw, nor confirm, nor add to a verified request."""
    await ada.hears("export")
    case = await ada.case()
    ada.trust = Trust.UNSIGNED
    assert await ada.hears("cancel") == ["refusal_untrusted_change"]
    assert await ada.hears(f"reply {case.reference} words") == ["refusal_untrusted_change"]
    assert await ada.hears("just words") == ["free_text_offer"]
    await _deliver(ada)
    assert await ada.hears("received") == ["refusal_untrusted_change"]
    assert await ada.words_of(case) == []


async def test_received_closes_a_delivered_case_and_wants_the_copy_gone(ada: Person) -> None:
    """Only after delivery."""
    assert await ada.hears("received") == ["refusal_nothing_to_receive"]
    await ada.hears("export")
    assert await ada.hears("received") == ["refusal_nothing_to_receive"]
    assert await ada.hears(f"received {(await ada.case()).reference}") == ["refusal_not_delivered"]
    await _deliver(ada)
    assert await ada.hears("Got it, thanks!") == ["received"]
    assert ((await ada.case()).state, "expire" in await _jobs(ada)) == (CaseState.CLOSED, True)


async def test_thanks_for_a_message_is_no_confirmation(ada: Person) -> None:
    """A sentence that begins with 'received' deletes nothing."""
    await ada.hears("export")
    await _deliver(ada)
    assert await ada.hears("received your message, but where is the archive?") == ["free_text_added"]
    assert (await ada.case()).state is CaseState.DELIVERED


async def test_language(ada: Person) -> None:
    """Set, shown, or unknown."""
    assert await ada.hears("language English") == ["language_set"]
    person = await ada.read(lambda tx: people.get(tx, ada.user_id))
    assert person is not None
    assert person.language == "en"
    assert await ada.hears("language klingon") == ["refusal_unknown_language"]
    assert await ada.hears("language") == ["languages"]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("rectify my birthday is wrong", Kind.RECTIFICATION),
        ("restrict", Kind.RESTRICTION),
        ("object to the statistics", Kind.OBJECTION),
        ("automated", Kind.AUTOMATED),
        ("complaint: nobody answers", Kind.COMPLAINT),
        ("security my account was taken", Kind.SECURITY),
        ("child", Kind.CHILD),
    ],
)
async def test_every_right_opens_a_case_for_a_human(ada: Person, said: str, kind: Kind) -> None:
    """It waits for a decision, with the person's words in it, and nothing happens by itself."""
    assert await ada.hears(said) == [f"request_{kind.value}"]
    case = await ada.case()
    assert (case.kind, case.state, await _jobs(ada)) == (kind, CaseState.REVIEW, [])
    _, _, rest = said.partition(" ")
    assert await ada.words_of(case) == ([rest] if rest else [])


async def test_more_of_the_same_goes_into_the_same_case(ada: Person) -> None:
    """Two complaints in a row are one conversation."""
    await ada.hears("complaint the first thing")
    assert await ada.hears("complaint the second thing") == ["free_text_added"]
    assert await ada.words_of(await ada.case()) == ["the first thing", "the second thing"]


async def test_the_deadline_is_in_the_answer(ada: Person) -> None:
    """One month, by the calendar."""
    (reply,) = await ada.says("complaint x")
    assert reply.values["due_at"] == datetime(2026, 12, 23, 23, 59, 59, tzinfo=UTC)


async def test_a_command_is_taken_once(ada: Person) -> None:
    """The same event, handed in again after a crash, finds its case."""
    await ada.says("export")
    ada.said -= 1
    assert await ada.hears("export") == ["export_accepted"]
    assert len(await ada.cases()) == 1


async def test_look_alikes_of_staff_are_people(ada: Person) -> None:
    """Staff commands mean nothing in a person's room, whatever the person is called."""
    ada.user_id = UserId("@dpo-staff:example.org")
    assert await ada.hears("approve DPO-2026-0001") == ["free_text_offer"]
