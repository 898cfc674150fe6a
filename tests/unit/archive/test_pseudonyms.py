"""Pseudonyms: planted names and user IDs of others are gone, wherever they stood; the person's own are as they were."""

import json
from typing import Any

import pytest

from dpobot.archive.pseudonyms import Pseudonyms
from dpobot.model.ids import UserId

ANNA = UserId("@anna:example.org")
BERT, CARLA, ODD = "@bert:example.org", "@carla:server.example:8448", "@Old Name:example.org"
NAME = "Bert Planted"
LINK = "https://matrix.to/#/"


def message(content: dict[str, Any], sender: str = BERT, **more: Any) -> dict[str, Any]:
    """Return an event."""
    event = {"event_id": "$1:example.org", "type": "m.room.message", "sender": sender, "content": content}
    return {**event, **more}


def member(user: str, sender: str, **content: Any) -> dict[str, Any]:
    """Return a membership."""
    return message({"membership": "join", **content}, sender, type="m.room.member", state_key=user)


def body(people: Pseudonyms, text: str, **more: Any) -> str:
    """Return what becomes of a text."""
    found: str = people.replaced(message({"body": text, **more}))["content"]["body"]
    return found


def test_people_are_numbered_in_the_order_of_their_appearance() -> None:
    """The same number each time, also for one who goes on with what an earlier run knew."""
    people = Pseudonyms(ANNA)
    senders = [people.replaced(message({}, sender))["sender"] for sender in (BERT, ANNA, CARLA, BERT)]
    assert senders == ["Person 1", ANNA, "Person 2", "Person 1"]
    later = Pseudonyms(ANNA, people.known())
    assert [later.of(user) for user in (CARLA, ODD, BERT)] == ["Person 2", "Person 3", "Person 1"]


def test_members_lose_name_picture_and_id() -> None:
    """The person's own name stays, also where somebody else has set it."""
    people = Pseudonyms(ANNA)
    bert = people.replaced(member(BERT, BERT, displayname=NAME, avatar_url="mxc://example.org/face"))
    assert (bert["state_key"], bert["content"]) == ("Person 1", {"membership": "join", "displayname": "Person 1"})
    invited = people.replaced(member(CARLA, ANNA, displayname="Carla Planted", reason=f"with {BERT}"))
    assert invited["content"] == {"membership": "join", "displayname": "Person 2", "reason": "with Person 1"}
    own = member(ANNA, BERT, displayname="Anna", avatar_url="mxc://example.org/anna")
    assert people.replaced(own) == own | {"sender": "Person 1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"ask {BERT}.", "ask Person 1."),
        (f"({BERT}, {CARLA})", "(Person 1, Person 2)"),
        (f"> <{BERT}> hello\n\nyes", "> <Person 1> hello\n\nyes"),
        (f"{LINK}{BERT}?via=example.org", f"{LINK}Person 1?via=example.org"),
        (f"{LINK}%40bert%3Aexample.org", f"{LINK}Person 1"),
        ("matrix:u/bert:example.org?action=chat", "Person 1?action=chat"),
        ("@someone.else:[2001:db8::1]:8448 too", "Person 3 too"),
        (ODD, "Person 4"),
        (f"I am {ANNA}", f"I am {ANNA}"),
        (f"{LINK}{ANNA}", f"{LINK}{ANNA}"),
        ("write to bert@example.org:25", "write to bert@example.org:25"),
        ("at 5 @home: cake", "at 5 @home: cake"),
        ("$event:example.org in !room:example.org", "$event:example.org in !room:example.org"),
    ],
)
def test_user_ids_in_texts(text: str, expected: str) -> None:
    """In words, links and quotations; nothing else that has an @ or a colon."""
    people = Pseudonyms(ANNA, [BERT, CARLA, "@someone.else:[2001:db8::1]:8448", ODD])
    assert body(people, text) == expected


def test_a_mention_loses_the_name_beside_it() -> None:
    """A pill's words, and the same name in the plain text; but not where the same letters are part of a word."""
    people = Pseudonyms(ANNA)
    pill = f'<a class="x" href="{LINK}{BERT}">{NAME}</a>: look, {NAME}s'
    content = {"body": f"{NAME}: look, {NAME}s", "formatted_body": pill, "m.mentions": {"user_ids": [BERT, ANNA]}}
    assert people.replaced(message(content, ANNA))["content"] == {
        "body": f"Person 1: look, {NAME}s",
        "formatted_body": f"Person 1: look, {NAME}s",
        "m.mentions": {"user_ids": ["Person 1", ANNA]},
    }
    people.replaced(member(CARLA, CARLA, displayname="Ca <3"))
    mentioned = {"user_ids": [CARLA]}
    html = {"formatted_body": "Ca &lt;3, come", "m.mentions": mentioned}
    assert people.replaced(message({"body": "Ca <3, come", **html}, ANNA))["content"] == {
        "body": "Person 2, come",
        "formatted_body": "Person 2, come",
        "m.mentions": {"user_ids": ["Person 2"]},
    }


def test_ids_in_keys_and_at_any_depth() -> None:
    """Power levels, state keys with a user ID in them, an edit's new content, what is nested under ``unsigned``."""
    people = Pseudonyms(ANNA)
    levels = message({"users": {ANNA: 100, BERT: 50}}, ANNA, type="m.room.power_levels", state_key="")
    assert people.replaced(levels)["content"] == {"users": {ANNA: 100, "Person 1": 50}}
    call = people.replaced(message({}, CARLA, type="call.member", state_key=f"_{CARLA}_DEVICE"))
    assert call["state_key"] != f"_{CARLA}_DEVICE"
    assert CARLA not in json.dumps(call)
    edit = {"m.new_content": {"body": f"not {BERT}"}, "m.relates_to": {"event_id": "$1:example.org"}}
    content = people.replaced(message(edit, ANNA))["content"]
    assert content == {"m.new_content": {"body": "not Person 1"}, "m.relates_to": {"event_id": "$1:example.org"}}
    nested = people.replaced(message({}, ANNA, unsigned={"prev_content": {"topic": BERT}, "prev_sender": ANNA}))
    assert nested["unsigned"] == {"prev_content": {"topic": "Person 1"}, "prev_sender": ANNA}


def test_others_devices_are_not_told_of() -> None:
    """What opens an encrypted message stays, what tells the device doesn't; the person's own is as it was."""
    people = Pseudonyms(ANNA)
    content = {"algorithm": "m.megolm.v1.aes-sha2", "session_id": "s", "ciphertext": "c"}
    traces = {"device_id": "PHONE", "sender_key": "k"}
    theirs = message({**content, **traces}, type="m.room.encrypted")
    assert people.replaced(theirs)["content"] == content
    own = message({**content, **traces}, ANNA, type="m.room.encrypted")
    assert people.replaced(own) == own


@pytest.mark.parametrize(
    "content",
    [
        {"body": 5, "m.mentions": [], "formatted_body": None},
        {"m.mentions": {"user_ids": [5, {"a": BERT}]}},
        {"body": "<a href=" * 8_000, "formatted_body": f'<a href="{LINK}@x:y">' * 2_500},
        {"body": "@" * 60_000, "formatted_body": "%40" * 20_000},
        {"body": "matrix:u/" * 7_000},
    ],
)
def test_odd_content_does_no_harm(content: dict[str, Any]) -> None:
    """Wrong types, and texts made to take long: the event is still that event."""
    people = Pseudonyms(ANNA)
    assert people.replaced(message(content))["event_id"] == "$1:example.org"


@pytest.mark.parametrize("event", [{"event_id": "$1"}, {"event_id": "$1", "sender": 5, "state_key": 6, "content": 7}])
def test_an_event_without_the_usual_members_stays_as_it_is(event: dict[str, Any]) -> None:
    """Nothing is added to it."""
    assert Pseudonyms(ANNA).replaced(event) == event
