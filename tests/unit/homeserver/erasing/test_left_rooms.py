"""The bulk call in rooms that somebody has left: what an older Synapse would do with its bounds."""

import pytest

from dpobot.homeserver.category import Subject
from dpobot.homeserver.changes import Depth
from dpobot.homeserver.erasing.left_rooms import redact_left
from dpobot.homeserver.http import Http
from dpobot.model.ids import RoomId, UserId
from tests.unit.homeserver.conftest import Script
from tests.unit.homeserver.conftest import http as http
from tests.unit.homeserver.conftest import script as script

ANNA = UserId("@anna:example.org")
ROOM = RoomId("!left:example.org")
MESSAGE = {
    "event_id": "$1",
    "type": "m.room.message",
    "sender": ANNA,
    "room_id": ROOM,
    "origin_server_ts": 1,
    "content": {"msgtype": "m.text", "body": "x"},
}


@pytest.mark.parametrize("version", ["1.156.9", "unknown"])
async def test_an_older_synapse_is_not_asked(script: Script, http: Http, version: str) -> None:
    """It ignores the bounds in time and would redact what is to be spared: that is left, and said."""
    script.json({"scheduled_tasks": []}).json({"chunk": [MESSAGE]})
    script.json({"server_version": version})
    done = await redact_left(Subject(ANNA, http), ROOM, Depth.ALL, script.pause)
    assert (done.count, done.refused) == (0, {"server_too_old": 1})
    assert ("POST", "/_synapse/admin/v1/user/%40anna%3Aexample.org/redact") not in script.asked
