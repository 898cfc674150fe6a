"""Data that the program in index.html searches and decrypts: classic scripts beside it, each a single call.

A page from ``file://`` may not fetch, but it may add a script; so each file is ``dpobot(<JSON>)``.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dpobot.archive import layout
from dpobot.archive.key_store import KeyStore
from dpobot.archive.messages import Shown
from dpobot.archive.script import call
from dpobot.archive.shelf import Shelf
from dpobot.archive.volume import Packed, Stage, pack

MOST_TEXT = 2_000  # characters of an event that can be searched
_CHUNK_EVENTS = 4_500  # a page's worth more is at most 5,000
_CHUNK_BYTES = 1_500_000
_FILE_COST = 1_000  # headers, line in the manifest, opening and end of a script
_TO = frozenset({"edit", "reaction", "redaction", "vote"})


def searched(number: int, event: Mapping[str, Any], view: Shown, page: str, ids: bool) -> dict[str, Any]:
    """Return an event as the program knows it; ``number`` in its room, from 1; ``ids``: the room has encrypted ones."""
    at = event.get("origin_server_ts")
    line: dict[str, Any] = {"n": number, "t": at if view.day else 0, "k": view.kind, "p": page}
    if view.sender:
        line["u"] = view.sender
    if view.kind == "encrypted":
        return line | {"e": event}
    if ids:
        line["i"] = view.event_id
    if view.kind in _TO and view.target:
        line["to"] = view.target
    line["s"] = _text(view)[:MOST_TEXT]
    return line


def _text(view: Shown) -> str:
    if view.name and view.text:
        return f"{view.name} {view.text}"
    return view.name or view.text


class Scripts:
    """Which data files lie in which volume. Memory grows by some 200 bytes for each."""

    def __init__(self, shelf: Shelf, keys: KeyStore, stages: Path) -> None:
        self.shelf, self.keys, self.stages = shelf, keys, stages
        self._listed: dict[int, list[dict[str, Any]]] = {}

    def put(self, entry: Packed, kind: str, **about: int) -> None:
        """Put a data file into the open volume; the caller knows that it fits."""
        self.shelf.put(entry)
        self.note(self.shelf.number, entry.name, kind, **about)

    def note(self, volume: int, file: str, kind: str, **about: int) -> None:
        """Say that a data file lies in a volume."""
        self._listed.setdefault(volume, []).append({"file": file, "kind": kind, **about})

    def of(self, volume: int) -> Sequence[Mapping[str, Any]]:
        """Return the data files of a volume, as the program wants to know them."""
        return self._listed.get(volume, ())

    def has(self, volume: int, kind: str) -> bool:
        """Whether a volume has a file of this kind."""
        return any(item["kind"] == kind for item in self.of(volume))


class RoomScripts:
    """The data files of one room in the open volume: its events in chunks, and the keys that open them."""

    def __init__(self, scripts: Scripts, number: int, room_id: str, part: int) -> None:
        self._scripts, self._number, self._room_id, self._part = scripts, number, room_id, part
        self._chunk = self._events = self._promised = 0
        self._stage: Stage | None = None
        self._sessions: dict[str, int] = {}  # in this part -> bytes of their keys
        self._offered: tuple[int, int, list[str], Packed | None] = (0, 0, [], None)

    @property
    def held(self) -> int:
        """Bytes of the volume that what is staged takes at most."""
        keys = sum(self._sessions.values())
        return self._promised + (keys + _FILE_COST if keys else 0)

    def offer(self, lines: Sequence[bytes], encrypted: Sequence[Mapping[str, Any]]) -> int:
        """Return bytes that these lines (of `searched`) would take in the volume; `keep` adds them.

        ``encrypted``: those of their events that need keys.
        """
        stage = self._open()
        data = b",\n".join(lines)
        cost = stage.offer(b",\n" + data if self._events else self._opening() + data)
        cost += 0 if self._events else _FILE_COST
        fresh = self._fresh(encrypted)
        keys = sum(self._scripts.keys.size(self._room_id, session) for session in fresh)
        secrets = self._secrets() if encrypted else None
        self._offered = (cost, len(lines), fresh, secrets)
        return cost + (keys + _FILE_COST if keys else 0) + (secrets.cost if secrets else 0)

    def keep(self) -> None:
        """Add what was offered last."""
        cost, count, fresh, secrets = self._offered
        assert self._stage  # noqa: S101  offered before
        self._stage.keep()
        self._events += count
        self._promised += cost
        self._sessions |= {session: self._scripts.keys.size(self._room_id, session) for session in fresh}
        if secrets:
            self._scripts.put(secrets, "secrets")
        if self._events >= _CHUNK_EVENTS or self._stage.size >= _CHUNK_BYTES:
            self._put_chunk()

    def close(self) -> None:
        """Put what is staged into the volume."""
        if self._events:
            self._put_chunk()
        if self._sessions:
            stage = Stage(self._scripts.stages / "keys-part")
            for data in self._scripts.keys.script(self._room_id, sorted(self._sessions)):
                stage.offer(data)
                stage.keep()
            name = layout.viewer_keys(self._number, self._part)
            self._scripts.put(stage.finish(name), "keys", room=self._number)

    def _open(self) -> Stage:
        if self._stage is None:
            self._stage = Stage(self._scripts.stages / "searched")
        return self._stage

    def _opening(self) -> bytes:
        return b'dpobot({"kind":"events","room":%d,"events":[\n' % self._number

    def _put_chunk(self) -> None:
        assert self._stage  # noqa: S101  there are events
        self._stage.offer(b"\n]})\n")
        self._stage.keep()
        self._chunk += 1
        name = layout.viewer_events(self._number, self._part, self._chunk)
        self._scripts.put(self._stage.finish(name), "events", room=self._number, events=self._events)
        self._stage, self._events, self._promised = None, 0, 0

    def _fresh(self, encrypted: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return the sessions that these events need and this part lacks, of those whose keys are on hand."""
        wanted: dict[str, None] = {}
        for event in encrypted:
            content = event.get("content")
            session = content.get("session_id") if isinstance(content, dict) else None
            if isinstance(session, str) and session not in self._sessions:
                wanted[session] = None
        return [session for session in wanted if self._scripts.keys.size(self._room_id, session)]

    def _secrets(self) -> Packed | None:
        number = self._scripts.shelf.number
        if self._scripts.has(number, "secrets"):
            return None
        return pack(layout.viewer_secrets(number), call(self._scripts.keys.secrets()))
