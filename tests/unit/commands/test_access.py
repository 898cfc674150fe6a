"""`access`: a statement made by the machine, and a human for what is beside it."""

import pytest

from dpobot.cases import queries, service
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store.database import Tx
from tests.unit.commands.conftest import Person


async def test_it_opens_a_case_for_the_machine(ada: Person) -> None:
    """Only the statement is wanted of it; whether it is approved at once policy says."""
    assert await ada.hears("access") == ["access_waiting"]
    case = await ada.case()
    assert (case.kind, dict(case.options), service.job_of(case)) == (
        Kind.ACCESS,
        {"sections": ["statement"]},
        "export",
    )


async def test_words_beside_it_reach_a_human(ada: Person) -> None:
    """They are in the case, the next ones too; an open case with no new words is named."""
    await ada.hears("access who read my letters?")
    assert await ada.hears("access and when?") == ["free_text_added"]
    assert await ada.words_of(await ada.case()) == ["who read my letters?", "and when?"]
    assert await ada.hears("access") == ["refusal_already_open"]


async def test_an_account_elsewhere_is_for_human_hands(ada: Person) -> None:
    """What this server holds of it people look up."""
    ada.local = False
    assert await ada.hears("access") == ["request_access"]
    assert service.job_of(await ada.case()) is None


def _copies(ada: Person) -> service.Opening:
    return service.Opening(
        person=ada.user_id,
        kind=Kind.ACCESS,
        channel=Channel.MATRIX,
        trust=Trust.SIGNED,
        local=True,
        room_id=None,
        event_id=None,
        options={service.COPIES: True},
        received_at=ada.now,
    )


@pytest.mark.parametrize("first", ["access", "copies"])
async def test_a_statement_and_the_question_for_copies_do_not_block_each_other(ada: Person, first: str) -> None:
    """In either order; and the question alone keeps no erasure waiting."""

    async def ask_for_copies(tx: Tx) -> Case:
        return (await service.open_case(tx, ada.now, _copies(ada), ada.desk._rules)).case

    async def waiting(tx: Tx) -> Case | None:
        return await queries.open_access(tx, ada.user_id)

    if first == "copies":
        await ada.database.write(ask_for_copies)
        assert await ada.database.read(waiting) is None
    assert await ada.hears("access") == ["access_waiting"]
    if first == "access":
        await ada.database.write(ask_for_copies)
    found = await ada.database.read(waiting)
    assert found is not None
    assert dict(found.options) == service.STATEMENT
    assert [case.state for case in await ada.cases()] == [CaseState.REVIEW, CaseState.REVIEW]
