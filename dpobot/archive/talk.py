"""A page's worth of events as a conversation: edits and reactions where they belong, answers with what they answer."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dpobot.archive import layout
from dpobot.archive.media import MediumShown
from dpobot.archive.messages import Shown, safe, shown
from dpobot.archive.relations import Relations, relations_of

_QUOTE = 140  # characters
_VERSIONS = 10  # earlier ones that a page shows
_VERSION = 2_000  # characters of each
_KEYS = 30  # different reactions that stand below a message
_EDITABLE = frozenset({"text", "notice", "emote", "location", "file", "odd"})


class Written(NamedTuple):
    """An event with its place in the spool."""

    event: dict[str, Any]
    start: int


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said before it was edited."""

    day: str
    time: str
    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """The beginning of what is answered. ``kind`` as in `Shown`; ``carried``: as the answer itself quotes it."""

    kind: str
    text: str
    href: str = ""
    sender: str = ""


@dataclass(slots=True)
class Line:
    """An event on a page. ``number`` counts from 1 in its room; ``first`` is the event as it was sent."""

    number: int
    event: Shown
    first: Shown
    medium: MediumShown | None = None
    about: str = ""  # link to the event that it is about
    in_place: bool = False  # an edit or reaction that is shown where that event is
    quote: Quote | None = None
    thread: Quote | None = None
    versions: Sequence[Version] = ()
    more_versions: int = 0
    reactions: Sequence[tuple[str, int]] = ()


@dataclass(slots=True)
class _Page:
    """Where the lines come to stand, and which of their events others of them refer to."""

    number: int
    volume: int
    here: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)


class Talk:
    """Makes lines of a room's events; ``visible``: other people's are among them, so each line says whose it is."""

    def __init__(self, relations: Relations, medium: Callable[[str], MediumShown | None], visible: bool) -> None:
        self._relations, self._medium, self._visible = relations, medium, visible

    def lines(self, first: int, written: Sequence[Written], page: int, volume: int) -> list[Line]:
        """Return the lines of events that come to stand on a page; ``first`` is the number of the first of them."""
        here = {str(item.event.get("event_id")): (n, item.event) for n, item in enumerate(written, first)}
        at = _Page(page, volume, here)
        return [self._line(number, item.event, at) for number, item in enumerate(written, first)]

    def _line(self, number: int, event: dict[str, Any], page: _Page) -> Line:
        view = self._shown(event)
        line = Line(number, view, view)
        if self._relations.none:
            line.medium = self._medium(view.url) if view.url else None
            return line
        if view.kind in _EDITABLE:
            self._edited(line, event)
            line.reactions = self._reactions(view.event_id)
        elif view.kind in ("encrypted", "poll"):
            line.reactions = self._reactions(view.event_id)
        if view.target:
            self._about(line, event, page)
        if view.reply:
            line.quote = self._quote(view.reply, page) or (Quote("carried", view.quoted) if view.quoted else None)
        if view.thread:
            line.thread = self._quote(view.thread, page)
        if line.event.url:
            line.medium = self._medium(line.event.url)
        return line

    def _shown(self, event: Mapping[str, Any]) -> Shown:
        view = shown(event)
        if self._visible:
            view.sender = safe(event.get("sender"), 255)
        return view

    def _edited(self, line: Line, event: dict[str, Any]) -> None:
        """Let a message say what it said last, and what before."""
        edits = self._edits(event)
        if not edits:
            return
        views = [self._version(event, edit) for edit in edits]
        newest = views.pop()
        newest.day, newest.time = line.first.day, line.first.time
        newest.event_id, newest.reply, newest.thread = line.first.event_id, line.first.reply, line.first.thread
        earlier = [line.first, *views]
        line.event = newest
        line.more_versions = max(len(earlier) - _VERSIONS, 0)
        line.versions = [_earlier(view) for view in earlier[-_VERSIONS:]]

    def _edits(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Return a message's valid edits, oldest first ("Validity of replacement events")."""
        found = [edit for edit in self._relations.edits(str(event.get("event_id"))) if _edits(edit, event)]
        return sorted(found, key=_order)

    def _version(self, event: dict[str, Any], edit: dict[str, Any]) -> Shown:
        said = {**event, "content": edit["content"]["m.new_content"], "origin_server_ts": edit.get("origin_server_ts")}
        return self._shown(said)

    def _reactions(self, event_id: str) -> Sequence[tuple[str, int]]:
        events = self._relations.reactions(event_id)
        if not events:
            return ()
        keys = Counter(view.name for view in map(shown, events) if view.kind == "reaction")
        return keys.most_common(_KEYS)

    def _about(self, line: Line, event: dict[str, Any], page: _Page) -> None:
        found = self._find(line.first.target, page)
        if found is None:
            return
        line.about, target = found
        kind = shown(target).kind if self._relations.knows(line.first.target) else ""
        if line.first.kind == "edit":
            line.in_place = kind in _EDITABLE and _edits(event, target)
        elif line.first.kind == "reaction":
            line.in_place = kind in _EDITABLE or kind in ("encrypted", "poll")

    def _find(self, event_id: str, page: _Page) -> tuple[str, dict[str, Any]] | None:
        """Return link and event of something shown before, or on the same page; the link is empty in another volume."""
        if event_id in page.here:
            number, event = page.here[event_id]
            return f"#e{number}", event
        place = self._relations.where(event_id)
        if place is None:
            return None
        event = self._relations.read(place.start)
        if event.get("event_id") != event_id:
            return None
        name = layout.room_page("", place.page).lstrip("/")
        return (f"{name}#e{place.number}" if place.volume == page.volume else ""), event

    def _quote(self, event_id: str, page: _Page) -> Quote | None:
        found = self._find(event_id, page)
        if found is None:
            return None
        href, event = found
        line = Line(0, view := self._shown(event), view)
        if view.kind in _EDITABLE:
            self._edited(line, event)
        said = line.event.text or line.event.name
        text = " ".join(said[:_QUOTE].split()) + ("…" if len(said) > _QUOTE else "")
        return Quote(view.kind, text, href, view.sender)


def _edits(edit: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether ``edit`` is a valid edit of the message ``event``."""
    content = edit.get("content")
    said = content.get("m.new_content") if isinstance(content, dict) else None
    replaces = any(how == "edit" and target == event.get("event_id") for how, target in relations_of(edit))
    return (
        replaces
        and isinstance(said, dict)
        and isinstance(said.get("body"), str)
        and edit.get("type") == event.get("type") == "m.room.message"
        and edit.get("sender") == event.get("sender")
        and not any(how == "edit" for how, _ in relations_of(event))
        and "state_key" not in event
    )


def _order(event: Mapping[str, Any]) -> tuple[int, str]:
    at = event.get("origin_server_ts")
    return at if isinstance(at, int) else 0, str(event.get("event_id"))


def _earlier(view: Shown) -> Version:
    text = view.text or view.name
    return Version(view.day, view.time, text[:_VERSION], view.cut or len(text) > _VERSION)
