"""The last look at an archive that holds what others wrote: only what our own check has let pass, in that order."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from dpobot.archive.facts import Package
from dpobot.archive.inspect import Inspection, inspect
from dpobot.archive.permits import Permits
from dpobot.archive.spool import Room, Spool
from dpobot.errors import Tripwire
from dpobot.model.words import Scope
from tests.unit.archive.conftest import ALICE, BOB, Make, message, noise
from tests.unit.archive.test_inspect import Files, put, rewrite

ROOMS = ("!a:example.org", "!b:example.org")
SENDERS = (ALICE, "Person 1", "Person 2")
EVENTS = "rooms/0001-a/events.jsonl"


@pytest.fixture
def permits(spool: Spool) -> Permits:
    """Two rooms of forty events each, all of them let pass."""
    spool.rooms([Room(number, room, room[1], "join") for number, room in enumerate(ROOMS, 1)])
    made = Permits(spool.folder, pseudonyms=True)
    for number, room in enumerate(ROOMS, 1):
        events = [
            message(100 * number + each, room, sender=SENDERS[each % 3], content={"body": noise(each, 9_000)})
            for each in range(40)
        ]
        spool.append(number, 0, events)
        with made.room(room) as permit:
            for event in events:
                permit(event["event_id"])
    return made


def look(made: Package, permits: Permits | None, scope: Scope = Scope.VISIBLE) -> Inspection:
    return inspect([volume.path for volume in made.volumes], ALICE, scope, permits)


def test_a_sound_archive_passes_in_one_volume_and_in_many(permits: Permits, make: Make) -> None:
    """A room that goes on in the next volume goes on in its permits as well."""
    whole, split = make(scope=Scope.VISIBLE), make(500_000, "split", scope=Scope.VISIBLE)
    assert [look(made, permits).events for made in (whole, split)] == [80, 80]
    assert len(split.volumes) > 1


def _line(place: int, **changes: Any) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        lines = files[EVENTS].splitlines()
        lines[place] = json.dumps(json.loads(lines[place]) | changes).encode()
        files[EVENTS] = b"\n".join(lines) + b"\n"

    return change


def _swapped(files: Files) -> None:
    lines = files[EVENTS].splitlines()
    lines[3], lines[4] = lines[4], lines[3]
    files[EVENTS] = b"\n".join(lines) + b"\n"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_line(1, event_id="$another"), "not_permitted"),
        (_line(1, event_id="$100"), "not_permitted"),
        (_swapped, "not_permitted"),
        (_line(1, sender=BOB), "foreign_sender"),
        (_line(1, sender="Person 0"), "foreign_sender"),
        (_line(1, sender=None), "foreign_sender"),
        (_line(1, room_id=ROOMS[1]), "wrong_room"),
        (_line(1, unsigned={"prev_content": {"name": "x"}}), "foreign_nested"),
        (_line(1, unsigned={"m.relations": {"m.thread": {"latest_event": {}}}}), "foreign_nested"),
        (_line(1, unsigned={"redacted_because": {"sender": "Person 1", "event_id": "$x"}}), "foreign_nested"),
        (_line(1, origin_server_ts=5), "viewer"),
    ],
)
def test_violations(permits: Permits, make: Make, change: Callable[[Files], None], code: str) -> None:
    """Each is found, even if the manifest was made to fit."""
    changed = rewrite(make(scope=Scope.VISIBLE).volumes[0].path, change)
    with pytest.raises(Tripwire) as raised:
        inspect([changed], ALICE, Scope.VISIBLE, permits)
    assert raised.value.code == code


def test_what_was_never_checked_does_not_pass(permits: Permits, make: Make, spool: Spool) -> None:
    """A room without permits, one event more than there are, and one less."""
    made = make(scope=Scope.VISIBLE)
    for ids, code in (
        ([], "not_permitted"),
        ([f"$2{each:02}" for each in range(39)], "not_permitted"),
        ([f"$2{each:02}" for each in range(41)], "counts"),
    ):
        with permits.room(ROOMS[1]) as permit:
            for event_id in ids:
                permit(event_id)
        with pytest.raises(Tripwire) as raised:
            look(made, permits)
        assert raised.value.code == code


def test_names_are_let_pass_where_the_configuration_wants_them(spool: Spool, make: Make) -> None:
    """Without pseudonyms a sender is anybody; the permits decide all the same."""
    spool.rooms([Room(1, ROOMS[0], "a", "join")])
    spool.append(1, 0, [message(1, sender=BOB)])
    permits = Permits(spool.folder, pseudonyms=False)
    with permits.room(ROOMS[0]) as permit:
        permit("$1")
    assert look(make(scope=Scope.VISIBLE), permits).events == 1


def test_scopes_are_not_mixed_up(permits: Permits, make: Make) -> None:
    """What says one scope of itself never passes as the other, and nobody looks at `visible` without permits."""
    mine, visible = make(folder="mine"), make(folder="visible", scope=Scope.VISIBLE)
    for made, scope, given in (
        (visible, Scope.MINE, None),
        (mine, Scope.VISIBLE, permits),
        (visible, Scope.VISIBLE, None),
        (mine, Scope.MINE, permits),
    ):
        with pytest.raises(Tripwire, match="scope"):
            look(made, given, scope)


SCRIPT = "viewer/room0001-1-1.js"


def _script(change: Callable[[dict[str, Any]], object], name: str = SCRIPT) -> Callable[[Files], None]:
    def changed(files: Files) -> None:
        said = json.loads(files[name][len("dpobot(") : -2])
        change(said)
        files[name] = b"dpobot(" + json.dumps(said).encode() + b")\n"

    return changed


def _code(files: Files) -> None:
    files[SCRIPT] = files[SCRIPT].rstrip(b"\n") + b";alert(1)\n"


def _row(**changes: Any) -> Callable[[Files], None]:
    return _script(lambda said: said["events"][1].update(changes))


@pytest.mark.parametrize(
    "change",
    [
        _code,
        put(SCRIPT, b"alert(1)\n"),
        put(SCRIPT, b"dpobot([])\n"),
        put(SCRIPT, b"dpobot({broken})\n"),
        put("viewer/room0009-1-1.js", b'dpobot({"kind":"events","room":9,"events":[]})\n'),
        put("viewer/keys0009-1.js", b'dpobot({"kind":"keys","room_id":"!x","sessions":{}})\n'),
        put("viewer/keys0001-1.js", b'dpobot({"kind":"keys","room_id":"!b:example.org","sessions":{}})\n'),
        put("viewer/media01.js", b'dpobot({"kind":"media","media":{"mxc://x/y":{"file":"media/none"}}})\n'),
        put("viewer/secrets01.js", b'dpobot({"kind":"secrets","backups":[],"account_data":{"m.direct":{}}})\n'),
        put("viewer/secrets01.js", b'dpobot({"kind":"events","room":1,"events":[]})\n'),
        _script(lambda said: said.update(room=2)),
        _script(lambda said: said.update(more=1)),
        _script(lambda said: said["events"].pop()),
        _script(lambda said: said["events"].append({"n": 41, "t": 0, "k": "text", "p": "index.html", "s": "more"})),
        _row(n=3),
        _row(t=1),
        _row(p="elsewhere.html"),
        _row(i="$another"),
        _row(e={"event_id": "$another"}),
        _row(u=BOB),
        _row(more="x"),
    ],
)
def test_the_programs_data_hold_nothing_that_is_not_in_the_events(
    permits: Permits, make: Make, change: Callable[[Files], None]
) -> None:
    """One call with data a file; a row for each event, in order; keys and media of what is there; secrets alone."""

    def listed(files: Files) -> None:
        change(files)
        manifest = json.loads(files["manifest.json"])
        known = {line["path"] for line in manifest["files"]}
        manifest["files"] += [
            {"path": name, "size": 0, "sha256": ""} for name in files.keys() - known - {"manifest.json"}
        ]
        files["manifest.json"] = json.dumps(manifest).encode()

    changed = rewrite(make(scope=Scope.VISIBLE).volumes[0].path, listed)
    with pytest.raises(Tripwire, match="viewer"):
        inspect([changed], ALICE, Scope.VISIBLE, permits)


def test_in_ones_own_archive_no_row_has_a_sender(rich: Spool, make: Make) -> None:
    """The program's data of scope `mine` speak of nobody."""
    made = make()
    assert look(made, None, Scope.MINE).events == 6
    changed = rewrite(made.volumes[0].path, _row(u=BOB))
    with pytest.raises(Tripwire, match="viewer"):
        inspect([changed], ALICE, Scope.MINE)
