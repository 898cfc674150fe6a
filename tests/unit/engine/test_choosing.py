"""Which jobs are handed out: as many as have room, one of a person, never too many."""

from datetime import UTC, datetime

from dpobot.engine.choosing import MOST, choose, room
from dpobot.model.ids import UserId
from dpobot.model.records import Job
from dpobot.model.words import JobState

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def job(number: int, name: str = "export", person: str | None = None, *, cancel: bool = False) -> Job:
    """Return a job that waits."""
    who = UserId(person or f"@p{number}:example.org")
    return Job(number, number, name, who, JobState.WANTED, None, cancel, 0, 0, NOW, {}, None)


def test_room_is_what_neither_runs_nor_is_handed_out() -> None:
    """A name without room is not in it."""
    left = room({"export": 4, "erase": 1, "copies": 2}, {"export": 1, "erase": 1}, [job(1), job(2, "copies")])
    assert left == {"export": 2, "copies": 1}


def test_a_person_has_one_job_in_the_queue() -> None:
    """The first of theirs that is due; who has one there already gets no other."""
    due = [job(1, person="@a:x"), job(2, person="@a:x"), job(3, person="@b:x"), job(4)]
    assert choose(due, [job(9, person="@b:x")], {9}, {"export": 10}) == [due[0], due[3]]


def test_a_name_gets_no_more_than_it_has_room_for() -> None:
    """Others come in beside it."""
    due = [job(1), job(2), job(3, "copies")]
    assert choose(due, [], set(), {"export": 1, "copies": 1}) == [due[0], due[2]]


def test_what_is_to_be_cancelled_needs_no_room() -> None:
    """It ends here and now."""
    due = [job(1, cancel=True), job(2)]
    assert choose(due, [], set(), {}) == [due[0]]


def test_what_is_in_the_queue_is_not_handed_out_again() -> None:
    """Nor is anything once the queue is full."""
    due = [job(number) for number in range(MOST + 3)]
    queued = set(range(MOST - 1))
    assert choose(due, due[: MOST - 1], queued, {"export": 99}) == [due[MOST - 1]]
