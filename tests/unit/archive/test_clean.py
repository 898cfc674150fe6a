"""Nobody else's data rides along in the person's own events."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.archive.clean import own_event
from dpobot.errors import Tripwire
from dpobot.model.ids import RoomId
from tests.unit.archive.conftest import ALICE, BOB, message

ROOM = RoomId("!a:example.org")
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([ALICE, BOB]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["sender", "content", "event_id", "type", "m.relations", "m.replace", "m.thread", "chunk"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


def test_client_format_only() -> None:
    """Federation's fields and the moment-dependent age stay out; content is as sent."""
    event = message(1, auth_events=["$x"], signatures={}, user_id=ALICE, unsigned={"age": 5, "membership": "join"})
    assert own_event(event, ALICE) == message(1, unsigned={"membership": "join"})


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (message(1, sender=BOB), "foreign_sender"),
        (message(1, sender=None), "foreign_sender"),
        (message(1, sender=[ALICE]), "foreign_sender"),
        ({"event_id": "$1"}, "foreign_sender"),
        (message(1, room_id="!b:example.org"), "wrong_room"),
        (message(1, event_id=5), "no_event_id"),
    ],
)
def test_what_is_not_the_persons(event: dict[str, Any], code: str) -> None:
    """An event of somebody else, of another room or without an ID trips the wire."""
    with pytest.raises(Tripwire, match=code):
        own_event(event, ALICE, ROOM)


def test_room_is_filled_in() -> None:
    """Create events of new rooms carry no room ID; their line has one."""
    event = message(1)
    del event["room_id"]
    assert own_event(event, ALICE, ROOM)["room_id"] == ROOM


def test_redaction_by_somebody_else_keeps_no_words() -> None:
    """That somebody redacted is kept; who and why is theirs."""
    because = {"event_id": "$r", "type": "m.room.redaction", "sender": BOB, "content": {"reason": "rude"}}
    kept = own_event(message(1, unsigned={"redacted_because": because}), ALICE)
    assert kept["unsigned"] == {"redacted_because": {"event_id": "$r", "type": "m.room.redaction"}}


def test_own_redaction_is_kept() -> None:
    """The person's own reason is theirs."""
    because = message(2, type="m.room.redaction", content={"reason": "typo"})
    assert own_event(message(1, unsigned={"redacted_because": because}), ALICE)["unsigned"] == {
        "redacted_because": because
    }


@pytest.mark.parametrize(("sender", "kept"), [(ALICE, True), (BOB, False), (None, False)])
def test_earlier_state(sender: str | None, kept: bool) -> None:
    """The state before stays only if the person had set it."""
    unsigned = {"prev_content": {"name": "old"}, "prev_sender": sender, "replaces_state": "$0"}
    found = own_event(message(1, unsigned=unsigned), ALICE)["unsigned"]
    assert ("prev_content" in found, found["replaces_state"]) == (kept, "$0")


def test_bundles_of_others_go() -> None:
    """Replies and reactions of others go; how long the thread is, and the own edit, stay."""
    edit = message(3)
    relations = {
        "m.thread": {"latest_event": message(2, sender=BOB), "count": 3, "current_user_participated": True},
        "m.reference": {"chunk": [{"event_id": "$x"}]},
        "m.replace": edit,
    }
    unsigned = {"m.relations": relations, "invite_room_state": [message(9, sender=BOB)]}
    assert own_event(message(1, unsigned=unsigned), ALICE)["unsigned"] == {
        "m.relations": {"m.thread": {"count": 3, "current_user_participated": True}, "m.replace": edit}
    }


def test_foreign_edit_goes() -> None:
    """An edit that somebody else sent is not the person's, whatever the server bundles."""
    unsigned = {"m.relations": {"m.replace": message(3, sender=BOB)}}
    assert "unsigned" not in own_event(message(1, unsigned=unsigned), ALICE)


@given(unsigned=_VALUES, content=_VALUES)
def test_any_form_is_survived(unsigned: object, content: object) -> None:
    """Whatever stands in unsigned, nothing of another sender is left there, and the content is untouched."""
    kept = own_event(message(1, unsigned=unsigned, content=content), ALICE)
    assert kept["content"] == content
    assert BOB not in _senders(kept.get("unsigned"))


def _senders(value: object) -> list[object]:
    if isinstance(value, dict):
        own = [value["sender"]] if isinstance(value.get("sender"), str) else []
        return own + [found for key, item in value.items() if key != "content" for found in _senders(item)]
    return [found for item in value for found in _senders(item)] if isinstance(value, list) else []
