"""Identifiers as the Matrix specification spells them (Appendices, "Identifier Grammar"), and our own."""

import re
from typing import NewType

UserId = NewType("UserId", str)  # @localpart:server
RoomId = NewType("RoomId", str)  # !opaque[:server]
EventId = NewType("EventId", str)  # $opaque
DeviceId = NewType("DeviceId", str)
Mxc = NewType("Mxc", str)  # mxc://server/media_id
Reference = NewType("Reference", str)  # DPO-2026-0042

_REFERENCE = re.compile(r"DPO-(\d{4})-(\d{4,})", re.IGNORECASE)


def server_of(user_id: UserId) -> str:
    """Return the server name of a user ID; always the part after the FIRST colon (server names may hold a port)."""
    return user_id.split(":", 1)[1] if ":" in user_id else ""


def reference(year: int, number: int) -> Reference:
    """Return the reference of the ``number``-th case of ``year``: ``DPO-2026-0042``."""
    return Reference(f"DPO-{year:04d}-{number:04d}")


def parse_reference(text: str) -> Reference | None:
    """Return the reference that ``text`` is, upper-cased, or None."""
    match = _REFERENCE.fullmatch(text.strip())
    return reference(int(match[1]), int(match[2])) if match else None
