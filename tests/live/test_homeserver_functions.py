"""Functions that a server offers only if it is told to: presence, delayed events, dehydrated devices, threads."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from dpobot.demo.synapse import Synapse
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.model.ids import UserId
from tests.live.http import Client, path

pytestmark = pytest.mark.live

_OFFERED = {
    "experimental_features": {"msc3814_enabled": True, "msc4306_enabled": True},
    "max_event_delay_duration": "24h",
    "presence": {"enabled": True},
}
_UNSTABLE = "/_matrix/client/unstable"


@pytest.fixture
async def generous(tmp_path: Path) -> AsyncIterator[Synapse]:
    """A server that offers more."""
    server = Synapse(tmp_path / "generous", extra=_OFFERED)
    await server.start()
    yield server
    await server.stop()


async def test_optional_functions_are_collected_where_they_are_offered(generous: Synapse) -> None:
    """Each of them holds what the person left there; the key that cancels a delayed event stays out."""
    admin = await generous.register("admin", admin=True)
    person = await generous.register(f"anna-{secrets.token_hex(3)}")
    user = UserId(person.user_id)
    async with aiohttp.ClientSession() as http:
        anna = Client(http, generous.url, person)
        room = await anna.create(name="a room")
        root = await anna.say(room, "the root of a thread")
        await anna.put("presence", user, "status", body={"presence": "online", "status_msg": "at sea"})
        later = await anna.call(
            "PUT",
            f"/_matrix/client/v3/{path('rooms', room, 'send', 'm.room.message', 'later')}",
            {"msgtype": "m.text", "body": "later"},
            **{"org.matrix.msc4140.delay": "3600000"},
        )
        thread = path("rooms", room, "thread", root, "subscription")
        await anna.call("PUT", f"{_UNSTABLE}/io.element.msc4306/{thread}", {})
        await _dehydrate(anna)
    homeserver = SynapseHomeserver(generous.url, admin.access_token)
    names = ("presence", "delayed_events", "thread_subscriptions", "dehydrated_device")
    answers = {name: await homeserver.collect(name, user) for name in names}
    await homeserver.close()
    assert {answer.missing for answer in answers.values()} == {None}
    assert answers["presence"].records[0]["status_msg"] == "at sea"
    (delayed,) = answers["delayed_events"].records
    assert (delayed["room_id"], delayed["content"]["body"]) == (room, "later")
    assert str(later["delay_id"]) not in str(delayed)
    assert [(record["room_id"], record["thread"]) for record in answers["thread_subscriptions"].records] == [
        (room, root)
    ]
    assert [record["device_id"] for record in answers["dehydrated_device"].records] == ["DEHYDRATED"]


async def _dehydrate(anna: Client) -> None:
    keys = {
        "user_id": anna.user_id,
        "device_id": "DEHYDRATED",
        "algorithms": ["m.megolm.v1.aes-sha2"],
        "keys": {"ed25519:DEHYDRATED": "a2V5", "curve25519:DEHYDRATED": "a2V5"},
        "signatures": {},
    }
    body = {
        "device_id": "DEHYDRATED",
        "initial_device_display_name": "asleep",
        "device_data": {"algorithm": "org.matrix.msc3814.v2", "device_pickle": "b3BhcXVl", "nonce": "bm9uY2U"},
        "device_keys": keys,
        "one_time_keys": {},
        "fallback_keys": {},
    }
    await anna.call("PUT", f"{_UNSTABLE}/org.matrix.msc3814.v1/dehydrated_device", body)
