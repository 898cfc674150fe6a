"""Rooms read as conversations: edits, reactions and answers stand where they belong, on whatever page that is."""

import re
from typing import Any

import pytest

from dpobot.archive import relations
from dpobot.archive.facts import Package
from dpobot.archive.spool import Room, Spool
from dpobot.model.words import Scope
from tests.unit.archive.conftest import ALICE, BOB, Make, entries, message, noise
from tests.unit.archive.pages import read

ROOM = "!a:example.org"


def text(number: int, body: str, **content: Any) -> dict[str, Any]:
    return message(number, content={"msgtype": "m.text", "body": body, **content})


def edit(number: int, of: int, body: object, **changes: Any) -> dict[str, Any]:
    relation = {"rel_type": "m.replace", "event_id": f"${of}"}
    new = {"msgtype": "m.text", "body": body}
    return text(number, f"* {body}", **{"m.new_content": new, "m.relates_to": relation}) | changes


def reaction(number: int, to: str, key: str) -> dict[str, Any]:
    relation = {"rel_type": "m.annotation", "event_id": to, "key": key}
    return message(number, type="m.reaction", content={"m.relates_to": relation})


def answer(number: int, to: str, body: str, **relation: Any) -> dict[str, Any]:
    return text(number, body, **{"m.relates_to": {"m.in_reply_to": {"event_id": to}, **relation}})


def pages(spool: Spool, make: Make, events: list[dict[str, Any]], **changes: Any) -> list[str]:
    """The pages of a room with these events, in order."""
    spool.rooms([Room(1, ROOM, "a", "join")])
    spool.append(1, 0, events)
    return _pages(make(**changes))


def _pages(result: Package) -> list[str]:
    return [data.decode() for _, name, data in entries(result) if "/page-" in name]


def line(page: str, number: int) -> str:
    """What stands on the line of an event, its markup too, without white space that says nothing."""
    found = re.search(rf'<li id="e{number}".*?(?=<li id="e|</ol>\s*(?:<h2|<nav))', page, re.DOTALL)
    assert found, number
    return " ".join(found[0].split())


def words(page: str, number: int) -> str:
    return " ".join(re.sub("<[^>]+>", " ", line(page, number)).split())


def test_an_edit_is_shown_where_the_message_was_written(spool: Spool, make: Make) -> None:
    """The newest text, what it said before, and a trace where the edit was made."""
    page = pages(spool, make, [text(1, "first"), edit(2, 1, "second"), edit(3, 1, "third")])[0]
    assert '<p dir="auto">third</p>' in line(page, 1)
    assert "edited; what it said before" in words(page, 1)
    before = re.findall(r'<span class="before" dir="auto">(\w+)</span>', line(page, 1))
    assert before == ["first", "second"]
    assert "You edited this message" in words(page, 2)
    assert 'href="#e1"' in line(page, 2)
    assert "second" not in line(page, 2)


def test_edits_count_by_their_time(spool: Spool, make: Make) -> None:
    """The newest edit wins, whatever order the server gave them in."""
    late = edit(2, 1, "late", origin_server_ts=1_790_000_900_000_000)
    assert '<p dir="auto">late</p>' in line(pages(spool, make, [text(1, "a"), late, edit(3, 1, "early")])[0], 1)


@pytest.mark.parametrize(
    "wrong",
    [
        edit(2, 1, "x", sender=BOB),
        edit(2, 1, 5),
        edit(2, 1, "x", type="m.sticker"),
        edit(2, 1, "x", unsigned={"redacted_because": {"event_id": "$9"}}),
        edit(2, 7, "x"),
    ],
    ids=["of somebody else", "without words", "of another type", "deleted", "of what is not here"],
)
def test_what_is_no_valid_edit_changes_nothing(spool: Spool, make: Make, wrong: dict[str, Any]) -> None:
    """An edit by somebody else, without words, of another type, deleted: the message stays as it was sent."""
    page = pages(spool, make, [text(1, "as it was"), wrong])[0]
    assert '<p dir="auto">as it was</p>' in line(page, 1)
    assert "<details>" not in line(page, 1)
    assert 'class="trace"' not in line(page, 2)


def test_what_was_deleted_stays_deleted(spool: Spool, make: Make) -> None:
    """An edit does not bring a deleted message back."""
    gone = message(1, content={}, unsigned={"redacted_because": {"event_id": "$9", "type": "m.room.redaction"}})
    page = pages(spool, make, [gone, edit(2, 1, "again")])[0]
    assert "Deleted by somebody else" in words(page, 1)
    assert "again" not in line(page, 1)


def test_reactions_stand_below_the_message(spool: Spool, make: Make) -> None:
    """One's own reactions to one's own message are counted there; to somebody else's they are a line."""
    events = [
        text(1, "a"),
        reaction(2, "$1", "👍"),
        reaction(3, "$1", "👍"),
        reaction(4, "$1", "🎉"),
        reaction(5, "$x", "❤"),
    ]
    page = pages(spool, make, events)[0]
    assert "<li><bdi>👍</bdi> 2</li><li><bdi>🎉</bdi></li>" in line(page, 1)
    assert "You reacted ❤ to a message" in words(page, 5)
    assert ['class="trace"' in line(page, number) for number in (2, 3, 4, 5)] == [True, True, True, False]


def test_answers_quote_what_they_answer(spool: Spool, make: Make) -> None:
    """An answer shows the beginning of the person's own message as it reads now; others' it calls theirs."""
    events = [
        text(1, "word " * 60),
        edit(2, 1, "other " * 60),
        answer(3, "$1", "> <@alice:example.org> word\n\nyes"),
        answer(4, "$x", "> <@bob:example.org> will you?\n> come\n\nI will"),
        answer(5, "$x", "no words of theirs"),
        message(6, content={}, unsigned={"redacted_because": {"event_id": "$9"}}),
        answer(7, "$6", "why?"),
    ]
    page = pages(spool, make, events)[0]
    assert '<p dir="auto">yes</p>' in line(page, 3)
    assert '<a href="#e1">in reply to:</a>' in line(page, 3)
    assert ("other other" in words(page, 3), "…" in words(page, 3), "word" in words(page, 3)) == (True, True, False)
    assert "in reply to a message by somebody else: <@bob:example.org> will you? come I will" in words(page, 4).replace(
        "&lt;", "<"
    ).replace("&gt;", ">")
    assert "in reply to a message by somebody else no words of theirs" in words(page, 5)
    assert "in reply to: a deleted message why?" in words(page, 7)


def test_threads_are_marked(spool: Spool, make: Make) -> None:
    """A message in a thread says what the thread begins with, and a fallback for old programs is no answer."""
    thread = {"rel_type": "m.thread", "is_falling_back": True}
    events = [
        text(1, "the beginning"),
        answer(2, "$1", "goes on", event_id="$1", **thread),
        answer(3, "$x", "elsewhere", event_id="$x", **thread),
    ]
    page = pages(spool, make, events)[0]
    assert "in a thread that begins with: the beginning goes on" in words(page, 2)
    assert "in a thread elsewhere" in words(page, 3)
    assert "in reply" not in line(page, 2)


def test_what_belongs_together_is_found_across_pages(spool: Spool, make: Make) -> None:
    """Hundreds of messages later, an edit still changes the message, and links lead back to its page."""
    filler = [text(n, "…") for n in range(10, 1_200)]
    events = [text(1, "first"), *filler, edit(2, 1, "second"), reaction(3, "$1", "👍"), answer(4, "$1", "hm")]
    made = pages(spool, make, events)
    assert len(made) == 3
    assert '<p dir="auto">second</p>' in line(made[0], 1)
    assert "👍" in line(made[0], 1)
    for number in (1_192, 1_193, 1_194):
        assert 'href="page-0001.html#e1"' in line(made[2], number)
    assert "in reply to: second hm" in words(made[2], 1_194)


def test_across_volumes_there_is_no_link(spool: Spool, make: Make) -> None:
    """What an edit is about may lie in another volume: the message reads as edited there, the trace says where."""
    filler = [text(n, noise(n, 700)) for n in range(10, 900)]
    spool.rooms([Room(1, ROOM, "a", "join")])
    spool.append(1, 0, [text(1, "first"), *filler, edit(2, 1, "second")])
    result = make(volume_bytes=500_000)
    made = _pages(result)
    assert len(result.volumes) > 1
    assert '<p dir="auto">second</p>' in line(made[0], 1)
    assert "You edited a message in another volume" in words(made[-1], len(filler) + 2)
    assert "<a" not in line(made[-1], len(filler) + 2)


def test_many_edits_are_cut_and_say_so(spool: Spool, make: Make) -> None:
    """A message edited a hundred times shows the last ten versions and how many more there are."""
    page = pages(spool, make, [text(1, "v0"), *(edit(n, 1, f"v{n}") for n in range(2, 102))])[0]
    assert re.findall(r"dir=\"auto\">(v\d+)<", line(page, 1)) == ["v101", *(f"v{n}" for n in range(91, 101))]
    assert "90 earlier ones are in the events file." in words(page, 1)


def test_long_edits_do_not_swell_a_page(spool: Spool, make: Make) -> None:
    """What edits bring to a page counts when it is cut: no page grows beyond what a browser likes."""
    events = [text(n, f"m{n}") for n in range(1, 301)]
    events += [edit(1_000 + n, n, "y" * 19_000) for n in range(1, 301)]
    made = pages(spool, make, events)
    assert max(len(page) for page in made) < 700_000
    assert sum(page.count('<li id="e') for page in made) == 600


def test_beyond_what_is_remembered_nothing_is_lost(spool: Spool, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a room with more relations than are followed, the rest stand on their own lines with their words."""
    monkeypatch.setattr(relations, "MOST", 1)
    page = pages(spool, make, [text(1, "a"), text(2, "b"), edit(3, 1, "a2"), edit(4, 2, "b2")])[0]
    assert '<p dir="auto">a2</p>' in line(page, 1)
    assert '<p dir="auto">b</p>' in line(page, 2)
    assert "edited this message b2" in words(page, 4)


def test_others_are_named(spool: Spool, make: Make) -> None:
    """In scope visible each line has its sender, and nobody else's doing is called the person's."""
    events = [
        text(1, "mine"),
        text(2, "theirs") | {"sender": BOB},
        reaction(3, "$1", "👍") | {"sender": BOB},
        answer(4, "$2", "indeed"),
        edit(5, 1, "forged") | {"sender": BOB},
        message(6, type="m.room.member", state_key=BOB, sender=BOB, content={"membership": "join"}),
        message(7, type="m.room.topic", state_key="", sender=BOB, content={"topic": "cake"}),
    ]
    page = pages(spool, make, events, scope=Scope.VISIBLE)[0]
    assert words(page, 1).endswith(f"{ALICE} mine 👍")
    assert words(page, 2).endswith(f"{BOB} theirs")
    assert f"{BOB} reacted 👍 to this message" in words(page, 3)
    assert f"in reply to: {BOB} : theirs indeed" in words(page, 4)
    assert "forged" not in line(page, 1)
    assert f"{BOB} joined the room" in words(page, 6)
    assert f"{BOB} set the room's topic: cake" in words(page, 7)
    assert "You " not in "".join(words(page, number) for number in (2, 3, 5, 6, 7))
    assert read(page).faults == []
