"""Acting as a person through MAS: lent for exactly them, for a while, and taken back whatever happens."""

import asyncio

import pytest
import structlog

from dpobot.errors import Rejected
from dpobot.homeserver.http import Http
from dpobot.homeserver.mas.admin import MasAdmin
from dpobot.homeserver.mas.lender import MasLender
from dpobot.model.ids import UserId
from tests.mas.service import API, Mas
from tests.mas.stand_in import Served
from tests.mas.things import Thing

_ANNA = UserId("@anna:dpobot.test")
_HTTP = Http("http://127.0.0.1:9", "not asked", 0)


def sessions(mas: Mas) -> list[Thing]:
    """Return every session that was lent."""
    return list(mas.things["personal-sessions"].values())


async def test_what_is_lent_acts_as_the_person_without_a_device_and_ends(stand_in: Served, mas_admin: MasAdmin) -> None:
    """The scope is the client API alone; a quarter of an hour at most; revoked after use."""
    await stand_in.mas.register("anna")
    async with MasLender(mas_admin).lend(_HTTP, _ANNA) as token:
        assert token is not None
        (session,) = sessions(stand_in.mas)
        assert not session.ended
    lent = stand_in.mas.tokens[token]
    (request,) = [each for each in stand_in.exchanges if each.path.endswith("personal-sessions")]
    assert (lent.scope, lent.device) == (API, None)
    assert b'"expires_in": 900' in request.body
    assert session.attributes["actor_user_id"] == stand_in.mas.user("anna").id
    assert session.ended


async def test_it_ends_after_an_error_and_after_a_cancellation(stand_in: Served, mas_admin: MasAdmin) -> None:
    """A job that is stopped leaves no key to an account behind."""
    await stand_in.mas.register("anna")
    inside = asyncio.Event()

    async def work(*, fail: bool) -> None:
        async with MasLender(mas_admin).lend(_HTTP, _ANNA):
            if fail:
                raise ValueError("trouble")
            inside.set()
            await asyncio.Event().wait()

    with pytest.raises(ValueError, match="trouble"):
        await work(fail=True)
    task = asyncio.create_task(work(fail=False))
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [session.ended for session in sessions(stand_in.mas)] == [True, True]


async def test_what_was_ended_already_is_no_trouble(stand_in: Served, mas_admin: MasAdmin) -> None:
    """A deactivation in between revokes it, too."""
    await stand_in.mas.register("anna")
    with structlog.testing.capture_logs() as logged:
        async with MasLender(mas_admin).lend(_HTTP, _ANNA):
            user = stand_in.mas.user("anna")
            stand_in.mas.deactivate_later(user, erase=True)
            await stand_in.mas.queue.done()
    assert logged == []
    assert sessions(stand_in.mas)[0].ended


async def test_what_can_not_be_ended_is_logged_and_loses_nothing(stand_in: Served, mas_admin: MasAdmin) -> None:
    """The session ends by itself; the log has a code and no name."""
    await stand_in.mas.register("anna")
    with structlog.testing.capture_logs() as logged:
        async with MasLender(mas_admin).lend(_HTTP, _ANNA):
            stand_in.mas.client_secret = "changed"
            stand_in.mas.tokens.clear()
    assert [(line["event"], line["code"]) for line in logged] == [("mas.session_left", "mas_client_refused")]
    assert "anna" not in str(logged)


@pytest.mark.parametrize(("state", "code"), [("locked_at", "M_USER_LOCKED"), ("deactivated_at", "M_USER_DEACTIVATED")])
async def test_nothing_is_lent_of_an_account_that_can_not_act(
    state: str, code: str, stand_in: Served, mas_admin: MasAdmin
) -> None:
    """A category then says why it is empty, instead of failing with a token that Synapse does not know."""
    await stand_in.mas.register("anna")
    stand_in.mas.user("anna").attributes[state] = "2026-11-23T08:00:00Z"
    with pytest.raises(Rejected) as error:
        async with MasLender(mas_admin).lend(_HTTP, _ANNA):
            pass
    assert error.value.code == code
    assert sessions(stand_in.mas) == []


@pytest.mark.parametrize("user", ["@anna:elsewhere.test", "@Anna:dpobot.test", "@nobody:dpobot.test", "anna"])
async def test_nobody_gets_the_key_of_somebody_of_a_like_name(user: str, stand_in: Served, mas_admin: MasAdmin) -> None:
    """Not of the same name elsewhere, and not of a name in other letters, which MAS takes for the same."""
    await stand_in.mas.register("anna")
    with pytest.raises(Rejected) as error:
        async with MasLender(mas_admin).lend(_HTTP, UserId(user)):
            pass
    assert error.value.code == "acting_refused"
    assert sessions(stand_in.mas) == []
