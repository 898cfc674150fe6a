"""The token of the bot's own client at MAS: one at a time, kept while it is good, fetched anew when it isn't."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.http import Http
from dpobot.homeserver.mas.admin import MasAdmin
from dpobot.homeserver.mas.credentials import ClientCredentials
from tests.mas.stand_in import Served
from tests.unit.homeserver.conftest import Script
from tests.unit.homeserver.conftest import script as script

_VERSION = "GET /api/admin/v1/version"


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment

    def go(self, seconds: float) -> None:
        """Move."""
        self.moment += timedelta(seconds=seconds)


def client(stand_in: Served, clock: HandClock) -> MasAdmin:
    """Return a client whose time a test moves."""
    return MasAdmin(stand_in.mas.url, stand_in.mas.client_id, stand_in.mas.client_secret, 0, clock=clock)


async def version(mas: MasAdmin) -> object:
    """Ask for something that needs a token."""
    return (await mas.http.call(_VERSION))["version"]


async def test_a_token_is_used_until_shortly_before_its_end(stand_in: Served) -> None:
    """Of 300 seconds the last 30 are left: a request takes a moment."""
    clock = HandClock()
    mas = client(stand_in, clock)
    fetched = []
    for seconds in (0, 200, 69, 2):
        clock.go(seconds)
        assert await version(mas) == "1.22.0"
        fetched.append(stand_in.oauth.asked)
    await mas.close()
    assert fetched == [1, 1, 1, 2]


async def test_a_short_token_is_used_for_half_of_its_time(stand_in: Served) -> None:
    """Else a token of 20 seconds would be fetched for each request."""
    stand_in.mas.token_seconds = 20
    clock = HandClock()
    mas = client(stand_in, clock)
    fetched = []
    for seconds in (0, 9, 2):
        clock.go(seconds)
        await version(mas)
        fetched.append(stand_in.oauth.asked)
    await mas.close()
    assert fetched == [1, 1, 2]


async def test_many_requests_at_once_fetch_one_token(stand_in: Served, mas_admin: MasAdmin) -> None:
    """The others wait for it."""
    assert await asyncio.gather(*[version(mas_admin) for _ in range(10)]) == ["1.22.0"] * 10
    assert stand_in.oauth.asked == 1


async def test_a_token_that_is_refused_is_fetched_anew_once(stand_in: Served, mas_admin: MasAdmin) -> None:
    """MAS was restarted, or somebody ended the session: the request that noticed works all the same."""
    await version(mas_admin)
    stand_in.mas.tokens.clear()
    assert await asyncio.gather(*[version(mas_admin) for _ in range(5)]) == ["1.22.0"] * 5
    assert stand_in.oauth.asked == 2


async def test_a_client_that_is_always_refused_stops_asking(stand_in: Served, mas_admin: MasAdmin) -> None:
    """Two tokens, two refusals, an error: no loop."""
    stand_in.mas.token_seconds = -60
    with pytest.raises(Rejected) as error:
        await version(mas_admin)
    assert (error.value.status, stand_in.oauth.asked) == (401, 2)


async def test_wrong_credentials_have_a_code_of_their_own(stand_in: Served) -> None:
    """Staff must be able to tell that from an account that is refused."""
    mas = MasAdmin(stand_in.mas.url, stand_in.mas.client_id, "guess", 0)
    with pytest.raises(Rejected) as error:
        await version(mas)
    await mas.close()
    assert (error.value.code, error.value.status) == ("mas_client_refused", 401)


async def test_a_mas_that_is_away_is_waited_for(stand_in: Served) -> None:
    """Nothing listens: that is transient."""
    mas = MasAdmin("http://127.0.0.1:9", stand_in.mas.client_id, "any", 0)
    with pytest.raises(Unavailable):
        await version(mas)
    await mas.close()


@pytest.mark.parametrize("answer", [{}, {"access_token": 5}, {"access_token": ""}])
async def test_an_answer_without_a_token_is_no_token(answer: dict[str, object], script: Script) -> None:
    """It is not sent as an empty one."""
    script.json(answer)
    credentials = ClientCredentials(script.url, "client", "secret", 0)
    with pytest.raises(Unavailable, match="bad_answer"):
        await credentials.header()
    await credentials.close()


async def test_a_token_without_an_end_is_taken_for_a_short_one(script: Script) -> None:
    """OAuth lets a server leave it out (RFC 6749, section 5.1)."""
    script.json({"access_token": "first"}).json({"access_token": "second"})
    clock = HandClock()
    credentials = ClientCredentials(script.url, "client", "secret", 0, clock=clock)
    headers = [await credentials.header()]
    clock.go(31)
    headers.append(await credentials.header())
    await credentials.close()
    assert headers == ["Bearer first", "Bearer second"]
    assert script.tokens == ["Basic Y2xpZW50OnNlY3JldA=="] * 2


async def test_a_token_of_somebody_else_is_not_renewed(script: Script) -> None:
    """While acting as a person a refusal is theirs: asking again with our token would be somebody else's question."""
    script.json({"access_token": "ours"}).json({"errcode": "M_UNKNOWN_TOKEN"}, 401)
    credentials = ClientCredentials(script.url, "client", "secret", 0)
    http = Http(script.url, credentials, 0)
    await credentials.header()
    with pytest.raises(Rejected):
        await http.call(_VERSION, token="theirs")
    await http.close()
    await credentials.close()
    assert script.tokens[1:] == ["Bearer theirs"]
