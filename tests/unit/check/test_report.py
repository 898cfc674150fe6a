"""What people and machines are shown, and that no check hides another."""

import json

from dpobot.check import checks, report
from dpobot.check.finding import Answer, Check, Finding, Place, Standing, failed, ok, unseen, warning
from dpobot.errors import Rejected, Unavailable
from tests.unit.check.places import place


def _check(name: str, answer: Answer | Exception) -> Check:
    async def look(_: Place) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Check(name, f"Is {name} good?", look)


async def _found(*answers: Answer | Exception) -> list[Finding]:
    return await checks.run(place(), [_check(f"part {number}", answer) for number, answer in enumerate(answers)])


async def test_one_line_for_each_and_its_cure_below() -> None:
    """And how many there are of each kind."""
    found = await _found(ok("Fine."), warning("Hm.", "look"), unseen("Dark.", "lamp"))
    assert list(report.lines(found)) == [
        "ok             part 0: Fine.",
        "warning        part 1: Hm.",
        "               -> look",
        "can't be seen  part 2: Dark.",
        "               -> lamp",
        "1 ok, 1 warning, 1 can't be seen",
    ]


async def test_the_exit_status_is_the_worst_of_all() -> None:
    """What can't be seen is not held against anybody: a timer would complain for ever."""
    good, dark, hm, bad = ok("a"), unseen("b", "c"), warning("d", "e"), failed("f", "g")
    statuses = [report.status(await _found(*answers)) for answers in ([], [good, dark], [hm, good], [bad, hm])]
    assert statuses == [0, 0, 1, 2]


async def test_machines_get_the_same() -> None:
    """With the question, and the status."""
    document = json.loads(report.as_json(await _found(failed("Für immer.", "do it"))))
    finding = {"check": "part 0", "asks": "Is part 0 good?", "standing": "failed", "sentence": "Für immer."}
    assert document == {"status": 2, "findings": [finding | {"cure": "do it"}]}


async def test_a_check_that_gets_no_answer_has_failed_and_the_others_go_on() -> None:
    """Each code is told, and nothing else of the error."""
    found = await _found(Unavailable("timeout"), Rejected("M_FORBIDDEN", 403), ok("fine"))
    assert [(finding.answer.standing, finding.answer.sentence) for finding in found] == [
        (Standing.FAILED, "no answer now (timeout)"),
        (Standing.FAILED, "the homeserver refuses (403 M_FORBIDDEN)"),
        (Standing.OK, "fine"),
    ]


def test_names_are_unique_and_every_check_asks_a_question() -> None:
    """Machines tell findings apart by their names."""
    names = [check.name for check in checks.CHECKS]
    assert len(set(names)) == len(names)
    assert [check.name for check in checks.CHECKS if not check.asks.endswith("?")] == []
