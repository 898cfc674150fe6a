"""Which bytes of a volume are asked for (RFC 9110, 14 "Range Requests"). Pure."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes from ``start`` to before ``end``. ``whole``: all of them, and nothing less was asked for."""

    start: int
    end: int
    whole: bool = False

    @property
    def length(self) -> int:
        """How many bytes that are."""
        return self.end - self.start

    def content_range(self, size: int) -> str:
        """Return what an answer says it holds."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


class Unsatisfiable(Exception):
    """No byte that is asked for is there: 416."""


def asked(header: str | None, if_range: str | None, etag: str, size: int) -> Part:
    """Return the part that a request wants.

    All of it without a range, with several of them, with one that can't be read, and if the client's own part is of
    something else (``If-Range``; a date never fits). Raises `Unsatisfiable`.
    """
    whole = Part(0, size, whole=True)
    match = _ONE.fullmatch(header or "")
    if match is None or (if_range is not None and if_range.strip() != etag):
        return whole
    first, last = match.groups()
    if not first:
        return _suffix(int(last), size) if last else whole
    if last and int(last) < int(first):  # not valid: as if it were not there
        return whole
    start = int(first)
    if start >= size:
        raise Unsatisfiable
    return Part(start, min(int(last) + 1, size) if last else size)


def _suffix(length: int, size: int) -> Part:
    if length == 0 or size == 0:
        raise Unsatisfiable
    return Part(max(0, size - length), size)
