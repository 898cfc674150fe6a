"""`export visible` on a real homeserver: exactly what the person's own client can read, however they are in a room."""

import asyncio
import json
import zipfile
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from dpobot.archive.inspect import inspect
from dpobot.archive.package import SEEN, package
from dpobot.archive.permits import digest
from dpobot.archive.spool import Spool
from dpobot.clock import SystemClock
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.jobs.collecting import Collecting
from dpobot.jobs.progress import Tally
from dpobot.jobs.seeing import permits
from dpobot.model.ids import RoomId, UserId
from dpobot.model.records import ExportOptions
from dpobot.model.words import Scope, Section
from dpobot.text.render import Renderer, templates_folder
from tests.fakes.journal import Journal
from tests.live.http import Client, Json
from tests.live.readers import PEOPLE, VISIBILITIES, Readers, scrolled
from tests.unit.archive.conftest import facts

pytestmark = pytest.mark.live

IN_VERSION_10 = ("shared", "joined", "shared, then stricter")  # every kind of room exists in version 12
# Synapse shows these shared history that they never joined for: see `archive.visibility.Verdict.GENEROUS`
SHOWN_TOO_MUCH = ("declined", "unbanned")
_BEFORE_IT_IS_SET = 6  # events of a new room
_KEPT = {
    "redacted_because", "redacted_by", "membership", "replaces_state", "prev_content", "prev_sender", "transaction_id",
}  # fmt: skip
_WANTED = ExportOptions(scope=Scope.VISIBLE, sections=frozenset({Section.MESSAGES}))


@dataclass
class Scene:
    """What happened, once for all tests of this file."""

    homeserver: SynapseHomeserver
    readers: Readers
    rooms: dict[tuple[str, str], str]  # visibility and version -> room ID


@pytest.fixture(scope="module")
async def scene(synapse: Synapse, admin: Credentials) -> AsyncIterator[Scene]:
    """Every kind of room, with everybody in it."""
    homeserver = SynapseHomeserver(synapse.url, admin.access_token, retries=0)
    async with aiohttp.ClientSession() as http:
        readers = await Readers.gather(synapse, http)
        kinds = [*((each, "12") for each in VISIBILITIES), *((each, "10") for each in IN_VERSION_10)]
        made = await asyncio.gather(*(readers.room(*kind) for kind in kinds))
        yield Scene(homeserver, readers, dict(zip(kinds, made, strict=True)))
    await homeserver.close()


@dataclass
class Seen:
    """What an export collected for somebody: events by room, what was let pass, and what was left out."""

    events: dict[str, list[Json]]
    left_out: dict[str, int]
    spool: Spool

    def ids(self, room: str) -> list[str]:
        """Return the IDs of a room's events, in order."""
        return [event["event_id"] for event in self.events[room]]


async def seen(scene: Scene, name: str, folder: Path, names: str = "names") -> Seen:
    """Collect what somebody may read, as the job does it."""
    spool, person = Spool(folder / name), UserId(scene.readers.people[name].user_id)
    tally = Tally(SystemClock().now())
    await Collecting(scene.homeserver, spool, Journal(), person, _WANTED, 20, names).all(tally)
    rooms = {room.room_id: room.number for room in spool.room_list()}
    events = {room: [json.loads(line) for line in spool.events(number)] for room, number in rooms.items()}
    assert tally.events == sum(len(each) for each in events.values())
    numbers = {str(number): room for room, number in rooms.items()}
    left_out = {numbers[number]: count for number, count in spool.kept(SEEN)["left_out"].items()}
    return Seen(defaultdict(list, events), left_out, spool)


async def own(scene: Scene, name: str, room: str) -> set[str]:
    """Return the IDs of what somebody sent themselves."""
    page = await scene.homeserver.own_events(RoomId(room), UserId(scene.readers.people[name].user_id), None)
    return {event["event_id"] for event in page.events}


@pytest.mark.parametrize("name", [name for name in PEOPLE if name not in SHOWN_TOO_MUCH])
async def test_the_set_of_events_equals_what_the_own_client_reads(scene: Scene, tmp_path: Path, name: str) -> None:
    """In each kind of room: what their client shows after a new login, and what they sent themselves; nothing else."""
    found = await seen(scene, name, tmp_path)
    client = await scene.readers.own_client(name)
    for kind, room in scene.rooms.items():
        shown = await scrolled(client, room)
        assert (kind, set(found.ids(room))) == (kind, set(shown) | await own(scene, name, room))
        assert [event for event in found.ids(room) if event in shown] == shown  # in the order of the room
        assert len(found.ids(room)) == len(set(found.ids(room)))
    assert found.left_out == {}


@pytest.mark.parametrize("name", SHOWN_TOO_MUCH)
async def test_what_the_server_shows_beyond_the_specification_is_left_out(
    scene: Scene, tmp_path: Path, name: str
) -> None:
    """Shared history is for those who join later: after a declined invitation, or from a ban to its end, it isn't."""
    found = await seen(scene, name, tmp_path)
    client = await scene.readers.own_client(name)
    for kind, room in scene.rooms.items():
        shown = set(await scrolled(client, room)) | await own(scene, name, room)
        assert (kind, set(found.ids(room)) - shown) == (kind, set())
        assert (kind, len(shown - set(found.ids(room)))) == (kind, found.left_out.get(room, 0))
        if kind[0] in ("world_readable", "joined"):  # shared is only what was before that was set
            missing = shown - set(found.ids(room))
            assert missing <= set((await scrolled(scene.readers.owner, room))[:_BEFORE_IT_IS_SET])
        if kind[0] == "shared":
            assert found.left_out[room] > _BEFORE_IT_IS_SET


async def test_every_event_has_a_permit_and_every_permit_an_event(scene: Scene, tmp_path: Path) -> None:
    """What the last look at the archive compares with is exactly what was collected."""
    found = await seen(scene, "late", tmp_path)
    allowed = permits(found.spool)
    for room in scene.rooms.values():
        assert list(allowed.of(room, 0)) == [digest(room, event) for event in found.ids(room)]
    assert allowed.total() == sum(len(events) for events in found.events.values())


async def test_nobody_elses_words_are_nested_in_an_event(scene: Scene, tmp_path: Path) -> None:
    """A reaction, an edit or a redaction stands for itself; what a state was before, only for the person's own."""
    found = await seen(scene, "early", tmp_path)
    unsigned = [event.get("unsigned", {}) for events in found.events.values() for event in events]
    redacted = [each["redacted_because"] for each in unsigned if "redacted_because" in each]
    assert len(redacted) > 0
    assert {frozenset(each) for each in redacted} == {frozenset({"event_id", "type"})}
    assert {key for each in unsigned for key in each} <= _KEPT


async def test_with_pseudonyms_nobody_elses_id_is_in_any_event(scene: Scene, tmp_path: Path) -> None:
    """The same people have the same pseudonyms in all rooms; event IDs stay, so does the person's own ID."""
    readers, me = scene.readers, scene.readers.people["early"].user_id
    plain = await seen(scene, "early", tmp_path / "names")
    found = await seen(scene, "early", tmp_path / "pseudonyms", "pseudonyms")
    called: dict[str, set[str]] = {}
    for room, events in plain.events.items():
        assert found.ids(room) == plain.ids(room)
        for before, after in zip(events, found.events[room], strict=True):
            called.setdefault(before["sender"], set()).add(after["sender"])
    assert called[me] == {me}
    assert {len(names) for names in called.values()} == {1}
    others = {client.user_id for client in (readers.owner, readers.noisy, *readers.people.values())} - {me}
    text = json.dumps(found.events)
    assert [user for user in others if user in text] == []
    assert [user for user in others if user in json.dumps(plain.events)] != []


@pytest.mark.parametrize("names", ["pseudonyms", "names"])
async def test_the_finished_archive_stands_the_last_look(scene: Scene, tmp_path: Path, names: str) -> None:
    """Pages, the program's data and events of all these rooms, read back: what was let pass, all of it."""
    found, me = await seen(scene, "rejoined", tmp_path, names), UserId(scene.readers.people["rejoined"].user_id)
    about = facts(person=me, scope=Scope.VISIBLE, sections=_WANTED.sections, pseudonyms=names == "pseudonyms")
    made = package(found.spool, tmp_path / "out", about, 90_000_000, Renderer(templates_folder(), {}))
    looked = inspect([volume.path for volume in made.volumes], me, Scope.VISIBLE, permits(found.spool))
    assert looked.events == sum(len(events) for events in found.events.values())
    assert looked.anomalies == ()
    with zipfile.ZipFile(made.volumes[0].path) as archive:
        texts = [archive.read(name).decode() for name in archive.namelist() if name.startswith(("rooms/", "viewer/"))]
    others = {client.user_id for client in (scene.readers.owner, scene.readers.noisy)}
    assert {user in text for user in others for text in texts} == ({False} if names == "pseudonyms" else {True, False})


@pytest.mark.parametrize("visibility", ["shared", "joined"])
async def test_a_room_whose_beginning_was_deleted_is_judged_by_what_is_left(
    scene: Scene, admin: Credentials, synapse: Synapse, tmp_path: Path, visibility: str
) -> None:
    """Retention takes old events, and with them who joined when: what came later says what was before."""
    readers = scene.readers
    room = await readers.room(visibility, "12")
    administrator = Client(readers.http, synapse.url, admin)
    marker = await readers.owner.say(room, "up to here")
    after = await readers.owner.say(room, "this stays")
    body = {"delete_local_events": True, "purge_up_to_event_id": marker}
    purge = (await administrator.admin("POST", "v1", "purge_history", room, body=body))["purge_id"]
    while (await administrator.admin("GET", "v1", "purge_history_status", purge))["status"] == "active":
        continue
    for name in ("early", "late", "rejoined"):
        found = await seen(scene, name, tmp_path)
        shown = await scrolled(await readers.own_client(name), room)
        assert (name, found.ids(room)) == (name, shown)
        assert (after in shown, len(shown) < 5) == (True, True)
