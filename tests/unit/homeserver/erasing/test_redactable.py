"""Which events hold content, and what becomes of them."""

from typing import Any

import pytest

from dpobot.homeserver.changes import Depth
from dpobot.homeserver.erasing.redactable import KEPT, Fate, depends_on_version, fate, goes

REDACTED = {"unsigned": {"redacted_because": {"type": "m.room.redaction"}}}


def _event(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": kind, "content": content, **more}


@pytest.mark.parametrize(
    "kind", ["m.room.message", "m.room.encrypted", "m.reaction", "m.sticker", "m.poll.start", "m.call.invite", "org.x"]
)
def test_whatever_was_sent_and_says_something_is_a_message(kind: str) -> None:
    """Known to us or not: an unknown type is not a way to stay."""
    assert fate(_event(kind, {"body": "words"})) is Fate.MESSAGE
    assert fate(_event(kind, {"body": "words"}, **REDACTED)) is Fate.EMPTY
    assert fate(_event(kind, {})) is Fate.EMPTY


@pytest.mark.parametrize("kind", ["m.room.name", "m.room.topic", "m.room.avatar", "m.room.pinned_events", "org.x"])
def test_state_that_no_room_needs_goes(kind: str) -> None:
    """At both depths."""
    chosen = fate(_event(kind, {"name": "words"}, state_key=""))
    assert chosen is Fate.STATE
    assert [goes(chosen, depth) for depth in Depth] == [True, True]


@pytest.mark.parametrize("kind", sorted(KEPT))
def test_state_that_somebody_needs_stays(kind: str) -> None:
    """At both depths; as a message the same type protects nobody."""
    chosen = fate(_event(kind, {"some": "content"}, state_key=""))
    assert chosen is Fate.KEPT
    assert [goes(chosen, depth) for depth in Depth] == [False, False]
    assert fate(_event(kind, {"some": "content"})) is Fate.MESSAGE


def test_a_message_goes_only_where_all_was_asked_for() -> None:
    """To forget alone leaves it."""
    assert {depth: goes(Fate.MESSAGE, depth) for depth in Depth} == {Depth.ALL: True, Depth.STATE: False}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"membership": "join"}, Fate.EMPTY),
        ({"membership": "join", "displayname": None, "avatar_url": None}, Fate.EMPTY),
        ({"membership": "join", "join_authorised_via_users_server": "@b:x.test"}, Fate.EMPTY),
        ({"membership": "join", "displayname": "Anna"}, Fate.STATE),
        ({"membership": "leave", "reason": "words"}, Fate.STATE),
        ({"membership": "invite", "is_direct": True}, Fate.STATE),
    ],
)
def test_of_a_membership_only_the_membership_may_stay(content: dict[str, Any], expected: Fate) -> None:
    """Names and reasons go; null says nothing; what redaction leaves is no reason to redact again."""
    assert fate(_event("m.room.member", content, state_key="@a:x.test")) is expected


@pytest.mark.parametrize(
    ("content", "version", "expected"),
    [
        ({"redacts": "$e"}, "11", Fate.EMPTY),
        ({"redacts": "$e", "reason": "words"}, "11", Fate.MESSAGE),
        ({"redacts": "$e", "reason": "words"}, "12", Fate.MESSAGE),
        ({"redacts": "$e", "reason": "words"}, "10", Fate.KEPT),
        ({"redacts": "$e", "reason": "words"}, None, Fate.KEPT),
        ({}, "10", Fate.EMPTY),
    ],
)
def test_the_reason_of_a_redaction_goes_where_its_target_stays(
    content: dict[str, Any], version: str | None, expected: Fate
) -> None:
    """Before room version 11 the target would go with it. Our own redactions give no reason: there is an end."""
    event = _event("m.room.redaction", content)
    assert fate(event, version) is expected
    assert depends_on_version(event) is ("reason" in content)


@pytest.mark.parametrize("content", [None, [], "words", 7])
def test_what_is_no_content_holds_none(content: Any) -> None:
    """Whatever a broken server sent."""
    assert fate(_event("m.room.message", content)) is Fate.EMPTY
