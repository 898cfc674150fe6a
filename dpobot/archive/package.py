"""A spool becomes an archive. Synchronous (for a thread), restartable, the same bytes for the same input."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from dpobot.archive import account, budget, chapters, layout, other
from dpobot.archive.contents import contents
from dpobot.archive.facts import Holding, Package, PackageFacts, Pages, Progress, Totals, VolumeFile
from dpobot.archive.key_store import KeyStore
from dpobot.archive.manifest import MEDIA, MESSAGES, manifest, schemas
from dpobot.archive.media import Media
from dpobot.archive.overview import Pictures, pictures
from dpobot.archive.pages import Writer, numbered
from dpobot.archive.rooms import Rooms, RoomTotal, room_rows
from dpobot.archive.shelf import Shelf, Summary
from dpobot.archive.spool import Spool, disk, encode
from dpobot.archive.telling import Telling
from dpobot.archive.viewer_data import Scripts
from dpobot.archive.volume import BLOCK, Packed, Stage, pack
from dpobot.model.words import Section

NOT_ASKED = "not_asked"
NEVER_JOINED = "never_joined"  # shared history that the server would show, to one who never joined
SEEN = "visible"  # the spool's note of what of others was seen
_LIST_ROWS = 500  # on a page of the lists of rooms and of media
_LIST_PAGE = 150_000  # bytes that such a page takes at most, packed


def package(
    spool: Spool,
    target: Path,
    facts: PackageFacts,
    volume_bytes: int,
    pages: Pages,
    progress: Progress | None = None,
) -> Package:
    """Make the volumes of an archive in ``target``, which is emptied first; each has at most ``volume_bytes``.

    Raises `Unavailable` (``disk_full``, ``spool_lost``) and `Rejected` (``volume_too_small``, ``event_too_large``).
    """
    with disk():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o700, parents=True)
        stages = target / "staged"
        stages.mkdir(mode=0o700)
        made = _Packing(spool, target, stages, facts, volume_bytes, pages).run(progress)
        shutil.rmtree(stages)
        return made


class _Packing:
    """The state of one packing."""

    def __init__(
        self, spool: Spool, target: Path, stages: Path, facts: PackageFacts, volume_bytes: int, pages: Pages
    ) -> None:
        self._spool, self._stages, self._facts = spool, stages, facts
        self._writer = Writer(pages, facts)
        self._named = budget.named(spool, volume_bytes)
        reserve = budget.reserve(spool, self._writer, volume_bytes, self._named)
        opening = [self._writer.readme(), *schemas()]
        self._shelf = Shelf(target, facts.reference, facts.created_at, volume_bytes, reserve, opening)
        self._media = Media(spool, self._shelf, stages / "medium")
        self._scripts = Scripts(self._shelf, KeyStore(spool, stages / "keys"), stages)
        self._added: list[other.Placed] = []
        self._chapters: list[chapters.Placed] = []
        self._lists: dict[str, int] = {}  # which volume the list of rooms and the list of media begin in
        self._rooms: list[RoomTotal] = []
        self._packer: Rooms | None = None

    def run(self, progress: Progress | None) -> Package:
        """Pack everything and finish the volumes."""
        holdings = self._account()
        self._tell(holdings)
        if self._facts.only_statement:
            self._shelf.rest()
            return self._finish([], self._counted(holdings))
        self._packer = packer = Rooms(self._spool, self._shelf, self._media, self._writer, self._scripts, progress)
        rooms = [packer.pack(room) for room in self._spool.room_list()]
        self._media.place_rest()
        self._added = other.place(self._spool, self._shelf, self._stages / "added")
        holdings += [self._messages(rooms), self._media_holding(), *other.holding(self._added)]
        self._list_rooms(rooms)
        self._list_media()
        self._shelf.rest()
        return self._finish(rooms, holdings)

    def _account(self) -> list[Holding]:
        if self._facts.only_statement:
            return account.held(self._spool)
        return account.place(self._spool, self._shelf, self._writer, self._stages / "account")

    def _tell(self, holdings: list[Holding]) -> None:
        if self._facts.asked(Section.STATEMENT):
            telling = Telling(self._spool, self._facts, self._writer, self._counted(holdings))
            self._chapters = chapters.place(telling, self._shelf)

    def _counted(self, holdings: list[Holding]) -> list[Holding]:
        """Return the holdings with messages and media as the spool has them, before anything is packed."""
        rooms = [RoomTotal(room, sum(1 for _ in self._spool.events(room.number))) for room in self._spool.room_list()]
        return [*holdings, self._messages(rooms), self._media_holding()]

    def _messages(self, rooms: list[RoomTotal]) -> Holding:
        reasons: dict[str, int] = {}
        for total in rooms:
            if total.room.missing:
                reasons[total.room.missing] = reasons.get(total.room.missing, 0) + 1
        if left_out := sum(((self._spool.kept(SEEN) or {}).get("left_out") or {}).values()):
            reasons[NEVER_JOINED] = left_out
        asked = self._facts.asked(Section.MESSAGES) or self._facts.only_statement
        events = sum(total.events for total in rooms)
        return Holding(MESSAGES, "Messages", events, False, None if asked else NOT_ASKED, reasons)

    def _media_holding(self) -> Holding:
        if self._facts.only_statement:
            return Holding(MEDIA, "Media", len(self._media))
        asked = self._facts.asked(Section.MEDIA)
        return Holding(MEDIA, "Media", self._media.held, False, None if asked else NOT_ASKED, self._media.missing())

    def _list_rooms(self, rooms: list[RoomTotal]) -> None:
        entry = self._staged_list(layout.ROOMS, room_rows(rooms))
        self._place_list("rooms", rooms, entry, len(rooms))

    def _list_media(self) -> None:
        entry = self._staged_list(layout.MEDIA, self._media.listed())
        self._place_list("media", self._media.all_shown(), entry, len(self._media))

    def _staged_list(self, name: str, rows: Iterable[dict[str, Any]]) -> Stage:
        """Stage a JSON list row by row."""
        stage = Stage(self._stages / name)
        for data in _json_list(rows):
            stage.offer(data)
            stage.keep()
        return stage

    def _place_list(self, what: str, rows: Iterable[object], stage: Stage, count: int) -> None:
        """Put a list as JSON and as pages into the open volume; pages that are many go on in the next."""
        data = self._shelf.place(stage.finish(f"{what}.json"))
        pages = -(-count // _LIST_ROWS)
        row = iter(rows)
        for number in range(1, pages + 1):
            if self._shelf.left < _LIST_PAGE:  # a page says what lies in its own volume: know it before it is made
                self._shelf.turn()
            self._lists.setdefault(what, self._shelf.number)
            values = {
                "rows": list(islice(row, _LIST_ROWS)),
                "volume": self._shelf.number,
                "total": count,
                "data": data,
            }
            links = numbered(what, pages, number)
            self._shelf.place(self._writer.page(what, layout.list_page(what, number), values | {"links": links}))

    def _finish(self, rooms: list[RoomTotal], holdings: list[Holding]) -> Package:
        summaries = self._shelf.summaries
        totals = {
            "events": sum(total.events for total in rooms),
            "rooms": sum(total.events > 0 for total in rooms),
            "rooms_known": len(rooms),
            "media": self._media.held,
        }
        spans = {total.room.number: total.last_volume for total in rooms if total.first_volume != total.last_volume}
        self._rooms = rooms
        for summary in summaries:
            if self._media.whole_in(summary.number):
                self._scripts.note(summary.number, layout.viewer_media(summary.number), "media")
        volumes = tuple(self._close(summary, totals, holdings, spans) for summary in summaries)
        counts = {holding.category: holding.count for holding in holdings}
        size = sum(volume.size for volume in volumes)
        return Package(
            volumes, Totals(totals["events"], totals["rooms"], totals["media"], size, counts), tuple(holdings)
        )

    def _close(
        self, summary: Summary, totals: dict[str, int], holdings: list[Holding], spans: dict[int, int]
    ) -> VolumeFile:
        """Add index and manifest to a volume and end it."""
        summaries = self._shelf.summaries
        volume, held = self._shelf.take(summary.number)
        values: dict[str, object] = {
            "totals": totals,
            "holdings": holdings,
            "volumes": summaries,
            "volume": summary,
            "contents": held,
            "spans": spans,
            "lists": self._lists,
            "added": self._added,
            "chapters": self._chapters,
            "pictures": self._pictures() if summary.number == 1 else None,
        }
        if self._scripts.has(summary.number, "media"):
            volume.add(self._media_script(summary.number))
        told = contents(self._facts.reference, summary.number, summaries, self._scripts, self._rooms, self._named)
        volume.add(self._writer.index(values, told))
        added = [placed.listed() for placed in self._added]
        said = manifest(self._facts, totals, holdings, summaries, held, volume.entries, added)
        volume.add(pack(layout.MANIFEST, encode(said)))
        size = volume.close()
        if size > self._shelf.limit:
            raise RuntimeError("a volume grew beyond its limit")  # the reserve is too small: a fault of ours
        return VolumeFile(summary.number, volume.path, size, _sha256(volume.path))

    def _pictures(self) -> Pictures:
        months = self._packer.months if self._packer else None
        return pictures(self._spool, self._facts, months, self._rooms, self._media)

    def _media_script(self, volume: int) -> Packed:
        stage = Stage(self._stages / "media-script")
        for data in self._media.script(volume):
            stage.offer(data)
            stage.keep()
        return stage.finish(layout.viewer_media(volume))


def _json_list(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    opening = b"[\n"
    for row in rows:
        yield opening + encode(row)
        opening = b",\n"
    yield b"\n]\n" if opening == b",\n" else b"[]\n"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
