"""What jobs need of the bot's account is the same on another machine: the contract of `Matrix`, with letters."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from dpobot.delivery.courier import TOKEN_REFUSED, lend_token
from dpobot.errors import Unavailable
from dpobot.store.database import Database
from tests.contracts.matrix_stage import Stage, talking, text
from tests.contracts.matrix_stage import stack as stack
from tests.contracts.posted_stage import PACE, PostedInMemory, PostedReal, halves
from tests.contracts.test_matrix import test_a_file_comes_back_as_it_went as test_a_file_comes_back_as_it_went
from tests.contracts.test_matrix import test_a_medium_that_never_was as test_a_medium_that_never_was
from tests.contracts.test_matrix import test_a_redaction_is_harmless_to_repeat as test_a_redaction_is_harmless_to_repeat
from tests.contracts.test_matrix import test_a_room_says_who_is_there as test_a_room_says_who_is_there
from tests.contracts.test_matrix import test_a_transaction_is_one_event as test_a_transaction_is_one_event
from tests.contracts.test_matrix import (
    test_nothing_goes_in_clear_but_a_warning as test_nothing_goes_in_clear_but_a_warning,
)
from tests.contracts.test_matrix import (
    test_rooms_that_are_not_ours_are_closed as test_rooms_that_are_not_ours_are_closed,
)
from tests.contracts.test_matrix import test_what_is_for_two_goes_to_two as test_what_is_for_two_goes_to_two
from tests.contracts.test_matrix_relations import test_what_is_not_there_is_gone as test_what_is_not_there_is_gone
from tests.live.conftest import register as register
from tests.live.conftest import synapse as synapse


@pytest.fixture(params=["memory", pytest.param("synapse", marks=pytest.mark.live)])
def stage(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    sqlite_database: Database,
    stack: AsyncExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    """A stage with a postman, on each of the two in turn."""
    for name in ("engine.turns._LOOK_AGAIN", "delivery.postman._SOON", "delivery.postman._CALM"):
        monkeypatch.setattr(f"dpobot.{name}", PACE)
    if request.param == "memory":
        return PostedInMemory(sqlite_database, stack)
    return PostedReal(request.getfixturevalue("synapse"), tmp_path, sqlite_database, stack)


async def test_machines_agree_on_a_transaction(stage: Stage) -> None:
    """What the bot's own machine has said, or said and not noted, another one says no second time, and the reverse."""
    bot, person, room_id = await talking(stage)
    own, elsewhere = halves(bot)
    for body, first, second in (("one", own, elsewhere), ("two", elsewhere, own)):
        events = {await half.send(room_id, text(body), txn_id=body) for half in (first, second)}
        assert len(events) == 1
    await bot.say(room_id, "end")
    assert await person.hears("end") == ["one", "two", "end"]


@pytest.mark.live
@pytest.mark.parametrize("stage", ["synapse"], indirect=True)
async def test_a_token_that_the_homeserver_no_longer_knows(stage: Stage, sqlite_database: Database) -> None:
    """The job waits for the bot to have another one, and then goes on."""
    bot, _, room_id = await talking(stage)
    own, elsewhere = halves(bot)
    await lend_token(sqlite_database, "syt_nobodys")
    with pytest.raises(Unavailable, match=TOKEN_REFUSED):
        await elsewhere.room(room_id)
    await lend_token(sqlite_database, own.access_token)  # type: ignore[attr-defined] # the stage's sessions are real
    assert (await elsewhere.room(room_id)).encrypted
