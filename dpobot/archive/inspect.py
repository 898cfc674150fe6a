"""The last look at a finished archive before it leaves: reads the ZIPs back with other code than wrote them.

What it finds wrong it raises as `Tripwire`; what is merely unusual it reports. Nothing here imports the writer.
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dpobot.archive import inspect_chapters
from dpobot.archive.inspect_chapters import CHAPTERS
from dpobot.archive.inspect_events import Judge
from dpobot.archive.inspect_viewer import Viewer
from dpobot.archive.layout import safe_entry
from dpobot.archive.permits import Permits
from dpobot.errors import Tripwire
from dpobot.model.ids import UserId
from dpobot.model.words import Scope

_MANIFEST = "manifest.json"
_BLOCK = 1 << 20
_LARGEST_EVENT = 262_144  # bytes; four times what the specification allows (4.2.8 "Size limits")
_RATIO = 200
_RATIO_FROM = 5_000_000  # bytes
_OTHER = "other/"
# What an archive may hold at all, whatever its manifest lists
_PLACES = re.compile(
    r"index\.html|README\.txt|manifest\.json|(?:rooms|media)(?:-\d+)?\.html|(?:rooms|media)\.json|portable\.json"
    r"|(?:statement|recipients)\.(?:html|json|csv|pdf)|viewer/[a-z]+[0-9-]*\.js"
    r"|(?:account|media|other|schemas)/[^/]+|rooms/[^/]+/[^/]+"
)
_EVENTS = re.compile(r"rooms/[^/]+/events(?:-\d+)?\.jsonl")
_ACCOUNT = re.compile(r"account/[^/]+\.json")
# A damaged ZIP, one that needs what we never use (a password, another method), a manifest of another form
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    KeyError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was read back. ``anomalies``: codes of what is unusual; a package that has any is held for staff."""

    volumes: int
    files: int
    events: int
    rooms: int
    media: int
    size: int
    anomalies: tuple[str, ...]


def inspect(volumes: Sequence[Path], person: UserId, scope: Scope, permits: Permits | None = None) -> Inspection:
    """Read every byte of the volumes back. Constant memory: one line, one manifest at a time.

    ``permits``: for the scope `visible`, what our own check has let pass; not a single event may be beyond it.

    Raises `Tripwire`: ``foreign_sender``, ``foreign_nested``, ``foreign_account``, ``not_permitted``, ``wrong_room``,
    ``not_an_event``, ``twice`` , ``counts``, ``digest``, ``unlisted``, ``absent``, ``unsafe_name``, ``wrong_person``,
    ``volumes``, ``unreadable``, ``scope``, ``viewer``, ``foreign_recipient``.
    """
    if (scope is Scope.VISIBLE) is not (permits is not None):
        raise Tripwire("scope")  # nothing here can tell what a person may see of others
    look = _Look(person, scope, Judge(person, permits))
    for number, path in enumerate(volumes, 1):
        try:
            with zipfile.ZipFile(path) as archive:
                look.volume(archive, number, len(volumes))
        except _UNREADABLE as error:
            raise Tripwire("unreadable") from error
    look.whole()
    return Inspection(
        len(volumes),
        look.files,
        look.events,
        len(look.rooms),
        look.media,
        sum(path.stat().st_size for path in volumes),
        tuple(sorted(look.anomalies)),
    )


class _Look:
    def __init__(self, person: UserId, scope: Scope, judge: Judge) -> None:
        self._person = person
        self._scope = scope
        self._judge = judge
        self._said = -1
        self._added: set[str] = set()
        self._added_said: set[str] = set()
        self.rooms: set[str] = set()
        self.anomalies: set[str] = set()
        self.files = self.events = self.media = 0

    def volume(self, archive: zipfile.ZipFile, number: int, of: int) -> None:
        """Check one volume against its own manifest."""
        names = [entry.filename for entry in archive.infolist()]
        if not all(safe_entry(name) for name in names):
            raise Tripwire("unsafe_name")
        if len({name.casefold() for name in names}) != len(names):
            raise Tripwire("twice")
        manifest = self._manifest(archive, number, of)
        listed = {line["path"]: line["sha256"] for line in manifest["files"]}
        if set(names) - set(listed) != {_MANIFEST} or not all(_PLACES.fullmatch(name) for name in names):
            raise Tripwire("unlisted")
        if set(listed) - set(names):
            raise Tripwire("absent")
        self._others(manifest, listed)
        rooms = {line["file"]: line for line in manifest["rooms"]}
        if {name for name in names if _EVENTS.fullmatch(name)} != set(rooms):
            raise Tripwire("unlisted")
        viewer = Viewer(archive, self._person, others=self._scope is Scope.VISIBLE)
        viewer.files(manifest["rooms"])
        for name in names:
            if name != _MANIFEST:
                self._file(archive, name, listed[name], rooms.get(name), viewer)
        if sum(line["events"] for line in manifest["rooms"]) != manifest["volumes"][number - 1]["events"]:
            raise Tripwire("counts")

    def whole(self) -> None:
        """Check the archive's own total."""
        if self.events != self._said:
            raise Tripwire("counts")
        self._judge.whole()
        if self._added != self._added_said:
            raise Tripwire("absent")

    def _manifest(self, archive: zipfile.ZipFile, number: int, of: int) -> Mapping[str, Any]:
        try:
            manifest = json.loads(archive.read(_MANIFEST))
            if manifest["person"] != self._person:
                raise Tripwire("wrong_person")
            if manifest["scope"] != self._scope:
                raise Tripwire("scope")
            if manifest["volume"] != number or len(manifest["volumes"]) != of:
                raise Tripwire("volumes")
            self._said = manifest["totals"]["events"]
        except (KeyError, TypeError, ValueError) as error:
            raise Tripwire("unreadable") from error
        return dict(manifest)

    def _others(self, manifest: Mapping[str, Any], listed: Mapping[str, str]) -> None:
        """Check that files which staff added are those that the manifest names, with the bytes it says."""
        said = {name: line for line in manifest["other_systems"] for name in line["files"]}
        here = {name for name in listed if name.startswith(_OTHER)}
        if here - said.keys():
            raise Tripwire("unlisted")
        if any(len(said[name]["files"]) == 1 and said[name]["sha256"] != listed[name] for name in here):
            raise Tripwire("digest")
        self._added |= here
        self._added_said = set(said)
        if any(line["missing"] is not None for line in manifest["other_systems"]):
            self.anomalies.add("attachment_missing")

    def _file(
        self, archive: zipfile.ZipFile, name: str, sha256: str, room: Mapping[str, Any] | None, viewer: Viewer
    ) -> None:
        info = archive.getinfo(name)
        if info.file_size > _RATIO_FROM and info.file_size > _RATIO * max(info.compress_size, 1):
            self.anomalies.add("ratio")
        digest = hashlib.sha256()
        with archive.open(info) as file:
            blocks = iter(lambda: file.read(_BLOCK), b"")
            if room is not None:
                self._events(_lines(blocks, digest), room, viewer)
            elif name in CHAPTERS or _ACCOUNT.fullmatch(name):
                data = b"".join(_fed(blocks, digest))
                self._account(data)
                if name in CHAPTERS:
                    inspect_chapters.look(name, data, self._person)
            else:
                for block in blocks:
                    digest.update(block)
        if digest.hexdigest() != sha256:
            raise Tripwire("digest")
        if room is not None:
            self._room_file(archive, name, room)
        self.files += 1
        self.media += name.startswith("media/")

    def _room_file(self, archive: zipfile.ZipFile, name: str, room: Mapping[str, Any]) -> None:
        folder, _, events = name.rpartition("/")
        beside = f"{folder}/{events.replace('events', 'room').removesuffix('l')}"
        try:
            said = json.loads(archive.read(beside))
        except (KeyError, ValueError) as error:
            raise Tripwire("absent") from error
        if said["room_id"] != room["room_id"]:
            raise Tripwire("wrong_room")

    def _events(self, lines: Iterator[bytes], room: Mapping[str, Any], viewer: Viewer) -> None:
        room_id, count = room["room_id"], 0
        compare = viewer.events(room, self._judge.seen(room_id) + 1)
        for line, event in self._judge.events(lines, room_id):
            compare(line, event)
            count += 1
            if len(line) > _LARGEST_EVENT:
                self.anomalies.add("large_event")
        if count != room["events"]:
            raise Tripwire("counts")
        compare(None, {})
        self.events += count
        self.rooms.add(room_id)

    def _account(self, data: bytes) -> None:
        """Raise if account data hold somebody else's event."""
        try:
            waiting: list[object] = [json.loads(data)]
        except (ValueError, RecursionError) as error:
            raise Tripwire("unreadable") from error
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                if {"sender", "event_id", "content"} <= value.keys() and value["sender"] != self._person:
                    raise Tripwire("foreign_account")
                waiting.extend(value.values())
            elif isinstance(value, list):
                waiting.extend(value)


def _fed(blocks: Iterator[bytes], digest: Any) -> Iterator[bytes]:
    for block in blocks:
        digest.update(block)
        yield block


def _lines(blocks: Iterator[bytes], digest: Any) -> Iterator[bytes]:
    rest = b""
    for block in _fed(blocks, digest):
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    if rest:
        yield rest
