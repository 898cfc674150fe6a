"""What staff say to each other: kept as notes, never acted on, never sent."""

import pytest

from dpobot.commands.staff_arguments import EXAMPLES
from dpobot.model.records import IncomingKind, ToPerson
from dpobot.model.words import CaseState
from dpobot.store.case_messages import Direction
from tests.unit.commands.staff.conftest import Member, Office

TALK = [
    "I think we should ask for more time",
    "closed it is, then",
    "claim? I would rather not",
    "close, but not yet",
    "replying takes a while",
    "notice that the account is new",
    "12",
    "✅",
    "He wrote:\n\nreply to me",
]
# begins like a command and goes on as talk does -> the sentence that comes back
LOOKS_LIKE = {
    "close to the deadline we should ask him": "reads_like_talk",
    "close friends of his wrote, too": "reads_like_talk",
    "claim that he is somebody else": "extra_words",
    "approve of this, anyone": "extra_words",
    "pause for now, he annoys me": "reads_like_talk",
    "hold on, I am looking": "reads_like_talk",
    "verify that he is a member, please": "reads_like_talk",
    "reply to him tomorrow": "reads_like_talk",
    "extend 2 more weeks for his holiday?": "reads_like_talk",
    "extend the deadline": "not_one_of",
    "refuse to answer such things": "not_one_of",
    "open to suggestions": "not_one_of",
    "release him from this": "extra_words",
    "resume after lunch": "extra_words",
    "undo what he did": "extra_words",
    "attach the log please": "extra_words",
    "assign him": "missing_words",
    "show me": "extra_words",
    "stats look good": "extra_words",
    "queue is long today": "not_one_of",
    "reply": "missing_words",
    "pause": "missing_words",
    "refuse identity": "missing_words",
}


@pytest.mark.parametrize("words", TALK)
async def test_talk_in_a_thread_is_a_note(office: Office, dora: Member, words: str) -> None:
    """It is kept with the case, sealed, and nothing is answered."""
    case = await office.opens()
    assert await dora.says(words, case) == []
    assert await office.words(case, Direction.NOTE) == [words]
    assert await office.words(case, Direction.REPLY) == []


@pytest.mark.parametrize("words", TALK)
async def test_talk_in_the_main_time_line_is_nothing(office: Office, dora: Member, words: str) -> None:
    """It is neither answered nor kept."""
    case = await office.opens()
    assert await dora.says(words) == []
    assert await office.words(case, Direction.NOTE) == []


@pytest.mark.parametrize(("words", "code"), LOOKS_LIKE.items())
async def test_talk_that_looks_like_a_command_does_nothing(office: Office, dora: Member, words: str, code: str) -> None:
    """Nothing changes, nothing reaches the person, and the answer says how a note begins."""
    case = await office.opens()
    if code == "missing_words" and words == "assign him":
        code = "not_on_staff"
    assert await dora.hears(words, case) == [f"staff/refusal_{code}"]
    assert await office.case(case) == case
    assert await office.words(case, Direction.REPLY) == []
    assert code == "not_on_staff" or "begin with `note`" in dora.heard[-1]


@pytest.mark.parametrize("example", EXAMPLES.values())
async def test_an_example_is_understood(office: Office, dora: Member, example: str) -> None:
    """What is shown as right is never taken for talk, nor are its words refused."""
    case = await office.opens()
    (first, *_) = await dora.hears(example, case) or ["nothing"]
    wrong = ("extra_words", "missing_words", "not_one_of", "bad_date", "reads_like_talk", "unknown_command")
    assert first.removeprefix("staff/refusal_") not in wrong


async def test_what_reads_like_talk_is_done_after_a_colon(office: Office, dora: Member) -> None:
    """A colon, a line of its own or the prefix says that it was meant."""
    case = await office.opens()
    assert await dora.hears("reply: to him who asks", case) == ["user/staff_reply", "staff/reply_goes"]
    assert await dora.hears("close\nto end with: all is done.", case) == ["user/case_closed", "staff/closed"]
    assert await office.words(case, Direction.REPLY) == ["to him who asks", "to end with: all is done."]
    other = await office.opens()
    await dora.says("extend 2 more weeks for his holiday", other)
    assert "`extend: 2 more weeks for his holiday`" in dora.heard[-1]
    assert await dora.hears("!dpo hold on court order", other) == ["staff/legal_hold"]


async def test_only_reply_and_the_words_of_decisions_reach_the_person(office: Office, dora: Member) -> None:
    """Every other command, with a word that must not leak, sends nothing of it."""
    case = await office.opens()
    for said in (
        "note zebra", "zebra", "hold zebra order", "verify zebra called back", "assess nature high zebra",
        "show", "trail", "queue", "stats", "help", "claim", "assign nobody", "release", "undo", "attach",
    ):  # fmt: skip
        outcomes = await dora.says(said, case)
        assert [each for each in outcomes if isinstance(each, ToPerson)] == [], said


async def test_an_unknown_command_is_said_to_be_none(dora: Member) -> None:
    """With the prefix it was meant for the bot."""
    for said in ("!frobnicate", "!dpo frobnicate"):
        assert await dora.hears(said) == ["staff/refusal_unknown_command"]


async def test_a_changed_message_changes_nothing(office: Office, dora: Member) -> None:
    """The command that was taken stays; the answer says so."""
    case = await office.opens()
    assert await dora.hears("claim", case, kind=IncomingKind.EDIT) == ["staff/edited_after"]
    assert (await office.case(case)).assignee is None


async def test_a_programs_word_is_not_answered(office: Office, dora: Member) -> None:
    """m.notice (spec 11.2.1.3): answering could go on for ever."""
    case = await office.opens()
    assert await dora.says("claim", case, content={"msgtype": "m.notice", "body": "claim"}) == []
    assert (await office.case(case)).assignee is None


async def test_a_quotation_is_not_a_command(office: Office, dora: Member) -> None:
    """What older clients put before a reply is left out."""
    case = await office.opens()
    body = "> <@ada:example.org> approve\n\nclaim"
    assert await dora.hears(body, case) == ["staff/claimed"]
    assert (await office.case(case)).state is CaseState.REVIEW


@pytest.mark.parametrize(
    ("body", "understood"),
    [("claim", True), ("!dpo queue", True), ("Claim DPO-2026-0001", True), ("hello", False), ("", False),
     ("notice that", False), ("notice announce 1", True)],
)  # fmt: skip
async def test_what_is_understood(dora: Member, body: str, understood: bool) -> None:
    """The gate refuses those who are not staff only what would have been a command."""
    assert await dora.office.desk.understands(body) is understood
