"""What of an account can be taken elsewhere: all that the person set, and never a secret."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dpobot.archive import package as packing
from dpobot.archive.bundle import bundle
from dpobot.archive.settings import holds_secret, portable
from dpobot.archive.spool import Room, Spool
from dpobot.model.words import Section
from tests.unit.archive.conftest import ALICE, PIXEL, Make, blocks, entries, medium

KITCHEN = "!kitchen:example.org"
SCHEMA = json.loads((Path(packing.__file__).parent / "schemas" / "portable.schema.json").read_text())
RULE = {"scope": "global", "kind": "room", "rule_id": KITCHEN, "default": False, "enabled": True, "actions": []}


@pytest.fixture
async def lived(spool: Spool) -> Spool:
    """An account with all that a bundle can hold, and with secrets that it must not."""
    spool.account(
        "profile",
        [
            {"field": "displayname", "value": "Alice"},
            {"field": "avatar_url", "value": "mxc://example.org/1"},
            {"field": "m.tz", "value": "Europe/London"},
        ],
    )
    spool.account(
        "account_data",
        [
            {"type": "m.direct", "content": {"@bob:example.org": [KITCHEN, 7], "@nobody:example.org": []}},
            {"type": "m.ignored_user_list", "content": {"ignored_users": {"@mallory:example.org": {}}}},
            {"type": "im.vector.web.settings", "content": {"showAvatarChanges": False}},
            {"type": "m.secret_storage.key.abc", "content": {"passphrase": {"salt": "PLANTED"}}},
            {"type": "m.megolm_backup.v1", "content": {"encrypted": {"abc": {"ciphertext": "PLANTED"}}}},
            {"type": "im.vector.sneaky", "content": {"deep": [{"encrypted": "PLANTED"}]}},
            {"type": "m.accepted_terms", "content": {"accepted": ["https://example.org/terms"]}},
        ],
    )
    spool.account(
        "room_account_data",
        [
            {"room_id": KITCHEN, "type": "m.marked_unread", "content": {"unread": True}},
            {"room_id": KITCHEN, "type": "m.fully_read", "content": {"event_id": "$1"}},
        ],
    )
    spool.account("tags", [{"room_id": KITCHEN, "tag": "m.favourite", "content": {"order": 0.5}}])
    spool.account("push_rules", [RULE, RULE | {"scope": "device/x"}])
    spool.rooms(
        [
            Room(1, KITCHEN, "Kitchen", "join", encrypted=True, alias="#kitchen:alias.example", join_rule="public"),
            Room(2, "!old:example.org", "Old", "forgotten", encrypted=False),
            Room(3, "!asked:example.org", None, "invite"),
            Room(4, "!newest", "v12", "join", encrypted=False, join_rule="invite"),
        ]
    )
    spool.keep("via", {KITCHEN: ["a.example", "b.example"]})
    await spool.medium(medium(1, "me.png", "image/png"), 0, blocks(PIXEL))
    return spool


def made(spool: Spool) -> dict[str, Any]:
    """Return the bundle, after its schema has accepted it."""
    value = bundle(spool, ALICE, "2026-11-22T12:00:00+00:00")
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(value)] == []
    return value


async def test_the_bundle_holds_what_the_person_set(lived: Spool) -> None:
    """Profile with the picture's file, rooms with servers to join through, and everything that belongs to them."""
    value = made(lived)
    assert value["profile"] == {
        "displayname": "Alice",
        "avatar": {"url": "mxc://example.org/1", "file": "media/00001-me.png", "type": "image/png"},
        "fields": {"m.tz": "Europe/London"},
    }
    assert value["rooms"][0] == {
        "room_id": KITCHEN,
        "name": "Kitchen",
        "alias": "#kitchen:alias.example",
        "join_rule": "public",
        "membership": "join",
        "encrypted": True,
        "via": ["a.example", "b.example", "alias.example", "example.org"],
        "tags": {"m.favourite": {"order": 0.5}},
        "account_data": {"m.marked_unread": {"unread": True}},
    }
    assert [(room["room_id"], room["membership"], room["via"]) for room in value["rooms"][1:]] == [
        ("!old:example.org", "leave", ["example.org"]),
        ("!newest", "join", []),
    ]
    assert value["direct"] == {"@bob:example.org": [KITCHEN]}
    assert value["ignored"] == ["@mallory:example.org"]
    assert value["push_rules"] == [RULE]
    assert value["account_data"] == {"im.vector.web.settings": {"showAvatarChanges": False}}


async def test_a_secret_never_comes_along(lived: Spool) -> None:
    """Neither by its type nor, under a harmless name, by what it looks like; what stays behind is named."""
    value = made(lived)
    assert "PLANTED" not in json.dumps(value)
    assert value["left_out"] == [
        "im.vector.sneaky",
        "m.accepted_terms",
        "m.fully_read",
        "m.megolm_backup.v1",
        "m.secret_storage.key.abc",
    ]


def test_what_could_not_be_had_is_said(spool: Spool) -> None:
    """A source that the server refused, and those that nobody asked for."""
    spool.account("profile", [], missing="account_locked")
    assert made(spool)["missing"] == {
        "profile": "account_locked",
        "account_data": "not_asked",
        "room_account_data": "not_asked",
        "tags": "not_asked",
        "push_rules": "not_asked",
    }


async def test_the_archive_holds_the_bundle_and_the_statement_alone_does_not(lived: Spool, make: Make) -> None:
    """`access` tells what is held without handing it out."""
    found = [json.loads(data) for _, name, data in entries(make()) if name == "portable.json"]
    assert [value["user_id"] for value in found] == [ALICE]
    files = [name for _, name, _ in entries(make(sections=frozenset({Section.STATEMENT})))]
    assert "portable.json" not in files


@given(
    st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
)
def test_a_secret_is_found_at_any_depth(content: object) -> None:
    """Wherever it hides in settings of a type that would be carried."""
    assert holds_secret({"a": [content, {"b": [{"Ciphertext": "x"}]}]})
    assert not portable("im.vector.web.settings", {"a": [content, {"b": [{"ciphertext": "x"}]}]})
