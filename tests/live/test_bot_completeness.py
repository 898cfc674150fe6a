"""The whole bot against Synapse's own export: everything of the person, nothing of anybody else."""

import asyncio
import re
import secrets
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from dpobot.demo.synapse import Credentials, Synapse
from tests.live.bot import RunningBot
from tests.live.guest import ACCEPTED, COMPLETE, Guest
from tests.live.peer import PeerCrashed, PeerExport, run_peer
from tests.live.received import Archive
from tests.live.seeded import Seeded, events_of, seed_account, seed_invited

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Delivered:
    """A person, what Synapse's own export gave of them before they wrote to us, and what we sent them."""

    seeded: Seeded
    peer: PeerExport | None
    archive: Archive
    own: dict[str, str]  # after the delivery: with the direct message in which they asked
    room: str
    log: str


async def _delivered(
    synapse: Synapse, admin: Credentials, folder: Path, seeded: Seeded, peer: PeerExport | None
) -> Delivered:
    bot = await RunningBot.begin(folder / "bot", synapse, admin, export={"volume_megabytes": 1, "page_events": 50})
    try:
        guest = await Guest.arrive(synapse, seeded.person, bot.user_id, folder / "guest")
        try:
            await guest.say("please send me a copy of my data")
            await guest.hear(ACCEPTED)
            await guest.hear(COMPLETE)
            archive = Archive.read(await guest.fetch(folder / "volumes"))
        finally:
            await guest.leave()
    finally:
        assert await bot.stop() == 0
    own, _ = await asyncio.to_thread(events_of, synapse, seeded.person.user_id)
    return Delivered(seeded, peer, archive, own, guest.room, bot.log())


@pytest.fixture(scope="module")
async def delivered(synapse: Synapse, admin: Credentials, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """The account that lived through everything."""
    folder = tmp_path_factory.mktemp("seeded")
    seeded = await seed_account(synapse, f"amy-{secrets.token_hex(3)}")
    peer = await run_peer(synapse, seeded.person.user_id, folder / "peer")
    return await _delivered(synapse, admin, folder, seeded, peer)


def test_all_that_the_peer_has_is_in_our_archive(delivered: Delivered) -> None:
    """Every event of the person that Synapse's ``export-data`` writes, in the same room."""
    assert delivered.peer is not None
    theirs = delivered.peer.own(delivered.seeded.person.user_id)
    ours = delivered.archive.event_rooms()
    assert len(theirs) > 100
    assert {event: room for event, room in theirs.items() if ours.get(event) != room} == {}


def test_the_forgotten_rooms_that_the_peer_leaves_out_are_in_it(delivered: Delivered) -> None:
    """What the person said before they forgot a room is theirs all the same."""
    assert delivered.peer is not None
    theirs = delivered.peer.own(delivered.seeded.person.user_id)
    forgotten = [delivered.seeded.rooms[name] for name in ("forgotten", "forgotten alone", "forgotten by both")]
    left_out = {event for event, room in delivered.seeded.own_events.items() if room in forgotten}
    assert left_out & set(theirs) == set()
    assert left_out - set(delivered.archive.event_rooms()) == set()
    assert {delivered.archive.event_rooms()[event] for event in left_out} == set(forgotten)


def test_every_event_that_the_database_holds_of_the_person_is_in_it_once(delivered: Delivered) -> None:
    """From the first room to the message that asked for the archive."""
    found = Counter(event["event_id"] for event in delivered.archive.events())
    assert [event for event in delivered.seeded.own_events if found[event] != 1] == []
    assert set(found) - set(delivered.own) == set()
    assert {delivered.own[event] for event in set(delivered.own) - set(found)} <= {delivered.room}
    assert set(found) >= set(delivered.seeded.sent)


def test_nothing_of_anybody_else_is_in_it(delivered: Delivered) -> None:
    """No event of others, and none of their words: not in any file, its name included."""
    seeded, archive = delivered.seeded, delivered.archive
    assert {event["sender"] for event in archive.events()} == {seeded.person.user_id}
    assert set(archive.event_rooms()) & seeded.foreign_events == set()
    assert {secret: archive.holding(secret) for secret in seeded.planted_secrets if archive.holding(secret)} == {}
    assert archive.holding("reported by another member") == []


def test_no_key_to_anything_is_in_it(delivered: Delivered) -> None:
    """No password, no password hash, no token."""
    people = [delivered.seeded.person, *delivered.seeded.others.values()]
    keys = [key for person in people for key in (person.password, person.access_token)]
    assert [delivered.archive.holding(key) for key in [*keys, "syt_", "$2b$"] if delivered.archive.holding(key)] == []


def test_media_are_as_they_were_uploaded(delivered: Delivered) -> None:
    """Byte by byte; what the server no longer gives out is named with the reason."""
    noted = delivered.archive.media()
    assert {item.url for item in delivered.seeded.held_media} - set(noted) == set()
    wrong = [item.url for item in delivered.seeded.held_media if delivered.archive.medium(item.url) != item.data]
    assert wrong == []
    quarantined = [item.url for item in delivered.seeded.media if item.state == "quarantined"]
    assert [noted[url]["missing"] for url in quarantined] == ["quarantined"]
    assert delivered.archive.manifest["totals"]["media"] == len(delivered.seeded.held_media)


def test_what_lies_outside_the_rooms_is_in_it(delivered: Delivered) -> None:
    """Account data, tags, push rules, receipts, devices and the encrypted key backup."""
    archive, rooms = delivered.archive, delivered.seeded.rooms
    settings = {record["type"]: record["content"] for record in archive.account("account_data")}
    assert settings["org.example.settings"] == {"theme": "dark", "list": [1, "two", None]}
    assert {"m.cross_signing.master", "m.megolm_backup.v1", "m.secret_storage.default_key"} <= set(settings)
    tags = {(record["room_id"], record["tag"]) for record in archive.account("tags")}
    assert tags == {(rooms["public"], "m.favourite"), (rooms["left"], "u.memories")}
    assert "foxes" in {rule["rule_id"] for rule in archive.account("push_rules")}
    receipts = {(record["room_id"], record["type"]) for record in archive.account("receipts")}
    assert {(rooms["public"], "m.read"), (rooms["private v6"], "m.read.private")} <= receipts
    assert {"Phone of Alice", "🦊", "demo client"} <= {item["display_name"] for item in archive.account("devices")}
    sessions = [record for record in archive.account("key_backup") if record["kind"] != "version"]
    assert [item["session_data"]["ciphertext"] for item in sessions] == ["encrypted-session"]


def test_the_archive_is_sound_and_harmless(delivered: Delivered) -> None:
    """Digests hold; no name leads out of its folder; no page but the index, with its own program, has a script."""
    assert delivered.archive.wrong_digests() == []
    names = delivered.archive.names()
    assert [name for name in names if name.startswith("/") or ".." in name.split("/") or "\\" in name] == []
    assert [name for name in names if any(ord(letter) < 32 for letter in name)] == []
    pages = [data.decode() for name, data in delivered.archive.entries() if name.endswith(".html")]
    assert len(pages) > len(delivered.seeded.rooms)
    own = '<script type="application/json" id="words">|<script type="application/json" id="contents">|<script>'
    starts = [page for page in pages if 'id="contents"' in page]
    assert [re.findall("<script[^>]*>", page) for page in starts] == [own.split("|")] * len(starts)
    pages = [page if page not in starts else re.sub("(?s)<script.*?</script>", "", page) for page in pages]
    assert [page for page in pages if re.search(r"<script|<[^>]*\son\w+\s*=|javascript:", page, re.IGNORECASE)] == []


def test_the_log_holds_ids_and_nothing_else(delivered: Delivered) -> None:
    """Not what was said, not what rooms, files or people are called."""
    person = delivered.seeded.person
    private = [*delivered.seeded.planted_secrets, person.password, person.access_token, "Alice of the square"]
    private += [item.name for item in delivered.seeded.media if item.name and len(item.name) > 3]
    private += ["The square", "All about foxes", "copy of my data", "Phone of Alice", "etc/passwd"]
    assert [text for text in private if text in delivered.log] == []


async def test_an_account_on_which_the_peer_crashes_is_exported_whole(
    synapse: Synapse, admin: Credentials, tmp_path: Path
) -> None:
    """Pending invitations and knocks: Synapse's own command fails, ours gives all and no word of those rooms."""
    seeded = await seed_invited(synapse, f"ivy-{secrets.token_hex(3)}")
    with pytest.raises(PeerCrashed):
        await run_peer(synapse, seeded.person.user_id, tmp_path / "peer")
    got = await _delivered(synapse, admin, tmp_path, seeded, None)
    assert set(seeded.own_events) - set(got.archive.event_rooms()) == set()
    assert {event["sender"] for event in got.archive.events()} == {seeded.person.user_id}
    assert [secret for secret in seeded.planted_secrets if got.archive.holding(secret)] == []
    memberships = {record["room_id"]: record["membership"] for record in got.archive.account("rooms")}
    assert {memberships[seeded.rooms[name]] for name in ("invited", "knocked")} == {"invite", "knock"}
