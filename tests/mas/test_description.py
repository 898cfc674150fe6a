"""Nothing that dpobot asks of MAS, and nothing that the stand-in answers, is other than MAS describes it."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import dpobot.homeserver
from dpobot.homeserver.mas import categories, changes, homeserver, leftovers
from dpobot.homeserver.mas.credentials import TOKEN
from tests.mas.description import HERE, PATH, Description, Exchange
from tests.mas.things import ulid

described = pytest.mark.skipif(not HERE, reason=f"MAS's description of its admin API is not here ({PATH.name})")

_ENDPOINT = re.compile(r"(GET|POST|PUT|DELETE) /(api|oauth2)/\S+")
_USER = {"username": "anna", "created_at": "2026-01-01T00:00:00Z", "admin": False, "legacy_guest": False}


def endpoints() -> Iterator[str]:
    """Return what the adapters declare, without the token endpoint, which is no part of the admin API."""
    declared = set(homeserver.ENDPOINTS["collect"])
    for methods in (homeserver.ENDPOINTS, changes.ENDPOINTS, leftovers.ENDPOINTS):
        declared |= {endpoint for endpoints in methods.values() for endpoint in endpoints}
    for category in (*categories.CATEGORIES.values(), *(joint.category for joint in categories.JOINT.values())):
        declared |= set(category.endpoints)
    yield from sorted(declared - {TOKEN})


def in_source() -> set[str]:
    """Return every endpoint of MAS that stands anywhere in the code of the homeserver's room."""
    (folder,) = dpobot.homeserver.__path__
    return {
        node.value
        for path in Path(folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _ENDPOINT.fullmatch(node.value)
    }


def test_every_endpoint_of_mas_belongs_to_a_method_or_a_category() -> None:
    """None is used in passing, and none is declared that the code doesn't know."""
    assert in_source() == {*endpoints(), TOKEN}


def bare(endpoint: str) -> str:
    """Return an endpoint without the names of what stands in its path."""
    return re.sub(r"\{.+?\}", "{}", endpoint)


def exchange(answer: Any, **other: Any) -> Exchange:
    """Return a question after a user, and an answer."""
    identity = ulid()
    links = {"self": f"/api/admin/v1/users/{identity}"}
    whole = {"data": {"type": "user", "id": identity, "attributes": answer, "links": links}, "links": links}
    given: dict[str, Any] = {"method": "GET", "path": links["self"], "query": "", "body": b"", "status": 200} | other
    return Exchange(**given, answer=json.dumps(whole).encode())


@described
def test_every_endpoint_in_use_is_described() -> None:
    """By method and path."""
    known = {bare(operation) for operation in Description.read().operations()}
    assert {endpoint for endpoint in endpoints() if bare(endpoint) not in known} == set()


@described
def test_an_exchange_as_described_has_no_fault() -> None:
    """The description is held against the answer, not only found."""
    description = Description.read()
    assert description.faults(exchange(_USER)) == []
    assert description.used == {"GET /api/admin/v1/users/{id}"}


def without(name: str) -> Mapping[str, Any]:
    """Return a user of whom something is not said."""
    return {key: value for key, value in _USER.items() if key != name}


@described
@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (exchange(without("admin")), "'admin' is a required property"),
        (exchange(_USER | {"created_at": "yesterday"}), "is not a 'date-time'"),
        (exchange(_USER | {"admin": "yes"}), "is not of type 'boolean'"),
        (exchange(_USER, status=202), "this status is not described"),
        (exchange(_USER, query="page[size]=3"), "parameter page[size] is not described"),
        (exchange(_USER, path="/api/admin/v1/users/anna"), "does not match"),
        (exchange(_USER, path="/api/admin/v1/people"), "not described"),
        (exchange(_USER, body=b'{"x": 1}'), "a body is not described"),
        (
            exchange(
                _USER,
                method="POST",
                path=f"/api/admin/v1/users/{ulid()}/deactivate",
                body=b'{"erase": true}',
            ),
            "erase is not described",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_as_described_is_noticed(wrong: Exchange, fault: str) -> None:
    """A missing member, another type, a status, a parameter, an ID, an address, a body, a member of one."""
    (found,) = Description.read().faults(wrong)
    assert fault in found
