"""``reply``, ``undo``, ``note``, ``attach``, and files in a thread."""

from datetime import timedelta
from typing import Any

import pytest

from dpobot.model.records import Attachment, IncomingKind, ToPerson
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import files, outbox
from dpobot.store.case_messages import Direction
from dpobot.store.files import Purpose
from tests.unit.commands.staff.conftest import Member, Office, text_of, values_of


def _file(number: int = 1, **changes: Any) -> dict[str, Any]:
    key = {"kty": "oct", "key_ops": ["encrypt", "decrypt"], "alg": "A256CTR", "k": "A" * 43, "ext": True}
    file = {
        "url": f"mxc://example.org/file{number}",
        "key": key,
        "iv": "A" * 22,
        "hashes": {"sha256": "A" * 43},
        "v": "v2",
    }
    info = {"size": 1234, "mimetype": "application/pdf"}
    return {"msgtype": "m.file", "body": "log.pdf", "file": file, "info": info, **changes}


async def _sends(member: Member, case: Any, number: int = 1, **changes: Any) -> list[str]:
    content = _file(number, **changes)
    return await member.hears(content["body"], case, kind=IncomingKind.FILE, content=content)


async def test_a_reply_says_to_whom_it_goes_and_when(office: Office, dora: Member) -> None:
    """After ten seconds, in paragraphs as it was written; the case is answered."""
    case = await office.opens()
    to_person, told = await dora.says("reply Hello Ada,\n\nwe are on it.", case)
    assert isinstance(to_person, ToPerson)
    assert (to_person.case.person, to_person.delay) == (case.person, timedelta(seconds=10))
    assert "Hello Ada,\n\nwe are on it." in text_of(to_person)
    assert "`@ada:example.org` at 09:00:10 UTC" in text_of(told)
    assert await office.words(case, Direction.REPLY) == ["Hello Ada,\n\nwe are on it."]
    assert (await office.case(case)).answered_at == office.now


async def test_undo_within_the_delay(office: Office, dora: Member) -> None:
    """Nothing of it is sent, and the case is unanswered again."""
    case = await office.opens()
    await dora.says("reply Hello Bob.", case)
    assert await dora.hears("undo", case) == ["staff/undone"]
    office.waits(timedelta(minutes=1))
    assert await office.read(lambda tx: outbox.due(tx, office.now, 10)) == []
    assert await office.words(case, Direction.REPLY) == []
    assert (await office.case(case)).answered_at is None
    assert await dora.hears("undo", case) == ["staff/refusal_nothing_to_undo"]


async def test_undo_comes_too_late(office: Office, dora: Member) -> None:
    """What is on its way stays in the record."""
    case = await office.opens()
    await dora.says("reply Hello Ada.", case)
    office.waits(timedelta(seconds=10))
    assert await dora.hears("undo", case) == ["staff/refusal_too_late"]
    assert await office.words(case, Direction.REPLY) == ["Hello Ada."]


async def test_a_colleagues_reply_is_not_undone(office: Office, dora: Member, emil: Member) -> None:
    """Everybody takes back their own words."""
    case = await office.opens()
    await dora.says("reply Hello Ada.", case)
    assert await emil.hears("undo", case) == ["staff/refusal_nothing_to_undo"]


async def test_words_of_a_decision_are_not_undone(office: Office, dora: Member) -> None:
    """The person must know what was decided."""
    case = await office.opens()
    await dora.says("pause Which account do you mean?", case)
    assert await dora.hears("undo", case) == ["staff/refusal_too_late"]


async def test_undo_of_what_was_only_recorded(office: Office, dora: Member) -> None:
    """Who can't be reached has not been written to: the record is struck."""
    case = await office.opens(person="@bob:elsewhere.example", channel=Channel.POST, trust=Trust.UNKNOWN)  # type: ignore[arg-type] # a user ID
    await dora.says("reply Hello Bob.", case)
    assert await dora.hears("undo", case) == ["staff/undone"]
    assert await office.words(case, Direction.REPLY) == []


async def test_a_reply_in_a_case_that_is_over(office: Office, dora: Member) -> None:
    """The person may still be told something."""
    case = await office.moves(await office.opens(), CaseState.WITHDRAWN)
    assert await dora.hears("reply One more thing.", case) == ["user/staff_reply", "staff/reply_goes"]


async def test_a_reply_that_would_be_cut_is_refused(office: Office, dora: Member) -> None:
    """Words never arrive in part."""
    case = await office.opens()
    for words in ("x" * 20_000, "x" * 8_001, "ü" * 3_000, "x\n" * 201):
        assert await dora.hears(f"reply {words}", case) == ["staff/refusal_too_long"]
    for words in ("x" * 8_000, "ü" * 2_300, "🙂" * 1_150, "x\n" * 199 + "x"):
        to_person, _ = await dora.says(f"reply {words}", case)
        assert words in text_of(to_person)


async def test_a_note_from_the_main_time_line_is_confirmed(office: Office, dora: Member) -> None:
    """In its thread it is silent."""
    case = await office.opens()
    assert await dora.hears(f"note {case.reference} the person called") == ["staff/noted"]
    assert await dora.hears("note and called again", case) == []
    assert await office.words(case, Direction.NOTE) == ["the person called", "and called again"]


async def test_files_of_a_thread_wait_for_attach(office: Office, dora: Member) -> None:
    """The first is answered once; with attach they go with the next reply, once."""
    case = await office.opens()
    assert await dora.hears("attach", case) == ["staff/refusal_nothing_to_attach"]
    assert await _sends(dora, case, 1) == ["staff/file_waits"]
    assert await _sends(dora, case, 2) == []
    assert await dora.hears("attach", case) == ["staff/attached"]
    to_person, told = await dora.says("reply Here are our logs.", case)
    assert isinstance(to_person, ToPerson)
    assert [file.file.url for file in to_person.files] == ["mxc://example.org/file1", "mxc://example.org/file2"]
    assert "2 files" in text_of(told)
    again, _ = await dora.says("reply That was all.", case)
    assert isinstance(again, ToPerson)
    assert again.files == ()


async def test_undo_gives_the_files_back(office: Office, dora: Member) -> None:
    """They go with the next reply instead."""
    case = await office.opens()
    await _sends(dora, case)
    await dora.says("attach", case)
    await dora.says("reply Here is the log.", case)
    assert await dora.hears("undo", case) == ["staff/undone"]
    office.waits(timedelta(minutes=1))
    assert await office.read(lambda tx: outbox.due(tx, office.now, 10)) == []
    to_person, _ = await dora.says("reply Here is the right log.", case)
    assert isinstance(to_person, ToPerson)
    assert len(to_person.files) == 1


async def test_files_for_an_archive_that_is_not_made_yet(office: Office, dora: Member) -> None:
    """They go into it."""
    case = await office.opens(Kind.EXPORT)
    await _sends(dora, case)
    (told,) = await dora.says("attach", case)
    assert values_of(told)["archive"] is True
    assert len(await office.read(lambda tx: files.of_case(tx, case.id, Purpose.ARCHIVE))) == 1
    (shown,) = await dora.says("show", case)
    assert "goes into the archive" in text_of(shown)


async def test_a_caption_is_a_note_and_never_a_command(office: Office, dora: Member) -> None:
    """Beside a file nothing is commanded."""
    case = await office.opens()
    assert await _sends(dora, case, filename="log.pdf", body="reply this one") == ["staff/file_waits"]
    assert await office.words(case, Direction.NOTE) == ["reply this one"]


@pytest.mark.parametrize("changes", [{"file": None, "url": "mxc://a/b"}, {"info": {}}, {"info": {"size": 10**9}}])
async def test_files_that_are_not_taken(office: Office, dora: Member, changes: dict[str, Any]) -> None:
    """In clear, without a size, too large."""
    case = await office.opens()
    assert await _sends(dora, case, **changes) == ["staff/refusal_file_unusable"]


async def test_a_file_in_the_main_time_line_is_nothing(office: Office, dora: Member) -> None:
    """It belongs to no case."""
    assert await _sends(dora, None) == []


async def test_a_file_of_the_persons_is_not_attached(office: Office, dora: Member) -> None:
    """Evidence stays where it is."""
    case = await office.opens()
    assert await dora.hears("attach", case) == ["staff/refusal_nothing_to_attach"]


def test_an_attachment_does_not_show_its_bytes() -> None:
    """Not even in a traceback."""
    assert "secret" not in repr(Attachment("a", "b/c", b"secret"))
