"""Spans of time that hold what is to be redacted and nothing else: how the bulk call is kept from more. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST = 200  # events in one span: some seconds of Synapse's work, so that a restart repeats little

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """From ``first`` to ``last``, milliseconds, both included; ``events`` are the IDs to redact in between."""

    first: int
    last: int
    events: tuple[str, ...]


def spans(wanted: Iterable[Event], spared: Iterable[Event], most: int = MOST) -> Iterator[Span]:
    """Yield spans, oldest first, that hold every wanted event but those sent in the same millisecond as a spared one.

    No span holds a spared event. A span holds up to ``most`` events, more only where one millisecond holds more.
    """
    stops = {_sent(event) for event in spared}
    open_: list[tuple[int, str]] = []
    marks = sorted([(stop, "") for stop in stops] + [(_sent(event), str(event["event_id"])) for event in wanted])
    for moment, event in marks:
        stopped = moment in stops
        if open_ and (stopped or (len(open_) >= most and moment > open_[-1][0])):
            yield _span(open_)
            open_ = []
        if event and not stopped:
            open_.append((moment, event))
    if open_:
        yield _span(open_)


def _span(marks: list[tuple[int, str]]) -> Span:
    return Span(marks[0][0], marks[-1][0], tuple(event for _, event in marks))


def _sent(event: Event) -> int:
    return int(event["origin_server_ts"])
