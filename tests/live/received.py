"""An archive as the person got it: every file of every volume, read with the standard library."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Archive:
    """The volumes in order: file name -> bytes for each."""

    volumes: tuple[dict[str, bytes], ...] = field(repr=False)

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "Archive":
        """Open the volumes; each must be sound."""
        volumes = []
        for path in paths:
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
                volumes.append({name: archive.read(name) for name in archive.namelist()})
        return cls(tuple(volumes))

    @property
    def manifest(self) -> Json:
        """The last volume's manifest."""
        read: Json = json.loads(self.volumes[-1]["manifest.json"])
        return read

    def entries(self) -> list[tuple[str, bytes]]:
        """Return all files of all volumes."""
        return [entry for volume in self.volumes for entry in volume.items()]

    def names(self) -> list[str]:
        """Return the names of all files."""
        return [name for name, _ in self.entries()]

    def events(self) -> list[Json]:
        """Return every event."""
        lines = [
            data.splitlines()
            for name, data in self.entries()
            if name.startswith("rooms/") and name.rsplit("/", 1)[-1].startswith("events")
        ]
        return [json.loads(line) for part in lines for line in part]

    def event_rooms(self) -> dict[str, str]:
        """Return event ID -> room ID."""
        return {event["event_id"]: event["room_id"] for event in self.events()}

    def account(self, category: str) -> list[Json]:
        """Return the records of a category."""
        found = [
            json.loads(data)["records"]
            for name, data in self.entries()
            if name == f"account/{category}.json" or name.startswith(f"account/{category}-part")
        ]
        return [record for part in found for record in part]

    def media(self) -> dict[str, Json]:
        """Return what is noted of each medium, by its mxc address."""
        noted = [json.loads(data) for volume in self.volumes for name, data in volume.items() if name == "media.json"]
        return {item["url"]: item for part in noted for item in part}

    def medium(self, url: str) -> bytes:
        """Return a medium's bytes, put together from its pieces."""
        files = dict(self.entries())
        return b"".join(files[name] for name in self.media()[url]["files"])

    def holding(self, text: str) -> list[str]:
        """Return the files whose name or bytes hold a text, also as JSON or HTML would spell it."""
        ways = {text.encode(), json.dumps(text)[1:-1].encode()}
        return [name for name, data in self.entries() if text in name or any(way in data for way in ways)]

    def wrong_digests(self) -> list[str]:
        """Return the files that are not what their volume's manifest says."""
        wrong = []
        for volume in self.volumes:
            listed = {line["path"]: line["sha256"] for line in json.loads(volume["manifest.json"])["files"]}
            found = {name: hashlib.sha256(data).hexdigest() for name, data in volume.items() if name != "manifest.json"}
            wrong += [name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name)]
        return wrong
