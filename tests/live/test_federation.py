"""The two federated homeservers of the tests do what they are for: words go across, strangers look in."""

import pytest

from dpobot.errors import Rejected
from tests.live.federation import Federation, arrived, federation, join_across, timeline

pytestmark = pytest.mark.live
__all__ = ["federation"]  # the fixture

WORLD_READABLE = {
    "type": "m.room.history_visibility",
    "state_key": "",
    "content": {"history_visibility": "world_readable"},
}


async def test_a_message_reaches_the_other_server(federation: Federation) -> None:
    """Somebody of the other server joins by invitation and reads what was said before and after."""
    alice, rita = await federation.at_home("fed-alice"), await federation.far_away("fed-rita")
    room = await alice.create(preset="private_chat", invite=[rita.user_id])
    before = await alice.say(room, "said before")
    await join_across(rita, room, federation.home)
    after = await alice.say(room, "said after")
    await arrived(rita, room, after)
    said = {event["event_id"]: event["content"].get("body") for event in await timeline(rita, room)}
    assert [said[before], said[after]] == ["said before", "said after"]
    assert sorted((await rita.get("rooms", room, "joined_members"))["joined"]) == [alice.user_id, rita.user_id]


async def test_a_visitor_without_an_account_reads_a_world_readable_room_only(federation: Federation) -> None:
    """A guest reads there without joining; elsewhere the server refuses."""
    alice, guest = await federation.at_home("fed-host"), await federation.guest()
    room = await alice.create(preset="public_chat", initial_state=[WORLD_READABLE])
    closed = await alice.create(preset="private_chat")
    event = await alice.say(room, "for everybody")
    assert event in [seen["event_id"] for seen in await timeline(guest, room)]
    with pytest.raises(Rejected):
        await timeline(guest, closed)
