"""The last look at the chapters: recipients are servers and services, statement and bundle are this person's."""

import json
from typing import Any

import pytest

from dpobot.archive.inspect_chapters import look
from dpobot.errors import Tripwire
from tests.unit.archive.conftest import ALICE, BOB

_BRIDGE = {"user_id": "@irc:example.org", "kind": "bridge", "network": "irc, run by @somebody:example.org"}
_RECIPIENTS: dict[str, Any] = {
    "servers": [{"server": "example.org", "own": True, "rooms": 1}],
    "services": [_BRIDGE],
    "push": [{"host": "push.example.org", "app": "im.vector@1", "devices": 1}],
    "identity": [{"host": "vector.im"}],
    "incomplete": {"gone": 1},
}
_STATEMENT = {"person": ALICE, "data_protection_officer": "dpo@example.org", "recipients": _RECIPIENTS}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("recipients.json", {"person": ALICE, **_RECIPIENTS}),
        ("statement.json", _STATEMENT),
        ("statement.json", {"person": ALICE, "recipients": None}),
        ("portable.json", {"user_id": ALICE, "direct": {BOB: ["!a:example.org"]}}),
    ],
)
def test_sound_chapters_pass(name: str, said: dict[str, Any]) -> None:
    """Services have user IDs; whom the person writes to is theirs to take along."""
    data = json.dumps(said).encode()
    look(name, data, ALICE)
    with pytest.raises(Tripwire, match="wrong_person"):
        look(name, data, BOB)


@pytest.mark.parametrize(
    "found",
    [
        {"services": [{"user_id": BOB, "kind": "person"}]},
        {"services": [{"user_id": BOB}]},
        {"servers": [{"server": BOB}]},
        {"servers": [BOB]},
        {"incomplete": {BOB: 1}},
        {"people": [[BOB]]},
    ],
)
@pytest.mark.parametrize("name", ["recipients.json", "statement.json"])
def test_nobody_but_services_is_named(name: str, found: dict[str, Any]) -> None:
    """A person among the recipients is somebody else's data, wherever their ID stands."""
    recipients = _RECIPIENTS | found
    said = {"person": ALICE, **recipients} if name == "recipients.json" else _STATEMENT | {"recipients": recipients}
    with pytest.raises(Tripwire, match="foreign_recipient"):
        look(name, json.dumps(said).encode(), ALICE)


@pytest.mark.parametrize("data", [b"{", b"[]", b"1"])
def test_what_is_no_object_is_unreadable(data: bytes) -> None:
    """A chapter that can't be read is no chapter."""
    with pytest.raises(Tripwire, match="unreadable"):
        look("portable.json", data, ALICE)
