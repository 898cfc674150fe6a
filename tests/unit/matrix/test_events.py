"""Raw events of any shape: read, mended or skipped, never raised about."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.matrix.decryption import Withheld
from dpobot.matrix.events import Malformed, invite, received, wholesome
from dpobot.model.ids import RoomId, UserId

ROOM, ME, VIC = RoomId("!r:example.org"), UserId("@dpo:example.org"), UserId("@vic:example.org")
GOOD: dict[str, Any] = {
    "event_id": "$e",
    "sender": VIC,
    "type": "m.room.message",
    "origin_server_ts": 1_700_000_000_000,
    "content": {"msgtype": "m.text", "body": "hi"},
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_a_message_is_read() -> None:
    """All fields arrive."""
    event = received(ROOM, GOOD)
    assert event is not None
    assert (event.event_id, event.sender, event.type, event.content["body"]) == ("$e", VIC, "m.room.message", "hi")
    assert (event.sent_at.isoformat(), event.encrypted, event.state_key) == ("2023-11-14T22:13:20+00:00", False, None)


@pytest.mark.parametrize("field", ["event_id", "sender", "type", "content"])
@pytest.mark.parametrize("value", [None, 7, [], "", "x" * 300])
def test_an_event_without_its_essentials_is_skipped(field: str, value: object) -> None:
    """Without ID, sender, type or content it can't be answered."""
    assert received(ROOM, GOOD | {field: value}) is None


@given(st.dictionaries(st.sampled_from([*GOOD, "state_key", "unsigned"]), anything))
def test_nothing_raises(changes: dict[str, Any]) -> None:
    """Whatever the fields are, the event is read or skipped."""
    event = received(ROOM, GOOD | changes)
    assert event is None or event.room_id == ROOM


def test_texts_are_made_storable() -> None:
    """Lone surrogates, NULs and numbers that are none break databases and JSON writers."""
    assert wholesome({"a\ud800": ["b\x00", float("nan"), float("inf"), 1.5]}) == {"a?": ["b\ufffd", None, None, 1.5]}


def test_bottomless_nesting_is_malformed() -> None:
    """64 levels pass, 65 do not."""
    value: object = "x"
    for _ in range(64):
        value = [value]
    assert wholesome(value) == value
    with pytest.raises(Malformed):
        wholesome([value])


def stripped(**content: object) -> list[object]:
    return [None, {"type": "m.room.member", "state_key": ME, "sender": VIC, "content": content}]


def test_an_invitation_names_its_inviter() -> None:
    """From the stripped state: who, whether direct, whether encrypted."""
    found = invite(ROOM, ME, [*stripped(membership="invite", is_direct=True), {"type": "m.room.encryption"}])
    assert found is not None
    assert (found.inviter, found.direct, found.encrypted) == (VIC, True, True)


@pytest.mark.parametrize("state", [None, {}, [], [7], stripped(membership="join"), stripped(membership=[])])
def test_a_malformed_invitation_is_skipped(state: object) -> None:
    """No inviter, no invitation."""
    assert invite(ROOM, ME, state) is None


def test_a_withheld_code_counts_for_its_sender_only() -> None:
    """Nobody can explain another one's missing key; no_olm speaks of all sessions of its sender."""
    withheld = Withheld()
    withheld.note({"sender": VIC, "content": {"code": "m.unverified", "room_id": ROOM, "session_id": "s"}})
    withheld.note({"sender": "@eve:x", "content": {"code": "m.no_olm"}})
    assert withheld.why(VIC, ROOM, "s") == "m.unverified"
    assert withheld.why(VIC, ROOM, "other") == "no_session"
    assert withheld.why("@eve:x", ROOM, "any") == "m.no_olm"


@pytest.mark.parametrize("raw", [{}, {"sender": 7, "content": {}}, {"sender": VIC, "content": {"code": []}}])
def test_malformed_withheld_messages_are_ignored(raw: dict[str, Any]) -> None:
    """They explain nothing."""
    withheld = Withheld()
    withheld.note(raw)
    assert withheld.why(VIC, ROOM, "s") == "no_session"
