"""The peer that our archive is compared with: Synapse's own ``admin_cmd export-data``, run and read.

Its files are JSON objects one after the other without a separator, its events are PDUs without event IDs, so the ID is
computed: the reference hash (server-server specification, "Calculating the reference hash for an event").
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synapse.api.room_versions import KNOWN_ROOM_VERSIONS, RoomVersion
from synapse.events import make_event_from_dict

from dpobot.demo.synapse import Synapse

Json = dict[str, Any]


class PeerCrashed(Exception):
    """``export-data`` ended with an error; the text is the end of what it printed."""


@dataclass(frozen=True)
class PeerExport:
    """What ``export-data`` wrote: PDUs by room ID and event ID, and its account-level records."""

    folder: Path
    events_by_room: Mapping[str, Mapping[str, Json]]
    profile: tuple[Json, ...]
    devices: tuple[Json, ...]
    connections: tuple[Json, ...]
    account_data: Mapping[str, tuple[Json, ...]]
    media: tuple[Json, ...]

    def own(self, user_id: str) -> dict[str, str]:
        """Return the events whose sender is ``user_id``: event ID -> room ID."""
        return {
            event: room
            for room, events in self.events_by_room.items()
            for event, pdu in events.items()
            if pdu["sender"] == user_id
        }


async def run_peer(synapse: Synapse, user_id: str, folder: Path) -> PeerExport:
    """Run ``export-data`` for a user beside the running server and read its output.

    ``folder`` must be empty or not exist. Raises `PeerCrashed` when the command fails.
    """
    process = await asyncio.create_subprocess_exec(
        *command(synapse, user_id, folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={key: value for key, value in os.environ.items() if not key.startswith("SYNAPSE_")},
        cwd=synapse.folder,
    )
    printed, _ = await process.communicate()
    if process.returncode != 0:
        raise PeerCrashed(printed.decode(errors="replace")[-4000:])
    return await asyncio.to_thread(read_peer, folder)


def command(synapse: Synapse, user_id: str, folder: Path) -> list[str]:
    """Return the command line of ``export-data``."""
    start = [sys.executable, "-m", "synapse.app.admin_cmd", "-c", str(synapse.config_path)]
    return [*start, "export-data", user_id, "--output-directory", str(folder)]


def read_peer(folder: Path) -> PeerExport:
    """Read what ``export-data`` wrote below ``folder``."""
    data = folder / "user_data"
    return PeerExport(
        folder=folder,
        events_by_room={room.name: _events(room) for room in _children(folder / "rooms")},
        profile=tuple(objects(data / "profile")),
        devices=tuple(objects(data / "devices")),
        connections=tuple(objects(data / "connections")),
        account_data={file.name: tuple(objects(file)) for file in _children(data / "account_data")},
        media=tuple(record for file in _children(folder / "media_ids") for record in objects(file)),
    )


def objects(file: Path) -> Iterator[Json]:
    """Yield the JSON objects that stand in a file one after the other; none if there is no file."""
    text = file.read_text() if file.exists() else ""
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        found, position = decoder.raw_decode(text, position)
        yield found
        while position < len(text) and text[position].isspace():
            position += 1


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def _events(room: Path) -> dict[str, Json]:
    """Read a room's PDUs by event ID; its create event says which room version makes the IDs."""
    pdus = list(objects(room / "events"))
    for states in _children(room / "state"):
        pdus += objects(states)
    version = _version(pdus)
    seen: dict[str, Json] = {}
    for pdu in pdus:
        event = make_event_from_dict(pdu, version)
        seen[event.event_id] = pdu
    return seen


def _version(pdus: list[Json]) -> RoomVersion:
    create = next(pdu for pdu in pdus if pdu["type"] == "m.room.create")
    return KNOWN_ROOM_VERSIONS[create["content"]["room_version"]]
