"""The data files that the program in index.html searches: whole, within their volumes, and nothing but data."""

import base64
import hashlib
import json
import re
import zipfile
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpobot.archive.facts import Package
from dpobot.archive.inspect import inspect
from dpobot.archive.script import call
from dpobot.archive.spool import Room, Spool
from dpobot.model.words import Scope, Section
from tests.unit.archive.conftest import ALICE, PIXEL, Make, blocks, entries, medium, message, noise
from tests.unit.archive.pages import read

ROOM = "!a:example.org"
_ISLAND = re.compile(r'<script type="application/json" id="contents">(.*?)</script>', re.DOTALL)
_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]*)"')


def said(data: bytes) -> Any:
    """What a data file passes to its one call."""
    text = data.decode()
    assert text.startswith("dpobot(")
    assert text.endswith(")\n")
    return json.loads(text[len("dpobot(") : -2])


def contents(page: bytes) -> Any:
    match = _ISLAND.search(page.decode())
    assert match
    return json.loads(match[1])


def files(result: Package, volume: int) -> dict[str, bytes]:
    return {name: data for number, name, data in entries(result) if number == volume}


def encrypted(number: int, session: str, room_id: str = ROOM, size: int = 40) -> dict[str, Any]:
    content = {"algorithm": "m.megolm.v1.aes-sha2", "session_id": session, "ciphertext": noise(number, size)}
    return message(number, room_id, type="m.room.encrypted", content=content)


def keys(*sessions: tuple[str, str, str], size: int = 100) -> list[dict[str, Any]]:
    """Records of the category ``key_backup``: (version, room, session)."""
    versions = [
        {"kind": "version", "version": version, "algorithm": "a", "auth_data": {"x": version}, "count": 3}
        for version in sorted({version for version, _, _ in sessions})
    ]
    return versions + [
        {
            "kind": "session",
            "version": version,
            "room_id": room,
            "session_id": session,
            "session_data": {"ciphertext": noise(len(session), size)},
        }
        for version, room, session in sessions
    ]


SECRETS = [
    {"type": "m.secret_storage.default_key", "content": {"key": "K"}},
    {"type": "m.secret_storage.key.K", "content": {"algorithm": "m.secret_storage.v1.aes-hmac-sha2"}},
    {"type": "m.megolm_backup.v1", "content": {"encrypted": {"K": {"iv": "x"}}}},
    {"type": "m.direct", "content": {"@bob:example.org": ["!dm:example.org"]}},
]


async def test_events_media_keys_and_secrets_are_data_files(spool: Spool, make: Make) -> None:
    """Each event is there with the page it stands on; encrypted rooms bring their keys, and what opens those."""
    spool.rooms([Room(1, ROOM, "plain", "join"), Room(2, "!b:example.org", "secret", "join", True)])
    edit = {"m.new_content": {"body": "better"}, "m.relates_to": {"rel_type": "m.replace", "event_id": "$1"}}
    spool.append(1, 0, [message(1), message(2, content=edit), message(3, content={"body": "x" * 3_000})])
    spool.append(2, 0, [encrypted(4, "s1", "!b:example.org"), message(5, "!b:example.org")])
    spool.account("key_backup", keys(("1", "!b:example.org", "s1"), ("2", "!b:example.org", "s1"), ("1", ROOM, "s9")))
    spool.account("account_data", SECRETS)
    await spool.medium(medium(1, "cat.png", "image/png"), 0, blocks(PIXEL))
    held = files(make(), 1)
    page = "rooms/0001-plain/page-0001.html"
    events = said(held["viewer/room0001-1-1.js"])
    assert events["room"] == 1
    assert [(line["n"], line["k"], line["p"]) for line in events["events"]] == [
        (1, "text", page),
        (2, "edit", page),
        (3, "text", page),
    ]
    assert [line.get("to") for line in events["events"]] == [None, "$1", None]
    assert [line["s"] for line in events["events"]] == ["message 1", "better", "x" * 2_000]
    assert not any("i" in line or "u" in line for line in events["events"])
    first, second = said(held["viewer/room0002-1-1.js"])["events"]
    assert (first["k"], first["e"]["event_id"]) == ("encrypted", "$4")
    assert (second["i"], second["s"]) == ("$5", "message 5")
    opened = said(held["viewer/keys0002-1.js"])
    assert (opened["room_id"], sorted(opened["sessions"]), list(opened["sessions"]["2"])) == (
        "!b:example.org",
        ["1", "2"],
        ["s1"],
    )
    assert "viewer/keys0001-1.js" not in held
    secrets = said(held["viewer/secrets01.js"])
    assert [backup["version"] for backup in secrets["backups"]] == ["1", "2"]
    assert sorted(secrets["account_data"]) == sorted(
        str(item["type"]) for item in SECRETS if item["type"] != "m.direct"
    )
    assert said(held["viewer/media01.js"])["media"] == {
        "mxc://example.org/1": {"file": "media/00001-cat.png", "size": 66, "type": "image/png", "name": "cat.png"}
    }


def test_contents_name_every_data_file(spool: Spool, make: Make) -> None:
    """What index.html tells the program is what lies in the volumes, and each room with where it begins."""
    rooms = [Room(number, f"!{number}:example.org", f"room {number}", "join") for number in (1, 2, 3)]
    spool.rooms(rooms)
    for room in rooms:
        batch = [encrypted(room.number * 1_000 + n, f"s{n % 7}", room.room_id, 900) for n in range(400)]
        spool.append(room.number, 0, batch)
    spool.account("key_backup", keys(*(("1", room.room_id, f"s{n}") for room in rooms for n in range(7))))
    result = make(volume_bytes=700_000)
    assert len(result.volumes) > 1
    found = 0
    for volume in result.volumes:
        held = files(result, volume.number)
        told = contents(held["index.html"])
        assert (told["reference"], told["volume"], len(told["volumes"])) == (
            "DPO-2026-0042",
            volume.number,
            len(result.volumes),
        )
        own = told["volumes"][volume.number - 1]
        assert own["folder"] == volume.path.stem
        assert {script["file"] for script in own["scripts"]} == {name for name in held if name.startswith("viewer/")}
        assert {number: room["name"] for number, room in told["rooms"].items()} == {
            "1": "room 1",
            "2": "room 2",
            "3": "room 3",
        }
        for script in own["scripts"]:
            if script["kind"] == "events":
                events = said(held[script["file"]])["events"]
                assert len(events) == script["events"]
                assert {line["p"] for line in events} <= held.keys()
                found += len(events)
    assert found == 1_200


def test_keys_follow_their_events_into_each_volume(spool: Spool, make: Make) -> None:
    """A volume has the keys of the sessions that its own events need, however large the backup is."""
    spool.rooms([Room(1, ROOM, "a", "join", True)])
    spool.append(1, 0, [encrypted(n, f"s{n}", size=600) for n in range(1, 1_001)])
    spool.account("key_backup", keys(*(("1", ROOM, f"s{n}") for n in range(1, 3_001)), size=900))
    result = make(volume_bytes=800_000, sections=frozenset({Section.MESSAGES}))
    assert len(result.volumes) > 2
    for volume in result.volumes:
        held = files(result, volume.number)
        needed = {
            line["e"]["content"]["session_id"]
            for name, data in held.items()
            if name.startswith("viewer/room")
            for line in said(data)["events"]
        }
        have = {
            session
            for name, data in held.items()
            if name.startswith("viewer/keys")
            for session in said(data)["sessions"]["1"]
        }
        assert have == needed
        assert volume.size <= 800_000
    assert "account/key_backup.json" not in {name for _, name, _ in entries(result)}
    assert "key_backup" not in result.totals.categories


def test_only_index_carries_a_program(spool: Spool, make: Make) -> None:
    """index.html allows its own program by hash; every other page allows none and holds none."""
    spool.rooms([Room(1, ROOM, "a", "join")])
    spool.append(1, 0, [message(1)])
    spool.account("devices", [{"device_id": "A"}, {"device_id": "B"}])
    for name, data in files(make(), 1).items():
        if not name.endswith(".html"):
            continue
        text = data.decode()
        policy = _POLICY.search(text)
        assert policy
        rules = dict(part.strip().split(" ", 1) for part in policy[1].replace("&#39;", "'").split(";"))
        style = base64.b64encode(hashlib.sha256(text.split("<style>")[1].split("</style>")[0].encode()).digest())
        assert rules["style-src"] == f"'sha256-{style.decode()}'"
        assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
        if name == "index.html":
            program = text.rsplit("<script>", 1)[1].split("</script>")[0]
            digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
            assert rules["script-src"] == f"'sha256-{digest}' 'strict-dynamic'"
        else:
            assert "script-src" not in rules
            assert read(text).scripts == []


def test_without_messages_there_is_no_program(spool: Spool, make: Make) -> None:
    """Where there is nothing to search or to open, index.html is a page like all others."""
    spool.account("devices", [{"device_id": "A"}])
    held = files(make(sections=frozenset({Section.ACCOUNT})), 1)
    assert not [name for name in held if name.startswith("viewer/")]
    assert read(held["index.html"].decode()).scripts == []


def test_a_script_reads_what_json_says() -> None:
    """Members that a script would take for more than data are left out, whatever stands around them."""
    data = call({"a": {"__proto__": {"x": 1}, "b": "\u2028\u2029 </script>"}, "\ud800": [float("nan")]})
    assert said(data) == {"a": {"b": "\u2028\u2029 </script>"}, "\ud800": [None]}
    assert b"\xe2\x80\xa8" not in data


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(0, 30_000), min_size=1, max_size=60),
    backup=st.integers(0, 9_000),
    secret=st.booleans(),
)
def test_no_volume_outgrows_its_size(spool: Spool, make: Make, sizes: list[int], backup: int, *, secret: bool) -> None:
    """Events, their data files and keys of any size stay within the volume, and all of them are there."""
    spool.rooms([Room(1, ROOM, noise(1, 190), "join", secret)])
    events = [
        encrypted(n, f"s{n}", size=size)
        if secret
        else message(n, content={"msgtype": "m.text", "body": noise(n, size)})
        for n, size in enumerate(sizes, 1)
    ]
    spool.append(1, 0, events)
    spool.account("key_backup", keys(*(("1", ROOM, f"s{n}") for n in range(1, len(sizes) + 1)), size=backup))
    result = make(volume_bytes=600_000)
    assert all(volume.size <= 600_000 for volume in result.volumes)
    numbers = [
        line["n"]
        for _, name, data in entries(result)
        if name.startswith("viewer/room")
        for line in said(data)["events"]
    ]
    assert numbers == list(range(1, len(sizes) + 1))
    paths = [volume.path for volume in result.volumes]
    assert inspect(paths, ALICE, Scope.MINE).events == len(sizes)
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
