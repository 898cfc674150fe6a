"""What MAS holds of a person: declared, allow-listed, complete however many pages, and nobody else's."""

import re
from typing import Any

import pytest

from dpobot.errors import Gone, Unavailable
from dpobot.homeserver.api import Collected
from dpobot.homeserver.categories import CATEGORIES as SYNAPSE_CATEGORIES
from dpobot.homeserver.category import Category, Subject
from dpobot.homeserver.http import Http
from dpobot.homeserver.mas.admin import MasAdmin, listed
from dpobot.homeserver.mas.categories import CATEGORIES, EMAILS, JOINT
from dpobot.homeserver.mas.homeserver import CATEGORIES as ALL
from dpobot.homeserver.mas.homeserver import MasHomeserver
from dpobot.model.ids import UserId
from tests.mas.service import API, Mas
from tests.mas.stand_in import Served
from tests.mas.things import now, ulid
from tests.unit.homeserver.conftest import Script
from tests.unit.homeserver.conftest import http as http
from tests.unit.homeserver.conftest import script as script

_HOLDING = (*CATEGORIES.values(), *(joint.category for joint in JOINT.values()))
_ASKED = [category for category in _HOLDING if category.ask is not None]


async def held(mas_admin: MasAdmin, mas: Mas, name: str, category: str) -> Collected:
    """Return what a category holds of somebody."""
    chosen = CATEGORIES[category] if category in CATEGORIES else JOINT[category].category
    return await chosen.collect(Subject(UserId(mas.user(name).id), mas_admin.http))


@pytest.mark.parametrize("category", _HOLDING, ids=lambda category: category.name)
def test_a_category_is_fully_described(category: Category) -> None:
    """A title and a purpose with its article; a question with endpoints and an allow-list, or else a reason."""
    assert category.title
    assert re.search(r"\(Art\. \d+\(\d\)\([a-f]\)", category.purpose)
    assert bool(category.endpoints) == bool(category.fields) == (category.ask is not None)


@pytest.mark.parametrize("category", _ASKED, ids=lambda category: category.name)
def test_no_allow_list_names_a_secret(category: Category) -> None:
    """Neither tokens nor addresses that a log-in came back to, which can hold one."""
    assert set(category.fields) & {"access_token", "password", "redirect_uri", "owner_user_id"} == set()


def test_names_do_not_clash_and_stand_in_the_order_of_the_archive(mas_admin: MasAdmin) -> None:
    """What can be had first, then what can't, each by name; two are of both."""
    assert set(CATEGORIES) & set(SYNAPSE_CATEGORIES) == set()
    assert set(JOINT) <= set(SYNAPSE_CATEGORIES)
    had = [name for name, category in ALL.items() if category.missing is None]
    assert list(ALL) == sorted(had) + sorted(set(ALL) - set(had))
    assert list(MasHomeserver("http://127.0.0.1", "token", mas_admin).categories) == list(ALL)


async def test_what_the_account_is_at_mas(stand_in: Served, mas_admin: MasAdmin) -> None:
    """Name, moments and flags."""
    await stand_in.mas.register("anna")
    answer = await held(mas_admin, stand_in.mas, "anna", "sign_in_account")
    user = stand_in.mas.user("anna")
    assert answer.records == ({"id": user.id, **user.attributes},)


async def test_sessions_of_every_kind_with_address_and_program(stand_in: Served, mas_admin: MasAdmin) -> None:
    """Browser, program and older program; finished ones, too; nobody else's."""
    mas = stand_in.mas
    for name in ("anna", "bob"):
        await mas.register(name)
        await mas.sign_in_the_old_way(name)
    mas.of("user-sessions", mas.user("anna"))[0].attributes["finished_at"] = now()
    agents = {}
    for category in ("sign_in_browsers", "sign_in_apps", "sign_in_legacy_apps"):
        (record,) = (await held(mas_admin, mas, "anna", category)).records
        assert (record["last_active_ip"], record["created_at"] > "2026") == ("192.0.2.5", True)
        agents[record["user_agent"]] = record["finished_at"] is not None
        assert "never-allowed" not in str(record)
    assert agents == {"Browser/1.0": True, "Program/2.0": False, "Old/0.1": False}


async def test_granted_access_shows_the_address_of_the_person_only(stand_in: Served, mas_admin: MasAdmin) -> None:
    """An administrator who acts as them has rights of their own (Art. 15(4)); what they do as somebody is theirs."""
    mas = stand_in.mas
    for name in ("anna", "boss"):
        await mas.register(name)
    anna, boss = mas.user("anna"), mas.user("boss")
    mas.granted(boss, anna, API, "By the boss")
    mas.granted(anna, anna, API, "Her own")
    mas.granted(anna, boss, API, "She as the boss")
    mas.granted(boss, boss, API, "None of hers")
    answer = await held(mas_admin, mas, "anna", "sign_in_granted")
    found = {record["human_name"]: (record["own"], record.get("last_active_ip")) for record in answer.records}
    assert found == {
        "By the boss": (False, None),
        "Her own": (True, "192.0.2.7"),
        "She as the boss": (True, "192.0.2.7"),
    }
    assert boss.id not in str(answer.records)


async def test_addresses_and_links(stand_in: Served, mas_admin: MasAdmin) -> None:
    """In the words of the categories that Synapse has for them."""
    mas = stand_in.mas
    await mas.register("anna")
    user = mas.user("anna")
    provider, moment = ulid(), now()
    mas.add("user-emails", created_at=moment, user_id=user.id, email="anna@example.org")
    mas.add(
        "upstream-oauth-links",
        created_at=moment,
        user_id=user.id,
        provider_id=provider,
        subject="4711",
        human_account_name="anna.example",
    )
    emails = await held(mas_admin, mas, "anna", "third_party_ids")
    links = await held(mas_admin, mas, "anna", "sso_links")
    assert emails.records == ({"medium": "email", "address": "anna@example.org", "created_at": moment},)
    expected = {"provider_id": provider, "subject": "4711", "human_account_name": "anna.example"}
    assert links.records == ({**expected, "created_at": moment},)


async def test_a_list_is_complete_however_many_pages_it_has(stand_in: Served, mas_admin: MasAdmin) -> None:
    """Two hundred and fifty sessions are three pages."""
    await stand_in.mas.register("anna")
    user = stand_in.mas.user("anna")
    for _ in range(249):
        stand_in.mas.add("user-sessions", user_id=user.id, created_at=now())
    answer = await held(mas_admin, stand_in.mas, "anna", "sign_in_browsers")
    assert len({record["id"] for record in answer.records}) == 250
    assert [each.query.count("after") for each in stand_in.exchanges] == [0, 1, 1]


@pytest.mark.parametrize(
    "answer",
    [
        {"data": None, "links": {"self": "x"}},
        {"data": [{"id": "1"}], "links": {"self": "x"}},
        {"data": [{"attributes": {}}], "links": {"self": "x"}},
        {"data": [], "links": {"next": "x"}},
        {"data": [], "links": None},
        {"data": [{"id": "1", "attributes": {}}], "links": {"next": "x"}},  # the same page for ever
    ],
)
async def test_an_odd_list_is_no_short_one(answer: dict[str, Any], script: Script, http: Http) -> None:
    """What can't be understood must not look like nothing held."""
    script.json(answer)
    with pytest.raises(Unavailable, match="bad_answer"):
        await listed(http, EMAILS, {})


async def test_only_mas_itself_may_say_that_somebody_is_unknown(script: Script) -> None:
    """A 404 of a proxy on the way says nothing about the account."""
    script.json({"access_token": "ours", "expires_in": 300}).json({"server_name": "dpobot.test"})
    script.json({"error": "no such page"}, 404)
    mas = MasAdmin(script.url, "client", "secret", 0)
    with pytest.raises(Gone):
        await mas.user(UserId("@anna:dpobot.test"))
    await mas.close()
