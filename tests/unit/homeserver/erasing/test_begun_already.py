"""What may have been done although nobody got the answer: it is looked at again before anything is done again."""

import pytest

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.category import Subject
from dpobot.homeserver.changes import Depth
from dpobot.homeserver.erasing.left_rooms import redact_left
from dpobot.homeserver.erasing.room_deletion import deleted
from dpobot.homeserver.erasing.windows import redact
from dpobot.homeserver.http import Http
from dpobot.model.ids import RoomId, UserId
from tests.unit.homeserver.conftest import Script
from tests.unit.homeserver.conftest import http as http
from tests.unit.homeserver.conftest import script as script

ANNA = UserId("@anna:example.org")
ROOM = RoomId("!room:example.org")
MESSAGE = {
    "event_id": "$1",
    "type": "m.room.message",
    "sender": ANNA,
    "room_id": ROOM,
    "origin_server_ts": 1,
    "content": {"msgtype": "m.text", "body": "x"},
}
IN_PROGRESS = {"errcode": "M_UNKNOWN", "error": "Purge already in progress"}


async def test_a_redaction_whose_answer_is_lost_is_not_sent_again(script: Script, http: Http) -> None:
    """A homeserver that was away no longer knows the transaction; the job's next attempt begins with what is left."""
    script.json({"joined_rooms": [ROOM]}).json({"chunk": [MESSAGE]}).json({"access_token": "lent"})
    script.raw(b"", 502).json({})
    with pytest.raises(Unavailable):
        await redact(Subject(ANNA, http), ROOM, Depth.ALL, None, 1)
    assert [method for method, _ in script.asked].count("PUT") == 1


async def test_a_redaction_that_comes_too_early_is_sent_again(script: Script, http: Http) -> None:
    """A server that limits the rate, or is slow, knows what it did."""
    script.json({"joined_rooms": [ROOM]}).json({"chunk": [MESSAGE]}).json({"access_token": "lent"})
    script.json({}, 429).json({}, 504).json({"event_id": "$2"}).json({})
    assert (await redact(Subject(ANNA, http), ROOM, Depth.ALL, None, 1)).count == 1
    assert [method for method, _ in script.asked].count("PUT") == 3


async def test_a_bulk_call_whose_answer_is_lost_is_not_made_again(script: Script, http: Http) -> None:
    """It may be at work; made twice, it would redact twice."""
    script.json({"scheduled_tasks": []}).json({"chunk": [MESSAGE]}).json({"server_version": "1.163.0"})
    script.raw(b"", 502).json({})
    with pytest.raises(Unavailable):
        await redact_left(Subject(ANNA, http), ROOM, Depth.ALL, script.pause)
    assert [method for method, _ in script.asked].count("POST") == 1


async def test_a_deletion_that_fails_is_tried_again_and_then_given_up(script: Script, http: Http) -> None:
    """By chance it meets what Synapse still writes of the room in the background; three times is no chance."""
    for status in ("failed", "complete"):
        script.json({"results": []}).json({"room_id": ROOM}).json({"delete_id": "1"}).json({"status": status})
    assert await deleted(http, ROOM, script.pause) is True
    for _ in range(3):
        script.json({"results": []}).json({"room_id": ROOM}).json({"delete_id": "1"}).json({"status": "failed"})
    await http.call("GET /_synapse/admin/v1/server_version")  # the last answer is given once more
    with pytest.raises(Rejected) as error:
        await deleted(http, ROOM, script.pause)
    assert error.value.code == "deletion_failed"


async def test_a_deletion_that_is_under_way_is_no_failure(script: Script, http: Http) -> None:
    """The homeserver refuses a second one with 400; what it refuses otherwise is refused."""
    script.json({"results": []}).json({"room_id": ROOM}).json(IN_PROGRESS, 400)
    script.json({"results": [{"status": "purging"}]})
    assert await deleted(http, ROOM, script.pause) is False
    script.json({"results": []}).json({"room_id": ROOM}).json(IN_PROGRESS, 400).json({"results": []})
    await http.call("GET /_synapse/admin/v1/server_version")  # the last answer is given once more
    with pytest.raises(Rejected):
        await deleted(http, ROOM, script.pause)
