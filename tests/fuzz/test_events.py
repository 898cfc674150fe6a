"""Events of any shape: taken in exactly as they are, or left out with a line in the log; never an error."""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from hypothesis import given
from hypothesis import strategies as st

from dpobot.inbox import intake
from dpobot.matrix import events
from dpobot.matrix.api import Received
from dpobot.model.ids import RoomId, UserId
from dpobot.store import inbox
from dpobot.store.database import Database, Tx
from tests.flow.conftest import ANNA, at_rest, data, given_out, homeserver, logged, server, stage
from tests.flow.stage import Stage
from tests.fuzz.anything import fuzzed, json_with, leaves, texts

__all__ = ["at_rest", "data", "given_out", "homeserver", "logged", "server", "stage"]  # fixtures

ROOM, ME = RoomId("!r:x"), UserId("@dpo:x")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
_KEYS = st.sampled_from(
    [
        "type",
        "content",
        "event_id",
        "sender",
        "origin_server_ts",
        "state_key",
        "body",
        "msgtype",
        "m.relates_to",
        "rel_type",
        "session_id",
        "membership",
        "file",
        "url",
        "key",
        "hashes",
        "info",
        "m.new_content",
        "m.in_reply_to",
        "org.dpobot.erasure_notice",
        "org.dpobot.erasure_answer",
        "m.mentions",
        "user_ids",
        "filename",
        "iv",
        "v",
    ]
)
_TYPES = st.sampled_from(["m.room.message", "m.room.encrypted", "m.reaction", "m.room.member", "m.sticker", "m.x"])
_JSON = json_with(_KEYS)
_CONTENT = st.dictionaries(_KEYS, st.one_of(_JSON, st.sampled_from(["m.text", "m.file", "m.notice", "m.replace"])))
_LIKELY = st.fixed_dictionaries(
    {"type": st.one_of(_TYPES, leaves), "content": st.one_of(_CONTENT, _JSON)},
    optional={
        "event_id": st.one_of(st.just("$e"), texts.map("${}".format), _JSON),
        "sender": st.one_of(st.just("@a:x"), texts.map("@{}".format), _JSON),
        "origin_server_ts": st.one_of(st.integers(), leaves),
        "state_key": leaves,
    },
)


@fuzzed(60)
@given(raw=st.one_of(_LIKELY, _LIKELY.map(lambda each: {"event_id": "$e", "sender": "@a:x", **each}), _JSON))
async def test_an_event_is_taken_in_or_said_to_be_left_out(sqlite_database: Database, raw: Any) -> None:
    """What needs an answer is in the inbox, readable; what is no event has a line in the log."""
    with structlog.testing.capture_logs() as lines:
        event = events.received(ROOM, raw)
    assert (event is None) == ([line["event"] for line in lines] == ["event_skipped"])
    row = None if event is None else intake.event_row(event, ME, NOW, timedelta(seconds=20))
    if event is None or row is None:
        assert event is None or _needs_no_answer(event)
        return

    async def pass_through(tx: Tx) -> tuple[str, Any]:
        await inbox.take_in(tx, [row], "s1")
        (found,) = await inbox.due(tx, NOW + timedelta(minutes=1), 10)
        await inbox.done(tx, found.id, NOW)
        await inbox.forget(tx, NOW + timedelta(days=1))
        return found.event_id, found.payload

    event_id, payload = await sqlite_database.write(pass_through)
    assert (event_id, payload) == (event.event_id, row.payload)


def _needs_no_answer(event: Received) -> bool:
    """Say whether an event is our own, state, or of a kind that nobody says anything with."""
    notice = event.type == "m.room.message" and event.content.get("msgtype") == "m.notice"
    return event.sender == ME or event.state_key is not None or event.type != "m.room.message" or notice


@fuzzed(60)
@given(stripped=st.one_of(st.lists(_LIKELY, max_size=4), _JSON))
def test_an_invitation_of_any_shape(stripped: Any) -> None:
    """It is one, from somebody, or there is a line in the log."""
    with structlog.testing.capture_logs() as lines:
        found = events.invite(ROOM, ME, stripped)
    assert (found is None) == ([line["event"] for line in lines] == ["invite_skipped"])


@fuzzed(15)
@given(content=_CONTENT)
async def test_any_message_of_a_person_is_answered(stage: Stage, content: Any) -> None:
    """Through the whole bot: no row is left over, and none ended at the error boundary."""
    known = list(stage.server.rooms)
    room_id = known[0] if known else await stage.meet(ANNA)
    stage.server.say(room_id, ANNA, events.wholesome(content))
    await stage.settle()
    assert {row["state"] for row in await stage.rows("inbox")} == {"done"}
    stage.server.now += timedelta(hours=1)
