"""Who may read an event: each rule of the specification's "Room history visibility", as a story of few events."""

from dataclasses import dataclass

import pytest

from dpobot.archive.visibility import Outline, outline, verdicts

_SETS = ("world_readable", "shared", "invited", "joined", "nonsense")


@dataclass(frozen=True)
class Event:
    """One event of a story."""

    event_id: str
    visibility: str | None = None
    membership: str | None = None
    before: str | None = None


def story(words: str) -> list[Event]:
    """Return the story that some words tell: a visibility, a membership of the person, or ``.`` for anything else."""
    now: dict[str, str | None] = {"visibility": None, "membership": None}
    told: list[Event] = []
    for number, word in enumerate(words.split()):
        kind = "visibility" if word in _SETS else "membership"
        if word == ".":
            told.append(Event(f"${number}"))
        else:
            told.append(Event(f"${number}", before=now[kind], **{kind: word}))
            now[kind] = word
    return told


def judged(told: list[Event], visibility_now: str | None = None, membership_now: str = "leave") -> str:
    """Return the verdicts of a story, one letter each: a(llowed), g(enerous), d(enied)."""
    known = outline(told, visibility_now, membership_now)
    found = list(verdicts(told, known))
    assert [event_id for event_id, _ in found] == [event.event_id for event in told]
    return " ".join(verdict.value[0] for _, verdict in found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # anybody may read what all the world may read
        ("world_readable . .", "a a a"),
        # shared: for who is there, and for what was before a later joining
        ("shared . join . leave . ", "a a a a a d"),
        (". join .", "a a a"),
        ("shared join . leave . join .", "a a a a a a a"),
        # never joined: Synapse shows it until the last membership, the specification to nobody
        ("shared . invite . leave .", "g g g g a d"),
        ("shared . knock . leave .", "g g g g a d"),
        ("shared join ban . leave .", "a a a g g d"),
        # invited: from the invitation on
        ("invited . invite . join . leave .", "a d a a a a a d"),
        ("invited . join . leave . join .", "a d a a a d a a"),
        ("invited . invite . leave .", "g d a a a d"),
        # joined: only while being there
        ("joined . invite . join . leave .", "a d d d a a a d"),
        ("joined . join . leave . join . ban .", "a d a a a d a a a d"),
        # what nobody knows counts as shared
        ("nonsense . join", "a a a"),
        ("nonsense . ", "d d"),
        # a change of visibility is readable if either side is; what follows it, by its own
        ("joined . world_readable . joined . shared . join .", "a d a a a d a a a a"),
        ("world_readable . joined .", "a a a d"),
        ("invited . joined . invited . invite", "g d d d d d a"),
        # the end of an invitation is told to who was invited, whatever the visibility
        ("joined invite . leave", "g d d a"),
    ],
)
def test_the_rules(words: str, expected: str) -> None:
    """Allowed, shown by servers beyond the rules, or denied."""
    assert judged(story(words)) == expected


def test_a_story_that_begins_late_begins_with_what_was_before() -> None:
    """Where a server has deleted what was before, the first change says what it changed."""
    late = [Event("$1"), Event("$2", membership="leave", before="join"), Event("$3")]
    assert judged(late, "joined") == "a a d"
    changed = [Event("$1"), Event("$2", visibility="shared", before="world_readable"), Event("$3")]
    assert judged(changed, "shared") == "a a d"


def test_a_story_without_any_change_is_as_it_is_now() -> None:
    """Nothing in it changed: the person was there all the time, or never, in a room as it is."""
    silent = [Event("$1"), Event("$2")]
    assert judged(silent, "joined", "join") == "a a"
    assert judged(silent, "joined", "leave") == "d d"
    assert judged(silent, "world_readable", "ban") == "a a"
    assert judged(silent, "shared", "forgotten") == "d d"


def test_an_invitation_from_before_the_story_counts_for_nothing() -> None:
    """Nobody knows how long before: what came between is rather denied than read by somebody who was not invited."""
    late = [Event("$1"), Event("$2", membership="join", before="invite"), Event("$3")]
    assert judged(late, "invited") == "d a a"
    assert outline([Event("$1")], "invited", "invite") == Outline("invited", "leave", -1, -1)
