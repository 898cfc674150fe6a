"""What the last look asks of the data files of the program: each is one call with data, and says nothing of its own."""

import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dpobot.errors import Tripwire
from dpobot.model.ids import UserId

_OPENING, _END = b"dpobot(", b")\n"
_LARGEST = 64 * 1024 * 1024  # bytes of a data file
_ROOM = re.compile(r"viewer/(?:room|keys)(\d+)-(\d+)(?:-(\d+))?\.js")
_ROW = frozenset({"n", "t", "k", "p", "u", "i", "to", "s", "e"})
# the only account data that open a key backup, all of them encrypted for the person (spec, "Secret storage")
_SECRETS = re.compile(r"m\.megolm_backup\.v1|m\.secret_storage\.(?:default_key|key\..+)", re.DOTALL)
_EVENTS = "events"


class Viewer:
    """Looks at the data files of one volume. ``others``: events of others may be in it, each with its sender."""

    def __init__(self, archive: zipfile.ZipFile, person: UserId, *, others: bool) -> None:
        self._archive = archive
        self._person = person
        self._others = others
        self._names = frozenset(archive.namelist())
        self._rooms: dict[tuple[int, int], list[str]] = {}  # number and part of a room -> data files of its events
        for name in sorted(self._names, key=_place):
            match = _ROOM.fullmatch(name)
            if match is not None and match[3]:
                self._rooms.setdefault((int(match[1]), int(match[2])), []).append(name)

    def files(self, rooms: Iterable[Mapping[str, Any]]) -> None:
        """Look at all but the events. Raises `Tripwire` ``viewer``. ``rooms``: as the volume's manifest lists them."""
        known = {(room["number"], room["part"]): room["room_id"] for room in rooms}
        for name in self._names:
            if not name.startswith("viewer/"):
                continue
            match = _ROOM.fullmatch(name)
            if match is not None and (int(match[1]), int(match[2])) not in known:
                raise Tripwire("viewer")
            if match is None or not match[3]:
                room_id = known[int(match[1]), int(match[2])] if match else None
                self._file(self._said(name), room_id)

    def events(self, room: Mapping[str, Any], first: int) -> Callable[[bytes | None, Mapping[str, Any]], None]:
        """Return what is to be called with each event of a part of a room and its line, and with None at the end.

        It compares them with the part's rows, of which there is one for each event, or none at all; ``first``: the
        number of the part's first event. Raises `Tripwire` ``viewer``.
        """
        chunks = self._rooms.get((room["number"], room["part"]))
        if chunks is None:
            return lambda line, event: None
        numbered = enumerate(self._rows(chunks, room["number"]), first)

        def compare(line: bytes | None, event: Mapping[str, Any]) -> None:
            number, row = next(numbered, (0, None))
            if (row is None) is not (line is None):
                raise Tripwire("viewer")
            if line is not None and not self._agrees(row, _as_held(line, event), number):
                raise Tripwire("viewer")

        return compare

    def _rows(self, names: Iterable[str], number: int) -> Iterator[dict[str, Any]]:
        for name in names:
            said = self._said(name)
            if said.keys() != {"kind", "room", "events"} or (said["kind"], said["room"]) != (_EVENTS, number):
                raise Tripwire("viewer")
            yield from said["events"]

    def _agrees(self, row: object, event: Mapping[str, Any], number: int) -> bool:
        sender = event.get("sender")
        return (
            isinstance(row, dict)
            and row.keys() <= _ROW
            and row.get("n") == number
            and row.get("t") in (0, event.get("origin_server_ts"))
            and row.get("p") in self._names
            and row.get("i", event["event_id"]) == event["event_id"]
            and row.get("e", event) == event
            and ("u" in row) <= self._others
            and (sender == self._person or "u" in row)
            and (row.get("u", sender) == sender or not str(sender).isascii())  # what can't be shown is replaced there
        )

    def _file(self, said: dict[str, Any], room_id: str | None) -> None:
        """Look at keys, secrets, or the list of media."""
        match said:
            case {"kind": "keys", "room_id": str(named), "sessions": dict(), **rest}:
                sound = not rest and named == room_id
            case {"kind": "secrets", "backups": list(), "account_data": dict(held), **rest}:
                sound = not rest and all(_SECRETS.fullmatch(type_) for type_ in held)
            case {"kind": "media", "media": dict(held), **rest}:
                files = [item.get("file") for item in held.values() if isinstance(item, dict)]
                sound = not rest and len(files) == len(held) and self._names.issuperset(files)
            case _:
                sound = False
        if not sound:
            raise Tripwire("viewer")

    def _said(self, name: str) -> dict[str, Any]:
        """Return what a data file is called with: it is this one call, so nothing in it can run."""
        if self._archive.getinfo(name).file_size > _LARGEST:
            raise Tripwire("viewer")
        data = self._archive.read(name)
        if not (data.startswith(_OPENING) and data.endswith(_END)):
            raise Tripwire("viewer")
        try:
            said = json.loads(data[len(_OPENING) : -len(_END)])
        except (ValueError, RecursionError) as error:
            raise Tripwire("viewer") from error
        if not isinstance(said, dict):
            raise Tripwire("viewer")
        return said


def _place(name: str) -> tuple[int, ...]:
    match = _ROOM.fullmatch(name)
    return tuple(int(part) for part in match.groups("0")) if match else ()


def _as_held(line: bytes, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an event as a script can hold it: a member ``__proto__`` would be none there."""
    if b"__proto__" not in line:
        return event
    kept: dict[str, Any] = json.loads(
        line, object_pairs_hook=lambda pairs: {key: value for key, value in pairs if key != "__proto__"}
    )
    return kept
