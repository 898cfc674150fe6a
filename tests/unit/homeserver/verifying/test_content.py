"""The two rules of what holds content: the one that erases by, and the one that looks afterwards by."""

from typing import Any

import pytest

from dpobot.homeserver.erasing.directory import NOTHING
from dpobot.homeserver.erasing.redactable import KEPT, Fate, fate
from dpobot.homeserver.verifying.content import Holding, holding, threaded

ANNA = "@anna:dpobot.test"
BOB = "@bob:dpobot.test"
N, M, X, S, K, R = Holding.NOTHING, Holding.MESSAGE, Holding.OTHER, Holding.STATE, Holding.KEPT, Holding.REASON


def sent(type_: str, content: Any, key: str | None = None, **more: Any) -> dict[str, Any]:
    """Return an event of Anna's in client format."""
    state = {} if key is None else {"state_key": key}
    return {"event_id": "$1", "type": type_, "sender": ANNA, "content": content, **state, **more}


# event, what it holds
EVENTS: list[tuple[dict[str, Any], Holding]] = [
    (sent("m.room.message", {"msgtype": "m.text", "body": "hello"}), M),
    (sent("m.room.message", {"msgtype": "m.image", "url": "mxc://dpobot.test/a", "body": "a.png"}), M),
    (sent("m.room.message", {"body": "* hello", "m.new_content": {}, "m.relates_to": {"rel_type": "m.replace"}}), M),
    (sent("m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"}), M),
    (sent("m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$0", "key": "👍"}}), X),
    (sent("m.sticker", {"body": "a cat", "url": "mxc://dpobot.test/cat"}), X),
    (sent("m.poll.start", {"m.poll": {"question": {"m.text": [{"body": "?"}]}}}), X),
    (sent("m.poll.response", {"m.selections": ["a"]}), X),
    (sent("m.call.invite", {"call_id": "1", "offer": {"sdp": "x"}}), X),
    (sent("m.call.candidates", {"candidates": []}), X),
    (sent("m.beacon", {"org.matrix.msc3488.location": {"uri": "geo:51,0"}}), X),
    (sent("org.example.custom", {"x": 1}), X),
    (sent("org.example.custom", {"x": False}), X),
    (sent("m.room.redaction", {"reason": "a word of Anna's"}, redacts="$0"), R),
    (sent("m.room.redaction", {"redacts": "$0", "reason": "a word of Anna's"}), R),
    (sent("m.room.redaction", {"redacts": "$0"}), N),
    (sent("m.room.redaction", {}, redacts="$0"), N),
    (sent("m.room.message", {}), N),
    (sent("m.room.message", {}, unsigned={"redacted_because": {"type": "m.room.redaction"}}), N),
    (sent("m.room.message", None), N),
    (sent("m.room.message", {"body": None}), N),
    (sent("m.room.name", {"name": "Anna's"}, ""), S),
    (sent("m.room.topic", {"topic": "gardens"}, ""), S),
    (sent("m.room.topic", {}, ""), N),
    (sent("m.room.avatar", {"url": "mxc://dpobot.test/a"}, ""), S),
    (sent("m.room.pinned_events", {"pinned": ["$0"]}, ""), S),
    (sent("im.vector.modular.widgets", {"url": "https://example.org/?u=anna"}, "w"), S),
    (sent("m.beacon_info", {"description": "Anna's way"}, ANNA), S),
    (sent("org.example.state", {"x": 1}, ""), S),
    (sent("m.room.member", {"membership": "join", "displayname": "Anna"}, ANNA), S),
    (sent("m.room.member", {"membership": "join", "displayname": None, "avatar_url": None}, ANNA), N),
    (sent("m.room.member", {"membership": "join"}, ANNA), N),
    (sent("m.room.member", {"membership": "leave", "reason": "a word of Anna's"}, ANNA), S),
    (sent("m.room.member", {"membership": "knock", "reason": "let me in"}, ANNA), S),
    (sent("m.room.member", {"membership": "join", "join_authorised_via_users_server": BOB}, ANNA), N),
    (sent("m.room.member", {"membership": "ban", "reason": "a word of Anna's"}, BOB), S),
    (sent("m.room.member", {"membership": "invite", "displayname": "Bob"}, BOB), S),
    (sent("m.room.member", {"membership": "ban"}, BOB), N),
    (sent("m.room.aliases", {"aliases": ["#annas:dpobot.test"]}, "dpobot.test"), S),
    (sent("m.room.aliases", {"aliases": ["#a:b"]}, "b", unsigned={"redacted_because": {}}), N),
    *((sent(kind, {"x": 1}, ""), K) for kind in sorted(KEPT)),
]

# the same in the words of what erases; where a room's version matters it is one of the older ones
AS_FATE = {N: Fate.EMPTY, M: Fate.MESSAGE, X: Fate.MESSAGE, S: Fate.STATE, K: Fate.KEPT, R: Fate.KEPT}


@pytest.mark.parametrize(("event", "expected"), EVENTS)
def test_what_stands_in_an_event_decides(event: dict[str, Any], expected: Holding) -> None:
    """Not what was called on it: an event that was redacted on paper but still says something is found."""
    assert holding(event) is expected


@pytest.mark.parametrize("event", [event for event, _ in EVENTS])
def test_the_rule_that_erases_agrees(event: dict[str, Any]) -> None:
    """Each rule was written by itself. A difference would be a leftover for ever, or content that nobody finds."""
    assert fate(event) is AS_FATE[holding(event)]


def test_an_event_that_only_claims_to_be_redacted_is_found() -> None:
    """Here the two differ, on purpose: what erases believes the server's mark, what looks afterwards its content."""
    event = sent("m.room.message", {"body": "hello"}, unsigned={"redacted_because": {"type": "m.room.redaction"}})
    assert (holding(event), fate(event)) == (Holding.MESSAGE, Fate.EMPTY)


def test_a_text_without_signs_says_nothing() -> None:
    """To neither: such as a topic that was set to nothing, which is then not redacted as well."""
    for event in (
        sent("m.room.redaction", {"reason": ""}, redacts="$0"),
        *(sent(kind, nothing, "") for kind, nothing in NOTHING.items()),
    ):
        assert (holding(event), fate(event)) == (Holding.NOTHING, Fate.EMPTY)


def test_a_reason_of_a_redaction_goes_where_redaction_keeps_its_target() -> None:
    """From room version 11 on, what erases takes the reason away; if it stays anywhere, it is told with why."""
    event = sent("m.room.redaction", {"redacts": "$0", "reason": "a word of Anna's"})
    assert (holding(event), fate(event, "11")) == (Holding.REASON, Fate.MESSAGE)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (sent("m.room.message", {"body": "hello", "m.relates_to": {"rel_type": "m.thread"}}), True),
        (sent("m.room.encrypted", {"ciphertext": "?", "m.relates_to": {"rel_type": "m.thread"}}), True),
        (sent("m.sticker", {"body": "a cat", "m.relates_to": {"rel_type": "m.thread"}}), True),
        (sent("m.room.message", {"body": "hello", "m.relates_to": {"rel_type": "m.replace"}}), False),
        (sent("m.room.message", {"body": "hello", "m.relates_to": "m.thread"}), False),
        (sent("m.room.message", {"body": "hello"}), False),
        (sent("m.room.message", {}), False),
    ],
)
def test_a_message_in_a_thread_is_known_by_its_relation(event: dict[str, Any], expected: bool) -> None:
    """Also an encrypted one, and not what was redacted."""
    assert threaded(event) is expected
