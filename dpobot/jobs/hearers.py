"""Hearers: how much of what a person sent each server and service of a room was there for. Pure.

Servers stamp events with their own clocks. An event counts for a server if it was sent while the server was there, and
also some minutes before it came or after it went: a recipient too many is a smaller fault than one too few.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from dpobot.homeserver.api import RoomCompany, Service

MARGIN = 5 * 60 * 1000  # milliseconds by which clocks of servers may differ
_FAR = 2**62  # milliseconds: later than every event

Span = tuple[int, int]  # milliseconds since the epoch, both ends included


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody was there for: how many events, the first and the last. Without any: they only came later."""

    events: int
    first: int | None
    last: int | None

    def with_(self, other: "Heard") -> "Heard":
        """Return both together."""
        firsts = [each.first for each in (self, other) if each.first is not None]
        lasts = [each.last for each in (self, other) if each.last is not None]
        return Heard(self.events + other.events, min(firsts, default=None), max(lasts, default=None))


NOTHING = Heard(0, None, None)


class Hearers:
    """One room's company, and the person's events there one by one; only the times between comings and goings count.

    Memory depends on how often servers came and went, not on how many events there are.
    """

    def __init__(self, company: RoomCompany) -> None:
        self._servers = _together((stay.server, _span(stay.since, stay.until)) for stay in company.stays)
        self._services = tuple(company.services)
        spans = [span for spans in self._servers.values() for span in spans]
        spans += [_span(each.since, each.until) for each in self._services]
        self._edges = sorted({edge for since, until in spans for edge in (since, until + 1)})
        slots = len(self._edges) + 1
        self._counts = [0] * slots
        self._firsts: list[int | None] = [None] * slots
        self._lasts: list[int | None] = [None] * slots
        self._told: dict[str, Heard] = {}

    def sent(self, at: int) -> None:
        """Take in an event by its time."""
        slot = bisect_right(self._edges, at)
        first, last = self._firsts[slot], self._lasts[slot]
        self._counts[slot] += 1
        self._firsts[slot] = at if first is None else min(first, at)
        self._lasts[slot] = at if last is None else max(last, at)

    def told(self, server: str, at: int) -> None:
        """Take in an event that went to a server by itself, as an invitation does, whether it was there or not."""
        if not any(since <= at <= until for since, until in self._servers.get(server, ())):
            self._told[server] = self._told.get(server, NOTHING).with_(Heard(1, at, at))

    @property
    def events(self) -> int:
        """How many events there were."""
        return sum(self._counts)

    def servers(self) -> dict[str, Heard]:
        """Return what each server was there for; who had gone before the first event is left out."""
        slots = _Slots(self._counts, self._firsts, self._lasts)
        heard = {server: self._heard(spans, slots) for server, spans in self._servers.items()}
        for server, told in self._told.items():
            heard[server] = told.with_(heard.get(server) or NOTHING)
        return {server: each for server, each in heard.items() if each is not None}

    def services(self) -> list[tuple[Service, Heard]]:
        """Return the same of each service."""
        slots = _Slots(self._counts, self._firsts, self._lasts)
        heard = [(each, self._heard([_span(each.since, each.until)], slots)) for each in self._services]
        return [(service, each) for service, each in heard if each is not None]

    def _heard(self, spans: Iterable[Span], slots: "_Slots") -> Heard | None:
        heard, after = NOTHING, False
        for since, until in spans:
            low, high = bisect_right(self._edges, since), bisect_right(self._edges, until)
            heard = heard.with_(slots.between(low, high))
            after = after or (slots.beginning is not None and until >= slots.beginning)
        return heard if after else None


class _Slots:
    """The events between each two neighbouring edges, so that any number of neighbours costs the same to ask for."""

    def __init__(self, counts: Sequence[int], firsts: Sequence[int | None], lasts: Sequence[int | None]) -> None:
        self._sums = [0, *accumulate(counts)]
        self._lasts = list(accumulate(lasts, _newer))  # of a slot and all before it
        self._firsts = list(accumulate(reversed(firsts), _newer))[::-1]  # of a slot and all behind it
        self.beginning = self._firsts[0]

    def between(self, low: int, high: int) -> Heard:
        """Return the events of the slots from ``low`` to ``high``."""
        count = self._sums[high + 1] - self._sums[low]
        return Heard(count, self._firsts[low], self._lasts[high]) if count else NOTHING


def _newer(before: int | None, this: int | None) -> int | None:
    return before if this is None else this


def _span(since: int | None, until: int | None) -> Span:
    begin = 0 if since is None else since
    end = _FAR if until is None else until
    return min(begin, end) - MARGIN, max(begin, end) + MARGIN


def _together(stays: Iterable[tuple[str, Span]]) -> Mapping[str, Sequence[Span]]:
    """Return each server's times, those that touch made one: no event counts twice for a server."""
    apart: dict[str, list[Span]] = {}
    for server, span in stays:
        apart.setdefault(server, []).append(span)
    return {server: _joined(sorted(spans)) for server, spans in apart.items()}


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for since, until in spans:
        if joined and since <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((since, until))
    return joined
