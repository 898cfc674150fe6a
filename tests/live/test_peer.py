"""What is true of Synapse's own export, so that comparing our archive with it means something."""

from pathlib import Path

import pytest

from dpobot.demo.synapse import Synapse
from tests.live.http import clients
from tests.live.peer import PeerCrashed, PeerExport, run_peer
from tests.live.seeded import Seeded, seed_account, seed_invited

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
async def seeded(synapse: Synapse) -> Seeded:
    """One seeded account for this file."""
    return await seed_account(synapse, "peer-alice")


@pytest.fixture(scope="module")
async def peer(synapse: Synapse, seeded: Seeded, tmp_path_factory: pytest.TempPathFactory) -> PeerExport:
    """The peer's export of the seeded account."""
    return await run_peer(synapse, seeded.person.user_id, tmp_path_factory.mktemp("peer") / "out")


async def test_what_the_peer_gives_as_own_was_sent(seeded: Seeded, peer: PeerExport) -> None:
    """Every own event of the peer, its ID computed, is one that the person sent, in the room where it was sent."""
    own = peer.own(seeded.person.user_id)
    assert {event: seeded.own_events.get(event) for event in own} == own
    assert len(own) > 100


async def test_the_peer_leaves_out_rooms(seeded: Seeded, peer: PeerExport) -> None:
    """Forgotten rooms, and rooms never joined, are missing in the peer's export; no others are."""
    missing = {name for name, room in seeded.rooms.items() if room not in peer.events_by_room}
    assert missing == {
        "forgotten",
        "forgotten alone",
        "forgotten by both",
        "declined",
        "knocked and taken back",
    }


async def test_the_peer_gives_out_what_others_wrote(seeded: Seeded, peer: PeerExport) -> None:
    """The peer's export holds other members' secrets: the planted strings are where a careless export finds them."""
    text = "".join(file.read_text() for file in sorted(peer.folder.rglob("*")) if file.is_file())
    found = {secret for secret in seeded.planted_secrets if secret in text}
    assert len(found) > len(seeded.planted_secrets) // 2


async def test_the_peer_crashes_for_an_invited_person(synapse: Synapse, tmp_path: Path) -> None:
    """export-data fails for a pending invitation or knock; once it does not, this test says that Synapse was mended."""
    invited = await seed_invited(synapse, "peer-ivy")
    with pytest.raises(PeerCrashed, match="AttributeError: 'list' object has no attribute 'values'"):
        await run_peer(synapse, invited.person.user_id, tmp_path / "out")


async def test_a_client_was_told_only_of_events_that_exist(seeded: Seeded) -> None:
    """Every event that a client was told it sent is known, with the same room."""
    assert {event: seeded.own_events.get(event) for event in seeded.sent} == seeded.sent


async def test_secrets_hide_in_the_persons_own_events(synapse: Synapse, seeded: Seeded) -> None:
    """Redaction reasons, thread summaries and earlier state of others ride in the person's own events."""
    async with clients(synapse, seeded.others["admin"]) as (admin,):
        page = await admin.admin(
            "GET",
            "v1",
            "rooms",
            seeded.rooms["public"],
            "messages",
            dir="f",
            limit="1000",
            filter=f'{{"senders":["{seeded.person.user_id}"]}}',
        )
    carriers = {
        place
        for event in page["chunk"]
        for place, value in event.get("unsigned", {}).items()
        if any(secret in str(value) for secret in seeded.planted_secrets)
    }
    assert carriers == {"redacted_because", "m.relations", "prev_content"}
