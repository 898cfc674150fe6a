"""Own events only: the first check that no other person's data enters an archive."""

import json
from typing import Any

import pytest

from dpobot.errors import Rejected, Tripwire, Unavailable
from dpobot.homeserver.events import own_copy, own_events
from dpobot.homeserver.http import Http
from dpobot.model.ids import RoomId, UserId
from tests.unit.homeserver.conftest import Script

_ANNA, _BOB = UserId("@anna:dpobot.test"), UserId("@bob:dpobot.test")
_ROOM = RoomId("!room:dpobot.test")


def event(sender: str = _ANNA, **more: Any) -> dict[str, Any]:
    """Return an event in client format."""
    return {"event_id": "$1", "type": "m.room.message", "sender": sender, "content": {"body": "hi"}, **more}


async def test_the_server_is_asked_for_one_sender_oldest_first(script: Script, http: Http) -> None:
    """The filter, the direction, the limit and where to go on."""
    script.json({"chunk": [event()], "end": "t9"})
    page = await own_events(http, _ROOM, _ANNA, "t5", 100)
    assert (page.events, page.next) == ((event(),), "t9")
    (query,) = script.queries
    assert json.loads(query.pop("filter")) == {"senders": [_ANNA]}
    assert query == {"dir": "f", "from": "t5", "limit": "100"}


@pytest.mark.parametrize("sender", [_BOB, "@ANNA:dpobot.test", "@anna:dpobot.test ", None, 5])
async def test_somebody_elses_event_trips_the_wire(script: Script, http: Http, sender: Any) -> None:
    """One among many is enough: nothing of the page is returned."""
    script.json({"chunk": [event(), event(sender), event()], "end": None})
    with pytest.raises(Tripwire) as error:
        await own_events(http, _ROOM, _ANNA, None, 100)
    assert error.value.code == "foreign_sender"


@pytest.mark.parametrize("chunk", [None, {}, "text", [5], [event(), None]])
async def test_a_page_of_another_shape_is_a_bad_answer(script: Script, http: Http, chunk: Any) -> None:
    """Better tried again than an archive with a hole."""
    script.json({"chunk": chunk})
    with pytest.raises(Unavailable) as error:
        await own_events(http, _ROOM, _ANNA, None, 100)
    assert error.value.code == "bad_answer"


async def test_a_server_that_goes_round_in_circles_ends(script: Script, http: Http) -> None:
    """The same token again is the end."""
    script.json({"chunk": [], "end": "t5"})
    page = await own_events(http, _ROOM, _ANNA, "t5", 100)
    assert page.next is None


async def test_a_page_too_large_is_asked_for_in_smaller_pieces(
    script: Script, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter at a time, and in the end one event at least; what is too large even then is refused."""
    monkeypatch.setattr("dpobot.homeserver.events._PAGE_BYTES", 300)
    large = {"chunk": [event(content={"body": "x" * 1000})]}
    script.json(large).json(large).json({"chunk": [event()]})
    page = await own_events(http, _ROOM, _ANNA, None, 100)
    assert len(page.events) == 1
    assert [query["limit"] for query in script.queries] == ["100", "25", "6"]
    script.queries.clear()
    script.json(large)
    script._answers.popleft()
    with pytest.raises(Rejected) as error:
        await own_events(http, _ROOM, _ANNA, None, 5)
    assert error.value.code == "answer_too_large"
    assert [query["limit"] for query in script.queries] == ["5", "1"]


def test_what_the_server_adds_of_others_stays_out() -> None:
    """A thread's newest reply, a moderator's reason, the state before: others wrote them."""
    theirs = {"sender": _BOB, "content": {"body": "Bob's words"}, "event_id": "$2", "type": "m.room.redaction"}
    full = event(
        unsigned={
            "age": 5,
            "transaction_id": "own",
            "m.relations": {"m.thread": {"latest_event": theirs}},
            "redacted_because": {**theirs, "origin_server_ts": 7},
            "prev_content": {"name": "Bob's words"},
            "prev_sender": _BOB,
            "invite_room_state": [theirs],
            "org.example.new": theirs,
        },
        redacted_because=theirs,
        prev_content={"name": "Bob's words"},
        invite_room_state=[theirs],
        state_key="",
    )
    because = {"event_id": "$2", "type": "m.room.redaction", "origin_server_ts": 7}
    expected = event(state_key="", unsigned={"transaction_id": "own", "redacted_because": because})
    assert own_copy(full, _ANNA) == expected


def test_what_the_person_wrote_before_stays_in() -> None:
    """The state before theirs is kept if it was theirs, too."""
    before = {"name": "My old name"}
    copy = own_copy(event(unsigned={"prev_content": before, "prev_sender": _ANNA}), _ANNA)
    assert copy["unsigned"] == {"prev_content": before}


def test_a_redaction_of_their_own_keeps_who_made_it_and_why() -> None:
    """The person deleted it themselves: that is theirs to read, and the archive says so."""
    own = {"sender": _ANNA, "content": {"reason": "a slip"}, "event_id": "$2", "type": "m.room.redaction"}
    copy = own_copy(event(unsigned={"redacted_because": {**own, "unsigned": {"age": 3}}}), _ANNA)
    assert copy["unsigned"] == {"redacted_because": own}
