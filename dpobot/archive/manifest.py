"""What each volume says about itself and the whole: manifest.json and the schemas beside it."""

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from dpobot.archive import layout
from dpobot.archive.facts import Holding, PackageFacts
from dpobot.archive.shelf import Contents, Summary
from dpobot.archive.volume import Entry, Packed, pack

MESSAGES, MEDIA = "messages", "media"


def schemas() -> list[Packed]:
    """Return the JSON Schemas (draft 2020-12) as entries."""
    folder = resources.files("dpobot.archive") / "schemas"
    return [
        pack(f"schemas/{name}.schema.json", (folder / f"{name}.schema.json").read_bytes()) for name in layout.SCHEMAS
    ]


def manifest(
    facts: PackageFacts,
    totals: Mapping[str, int],
    holdings: Sequence[Holding],
    summaries: Sequence[Summary],
    contents: Contents,
    entries: Sequence[Entry],
    added: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return a volume's manifest; it lists every file of the volume but itself."""
    return {
        "schema_version": facts.schema_version,
        "reference": facts.reference,
        "person": facts.person,
        "service": facts.operator.service,
        "controller": facts.operator.name,
        "contact": facts.operator.dpo_email,
        "scope": facts.scope.value,
        "sections": sorted(section.value for section in facts.sections),
        "since": facts.since.isoformat() if facts.since else None,
        "until": facts.until.isoformat() if facts.until else None,
        "created_at": facts.created_at.isoformat(),
        "notice_version": facts.notice_version,
        "volume": contents.number,
        "volumes": [summary.manifest() for summary in summaries],
        "totals": dict(totals),
        "categories": [holding.manifest() for holding in holdings],
        "rooms": [
            {
                "number": room.number,
                "room_id": room.room_id,
                "part": room.part,
                "events": room.events,
                "file": layout.events_file(room.folder, room.part),
            }
            for room in contents.rooms
        ],
        "other_systems": list(added),
        "files": [_file(entry, contents) for entry in entries],
    }


def _file(entry: Entry, contents: Contents) -> dict[str, Any]:
    piece = contents.pieces.get(entry.name)
    line = {"path": entry.name, "size": entry.size, "sha256": entry.sha256}
    return line | {"piece": piece} if piece else line
