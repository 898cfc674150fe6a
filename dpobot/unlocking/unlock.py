"""From an archive and a ring of sessions to what was said: event by event, in constant memory."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from dpobot.unlocking import attachment
from dpobot.unlocking.attachment import Attachment
from dpobot.unlocking.event import Outcome, Read, is_encrypted, read
from dpobot.unlocking.media import Media
from dpobot.unlocking.opened import Opened
from dpobot.unlocking.output import Output
from dpobot.unlocking.repeats import Repeats
from dpobot.unlocking.ring import Ring


@dataclass(slots=True)
class Room:
    """What became of a room's encrypted events and of their attachments."""

    folder: str
    events: Counter[Outcome] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)  # found | written | missing | altered


def unlock(archive: Opened, ring: Ring, output: Output) -> list[Room]:
    """Decrypt everything, write what is wanted; return the rooms that hold anything encrypted, in their order."""
    rooms: dict[str, Room] = {}
    media, repeats = Media(archive), Repeats()
    for folder, name in archive.events():
        room = rooms.setdefault(folder, Room(folder))
        for each in _read(archive, name, ring):
            again = each.outcome is Outcome.DECRYPTED and repeats.again(each.session_id, each.index)
            found = replace(each, outcome=Outcome.REPEATED) if again else each
            room.events[found.outcome] += 1
            _keep(found, room, media, output)
    return [room for room in rooms.values() if room.events]


def _read(archive: Opened, name: str, ring: Ring) -> Iterator[Read]:
    for line in archive.lines(name):
        try:
            event = json.loads(line or b"")
        except (ValueError, RecursionError):
            yield Read(Outcome.DAMAGED, {}, "")
            continue
        if is_encrypted(event):
            yield read(event, ring)


def _keep(found: Read, room: Room, media: Media, output: Output) -> None:
    if found.outcome is not Outcome.DECRYPTED:
        output.line("undecrypted.jsonl", _named(found, room))
        return
    output.line(f"rooms/{room.folder}/decrypted.jsonl", found.event)
    for each in attachment.of(found.event):
        room.files[_write(each, media, output)] += 1


def _named(found: Read, room: Room) -> dict[str, Any]:
    named = {name: found.event.get(name) for name in ("event_id", "room_id")}
    return {**named, "folder": room.folder, "session_id": found.session_id, "reason": found.outcome.value}


def _write(file: Attachment, media: Media, output: Output) -> str:
    entry = media.entry(file.url)
    if entry is None:
        return "missing"
    if not output.wanted:
        return "found"
    blocks = attachment.opened(file, media.blocks(file.url))
    return "written" if output.file(f"media/{attachment.file_name(entry, file.name)}", blocks) else "altered"
