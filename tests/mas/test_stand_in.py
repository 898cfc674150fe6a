"""The stand-in for MAS itself: it refuses what MAS refuses, and does its jobs in MAS's order."""

import json
from typing import Any

import aiohttp
import pytest

from dpobot.errors import Rejected
from dpobot.homeserver.mas.admin import MasAdmin
from dpobot.homeserver.mas.credentials import Basic
from tests.mas.provisioning import Provisioning
from tests.mas.service import API, SignInRefused
from tests.mas.stand_in import Served
from tests.mas.things import ulid

_USERS = "/api/admin/v1/users"


async def ask(stand_in: Served, method: str, path: str, token: str | None, **more: Any) -> tuple[int, Any]:
    """Make a request and return status and answer."""
    signed = {"Authorization": f"Bearer {token}"} if token else {}
    address = stand_in.mas.url + path
    async with aiohttp.ClientSession(headers=signed) as http, http.request(method, address, **more) as answer:
        raw = await answer.read()
        return answer.status, json.loads(raw) if raw else None


async def worth(stand_in: Served, token: str) -> Any:
    """Return what Synapse is told of a token."""
    _, answer = await ask(stand_in, "POST", "/oauth2/introspect", stand_in.mas.shared_secret, data={"token": token})
    return answer


def test_ids_sort_as_they_were_made() -> None:
    """Each has 26 letters; a thousand in a row are in order and all different."""
    made = [ulid() for _ in range(1000)]
    assert made == sorted(set(made))
    assert {len(each) for each in made} == {26}


async def test_a_token_is_only_for_the_client_and_the_scope_of_administrators(stand_in: Served) -> None:
    """Other secrets, scopes and grants get the errors of RFC 6749."""
    mas = stand_in.mas
    right = {"Authorization": await Basic(mas.client_id, mas.client_secret).header()}
    wrong = {"Authorization": await Basic(mas.client_id, "guess").header()}
    form = {"grant_type": "client_credentials", "scope": "urn:mas:admin"}
    answers = [
        await ask(stand_in, "POST", "/oauth2/token", None, headers=wrong, data=form),
        await ask(stand_in, "POST", "/oauth2/token", None, data=form),
        await ask(stand_in, "POST", "/oauth2/token", None, headers=right, data=form | {"scope": API}),
        await ask(stand_in, "POST", "/oauth2/token", None, headers=right, data=form | {"grant_type": "password"}),
    ]
    assert [(status, answer["error"]) for status, answer in answers] == [
        (401, "invalid_client"),
        (401, "invalid_client"),
        (403, "invalid_scope"),
        (400, "unsupported_grant_type"),
    ]
    status, given = await ask(stand_in, "POST", "/oauth2/token", None, headers=right, data=form)
    assert (status, given["scope"], given["expires_in"]) == (200, "urn:mas:admin", 300)


async def test_the_admin_api_wants_a_token_with_its_scope(stand_in: Served) -> None:
    """None, an unknown one, a person's and one that has run out are all refused."""
    person = await stand_in.mas.register("anna")
    old = stand_in.mas.token("mat", None, "urn:mas:admin", seconds=-1)
    for token in (None, "unknown", person.access_token, old):
        status, answer = await ask(stand_in, "GET", _USERS, token)
        assert (status, answer) == (401, {"errors": [{"title": "Unknown access token"}]})


async def test_lists_come_in_pages_with_a_link_to_the_next(stand_in: Served) -> None:
    """Ten unless more are asked for; the last page has no link."""
    token = stand_in.mas.token("mat", None, "urn:mas:admin")
    for number in range(12):
        await stand_in.mas.register(f"person{number}")
    _, first = await ask(stand_in, "GET", _USERS, token)
    assert (len(first["data"]), first["meta"]["count"]) == (10, 12)
    _, second = await ask(stand_in, "GET", first["links"]["next"], token)
    assert [each["attributes"]["username"] for each in second["data"]] == ["person10", "person11"]
    assert "next" not in second["links"]


async def test_a_locked_person_is_lent_for_but_the_token_is_worth_nothing(
    stand_in: Served, mas_admin: MasAdmin
) -> None:
    """As MAS has it: the session can be made, and Synapse hears that it is not active until they are unlocked."""
    await stand_in.mas.register("anna")
    user = stand_in.mas.user("anna")
    await mas_admin.http.call("POST /api/admin/v1/users/{id}/lock", path={"id": user.id}, body={})
    body = {"actor_user_id": user.id, "human_name": "x", "scope": API, "expires_in": 60}
    given = await mas_admin.http.call("POST /api/admin/v1/personal-sessions", body=body)
    token = given["data"]["attributes"]["access_token"]
    assert await worth(stand_in, token) == {"active": False}
    with pytest.raises(SignInRefused):
        await stand_in.mas.sign_in("anna")
    await mas_admin.http.call("POST /api/admin/v1/users/{id}/unlock", path={"id": user.id}, body={})
    assert (await worth(stand_in, token))["username"] == "anna"


async def test_a_session_ends_once(stand_in: Served, mas_admin: MasAdmin) -> None:
    """Finished sessions can't be finished again (400), revoked ones not revoked (409), unknown ones are not found."""
    credentials = await stand_in.mas.register("anna")
    user = stand_in.mas.user("anna")
    granted = stand_in.mas.granted(None, user, API)
    (app,) = stand_in.mas.of("oauth2-sessions", user)
    ending = [
        (f"POST /api/admin/v1/oauth2-sessions/{app.id}/finish", 400),
        (f"POST /api/admin/v1/personal-sessions/{granted.id}/revoke", 409),
    ]
    for endpoint, status in ending:
        await mas_admin.http.call(endpoint, body={})
        with pytest.raises(Rejected) as error:
            await mas_admin.http.call(endpoint, body={})
        assert (error.value.code, error.value.status) == ("json_api", status)
    assert await worth(stand_in, credentials.access_token) == {"active": False}
    with pytest.raises(Rejected) as error:
        await mas_admin.http.call(f"POST /api/admin/v1/user-sessions/{ulid()}/finish", body={})
    assert error.value.status == 404


async def test_a_deactivation_ends_everything_and_waits_for_synapse(stand_in: Served, mas_admin: MasAdmin) -> None:
    """Sessions end and addresses go at once; what Synapse could not be told is tried again. Links stay."""
    credentials = await stand_in.mas.register("anna")
    mas, user = stand_in.mas, stand_in.mas.user("anna")
    mas.add("user-emails", created_at="x", user_id=user.id, email="anna@example.org")
    mas.add("upstream-oauth-links", created_at="x", user_id=user.id, provider_id=ulid(), subject="1")
    mas.homeserver = Provisioning("http://127.0.0.1:9", mas.shared_secret)
    await mas_admin.http.call("POST /api/admin/v1/users/{id}/deactivate", path={"id": user.id}, body={})
    await mas.queue.failed.wait()
    assert await worth(stand_in, credentials.access_token) == {"active": False}
    assert [len(mas.of(name, user)) for name in ("user-emails", "upstream-oauth-links")] == [0, 1]
    mas.homeserver = None
    mas.queue.go()
    await mas.queue.done()
    with pytest.raises(SignInRefused):
        await mas.sign_in("anna")
