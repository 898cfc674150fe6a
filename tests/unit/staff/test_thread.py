"""A person's words become quotations of which each fits into a message, and nothing is cut away."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from dpobot.model.ids import EventId
from dpobot.model.records import Reply
from dpobot.staff import thread
from dpobot.store.case_messages import CaseMessage, Direction
from dpobot.text.render import MOST_BYTES, Renderer, templates_folder
from tests.unit.text.samples import GLOBALS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RENDERER = Renderer(templates_folder(), GLOBALS)


def _messages(*texts: str) -> list[CaseMessage]:
    return [
        CaseMessage(number, 1, EventId(f"${number}"), None, Direction.PERSON, False, NOW, text)
        for number, text in enumerate(texts)
    ]


def _quoted(replies: list[Reply]) -> list[str]:
    contents = [RENDERER.message(reply, "en") for reply in replies]
    assert all("formatted_body" in content and len(json.dumps(content)) <= MOST_BYTES for content in contents)
    return [line.removeprefix("│").strip() for c in contents for line in str(c["body"]).split("\n") if line[:1] == "│"]


def test_no_words_are_no_message() -> None:
    """A case may change without them."""
    assert thread.words([]) == []


def test_an_empty_line_stays_one() -> None:
    """A letter keeps its paragraphs."""
    assert _quoted(thread.words(_messages("Dear team,\n\nI write to you"))) == ["Dear team,", "", "I write to you"]


def test_the_longest_message_is_whole() -> None:
    """Sixty-four kilobytes of the widest characters, in one line or in many."""
    for text in ("🐘" * 16_000, "<" * 60_000, "\n".join(str(n) for n in range(9_000)), "ж" * 32_000):
        replies = thread.words(_messages(text))
        assert "".join(_quoted(replies)) == text.replace("\n", "")
        assert all(piece["more"] for reply in replies[:-1] for piece in reply.values["messages"])


@given(st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=9_000), max_size=20))
def test_whatever_is_written_can_be_sent_and_read(texts: list[str]) -> None:
    """In its order; letters, numbers, marks and symbols all come through."""
    assert "".join(_quoted(thread.words(_messages(*texts)))) == "".join(texts)
