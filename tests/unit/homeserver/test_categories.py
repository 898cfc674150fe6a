"""Every category of personal data keeps to the house: declared endpoints, allow-lists, reasons with a sentence."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import dpobot.homeserver
from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.api import Homeserver
from dpobot.homeserver.categories import BEYOND, CATEGORIES
from dpobot.homeserver.category import PLAIN, WHOLE, Category, Fields, Found, Subject, allowed
from dpobot.homeserver.erasing import synapse_changes
from dpobot.homeserver.http import Http
from dpobot.homeserver.reasons import REASONS, reason_of
from dpobot.homeserver.synapse import ENDPOINTS, SynapseHomeserver
from dpobot.homeserver.verifying import synapse_leftovers
from dpobot.model.ids import UserId
from tests.unit.homeserver.conftest import Script

_ENDPOINT = re.compile(r"(GET|POST|PUT|DELETE) /_(synapse|matrix)/\S+")
_HOLDING = [category for category in CATEGORIES.values() if category.ask is not None]


def in_source() -> set[str]:
    """Return every endpoint that stands anywhere in the code of the homeserver's room."""
    (folder,) = dpobot.homeserver.__path__
    return {
        node.value
        for path in Path(folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _ENDPOINT.fullmatch(node.value)
    }


def read() -> set[str]:
    """Return every endpoint that the reading adapter declares."""
    declared = {endpoint for category in CATEGORIES.values() for endpoint in category.endpoints}
    return declared | {endpoint for endpoints in ENDPOINTS.values() for endpoint in endpoints}


def test_every_endpoint_belongs_to_a_category_or_a_method() -> None:
    """None is used in passing, and none is declared that the code doesn't know."""
    declared = read()
    for methods in (synapse_changes.ENDPOINTS, synapse_leftovers.ENDPOINTS):
        declared |= {endpoint for endpoints in methods.values() for endpoint in endpoints}
    assert in_source() == declared


def test_what_reads_logs_no_person_out_and_changes_nothing() -> None:
    """Apart from reading: borrow a token, end it, ask for keys, delete a medium."""
    writing = {endpoint for endpoint in read() if not endpoint.startswith("GET ")}
    assert writing == {
        "POST /_synapse/admin/v1/users/{user}/login",
        "POST /_matrix/client/v3/logout",
        "POST /_matrix/client/v3/keys/query",
        "DELETE /_synapse/admin/v1/media/{server}/{media}",
    }


def test_methods_with_endpoints_are_those_of_the_protocol() -> None:
    """Each method that asks the server says where, `collect` through its categories."""
    methods = {name for name, _ in inspect.getmembers(Homeserver, inspect.isfunction) if not name.startswith("_")}
    assert set(ENDPOINTS) | {"collect"} == methods
    assert {method for methods_ in BEYOND.values() for method in methods_} <= methods


def test_categories_stand_in_a_fixed_order() -> None:
    """What can be had first, then what can't, each by name; every one from its own declaration."""
    names = list(CATEGORIES)
    had, not_had = [category.name for category in _HOLDING], names[len(_HOLDING) :]
    assert names == sorted(had) + sorted(not_had)
    assert list(SynapseHomeserver("http://127.0.0.1", "token").categories) == names


@pytest.mark.parametrize("category", CATEGORIES.values(), ids=lambda category: category.name)
def test_a_category_is_fully_described(category: Category) -> None:
    """A title and a purpose with its article; a question with endpoints and an allow-list, or else a reason."""
    assert category.title
    assert re.search(r"\(Art\. \d+\(\d\)\([a-f]\)", category.purpose)
    assert bool(category.endpoints) == bool(category.fields) == (category.ask is not None)
    assert (category.missing is None) == (category.ask is not None)


@pytest.mark.parametrize("category", _HOLDING, ids=lambda category: category.name)
def test_no_allow_list_names_a_secret(category: Category) -> None:
    """Neither tokens nor password hashes, and nobody who reported."""
    names = set(category.fields)
    assert names & {"token", "access_token", "password", "password_hash", "delay_id", "sender", "reporter"} == set()
    assert category.name.endswith("_received") <= ("reason" not in names and "user_id" not in names)


@pytest.mark.parametrize(("code", "sentence"), REASONS.items())
def test_a_reason_is_a_code_with_a_sentence(code: str, sentence: str) -> None:
    """A stable word, and plain English for the person."""
    assert re.fullmatch(r"[a-z_]+", code)
    assert re.fullmatch(r"[A-Z].{15,}\.", sentence)


def test_a_fault_is_no_reason() -> None:
    """An admin token without rights must fail the job: an empty archive would look complete."""
    assert reason_of(Rejected("M_FORBIDDEN", 403)) is None
    assert reason_of(Rejected("M_UNKNOWN_TOKEN", 401)) is None
    assert reason_of(Rejected("M_USER_LOCKED", 401)) == "account_locked"


def test_only_allowed_fields_in_their_declared_shape_leave() -> None:
    """Unknown members go, nested ones too; a plain field that holds more than text is dropped."""
    fields: Fields = {
        "a": PLAIN,
        "list": PLAIN,
        "own": WHOLE,
        "inner": {"b": PLAIN},
        "many": {"c": PLAIN},
        "odd": PLAIN,
    }
    record = {
        "a": 1,
        "list": ["x", 2],
        "own": {"deep": [{"er": None}]},
        "inner": {"b": True, "token": "secret"},
        "many": [{"c": None, "token": "secret"}, "text"],
        "odd": {"token": "secret"},
        "token": "secret",
    }
    assert allowed(record, fields) == {
        "a": 1,
        "list": ["x", 2],
        "own": {"deep": [{"er": None}]},
        "inner": {"b": True},
        "many": [{"c": None}],
    }


@pytest.mark.parametrize("inner", ["text", 5, None, [["list"]], [None]])
def test_odd_shapes_in_an_answer_do_no_harm(inner: object) -> None:
    """A nested field that is no object, or a list of something else, brings nothing that was not allowed."""
    kept = allowed({"inner": inner}, {"inner": {"b": PLAIN}})
    assert kept in ({}, {"inner": []}, {"inner": None})


def test_a_category_needs_a_question_or_a_reason() -> None:
    """Neither, both, or a reason that nobody explained can't be declared."""

    async def ask(_: Subject) -> Found:
        return Found()

    for question, reason in ((None, None), (ask, "secret"), (None, "no such reason")):
        with pytest.raises(ValueError, match=r"^x: (needs|unknown)"):
            Category(name="x", title="x", purpose="x", ask=question, missing=reason)


@pytest.mark.parametrize("category", _HOLDING, ids=lambda category: category.name)
@pytest.mark.parametrize(
    "answer",
    [
        {"devices": 5, "pushers": "x", "rooms": [], "account_data": {"global": 3, "rooms": []}},
        {"devices": {"": [1]}, "rooms": {"join": {"!r": 5}, "leave": 7}, "memberships": []},
        {"threepids": [None, 5], "tags": [], "global": {"content": {}}, "version": "none"},
        {"notifications": [5, {"event": "x"}], "device_keys": {}, "event_reports": {"a": 1}},
    ],
)
async def test_an_answer_of_another_shape_is_no_empty_category(
    category: Category, answer: dict[str, object], script: Script, http: Http
) -> None:
    """A server of another version may answer anything: that is a bad answer, or leaves only what is allowed."""
    script.json({"access_token": "the-puppet-token", **answer})
    try:
        collected = await category.collect(Subject(UserId("@anna:dpobot.test"), http))
    except Unavailable as error:
        assert error.code == "bad_answer"  # noqa: PT017 - both ways are right, depending on the category
        assert script.asked != []
    else:
        assert collected.category == category.name
        assert "never-allowed" not in str(collected.records)
