"""A destructive command: planned, shown, confirmed by a typed code, performed exactly as planned."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from dpobot.cases.service import Rules
from dpobot.commands.desk import Desk
from dpobot.commands.registry import Registry
from dpobot.commands.spec import Arguments, Command, Context
from dpobot.model.records import Incoming, Json, Reply
from dpobot.store.database import Database
from dpobot.text import notice
from dpobot.text.render import templates_folder
from tests.unit.commands.conftest import Person
from tests.unit.text.samples import OPERATOR


class Shredder:
    """Something to destroy."""

    def __init__(self) -> None:
        self.sheets = 3
        self.shredded: list[Json] = []

    async def plan(self, context: Context, incoming: Incoming, arguments: Arguments) -> Json:
        """What would go."""
        return {"sheets": self.sheets}

    async def perform(self, context: Context, incoming: Incoming, plan: Json) -> Sequence[Reply]:
        """Let it go."""
        self.shredded.append(plan)
        return [Reply("nothing_said")]


@pytest.fixture
def shredder() -> Shredder:
    return Shredder()


@pytest.fixture
def eve(sqlite_database: Database, shredder: Shredder) -> Person:
    command = Command("shred", "shreds", destructive=True, plan=shredder.plan, perform=shredder.perform)
    desk = Desk(Registry([command]), Rules(), notice.load(templates_folder() / "notice", OPERATOR))
    person = Person(sqlite_database, desk)
    person.rendered = False
    return person


async def _code(eve: Person) -> str:
    (reply,) = await eve.says("shred")
    assert (reply.template, reply.values["plan"]) == ("confirm_shred", {"sheets": 3})
    return str(reply.values["code"])


async def test_nothing_happens_before_the_code(eve: Person, shredder: Shredder) -> None:
    """The plan is shown; then exactly it is performed, once."""
    code = await _code(eve)
    assert shredder.shredded == []
    assert await eve.hears(f" {code.lower()} ") == ["nothing_said"]
    assert shredder.shredded == [{"sheets": 3}]
    assert await eve.hears(code) == ["free_text_offer"]
    assert shredder.shredded == [{"sheets": 3}]


async def test_a_plan_that_no_longer_holds_is_not_performed(eve: Person, shredder: Shredder) -> None:
    """The person agreed to something else."""
    code = await _code(eve)
    shredder.sheets = 4
    assert await eve.hears(code) == ["refusal_plan_changed"]
    assert shredder.shredded == []


async def test_a_code_expires(eve: Person, shredder: Shredder) -> None:
    """Half an hour later it is a word like any other."""
    code = await _code(eve)
    eve.waits(timedelta(minutes=31))
    assert await eve.hears(code) == ["free_text_offer"]
    assert shredder.shredded == []


async def test_a_code_is_bound_to_its_person(eve: Person, bob: Person, shredder: Shredder) -> None:
    """Somebody else's code does nothing."""
    code = await _code(eve)
    bob.desk, bob.rendered = eve.desk, False
    assert await bob.hears(code) == ["free_text_offer"]
    assert shredder.shredded == []


async def test_a_wrong_code_is_no_code(eve: Person, shredder: Shredder) -> None:
    """Neither is a yes."""
    await _code(eve)
    for word in ("yes", "AAAAAA", ""):
        await eve.hears(word)
    assert shredder.shredded == []
