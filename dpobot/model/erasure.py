"""What travels between the stages of an erasure (Art. 17 GDPR): options, plan, room by room, what is left."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from dpobot.model.ids import RoomId


class Copy(StrEnum):
    """What became of the offer of a copy before the erasure."""

    DELIVERED = "delivered"  # they have got an archive
    WAIVED = "waived"  # they said that they want none
    OPEN = "open"  # neither yet: nothing can be confirmed


class Fate(StrEnum):
    """What an erasure does with a room."""

    REDACT = "redact"  # others have been there: what is the person's is redacted, as far as the options say
    PURGE = "purge"  # only the person was ever there, or, with ``direct``, nobody else is left: it is deleted
    OURS = "ours"  # the direct message with the bot: left and deleted last
    NOTHING = "nothing"  # invited, knocked: nothing of the person is there


@dataclass(frozen=True, slots=True)
class ErasureOptions:
    """What the person chose. To forget (to hide from whoever joins later) is part of every erasure.

    ``redact``: also take everything back that they sent, on other servers, too; ``media``: also delete files that
    others can see; ``direct``: also delete direct messages that everybody else has left; ``tell``: other servers that
    have copies are asked to erase them.
    """

    redact: bool = False
    media: bool = False
    direct: bool = False
    copy: Copy = Copy.OPEN
    tell: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as it is stored.

        ``tell`` only where it is chosen: a plan of an earlier release, which did not know it, keeps its hash.
        """
        stored = asdict(self)
        if not self.tell:
            del stored["tell"]
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ErasureOptions":
        """Return it as it was stored."""
        return cls(
            bool(stored["redact"]),
            bool(stored["media"]),
            bool(stored["direct"]),
            Copy(stored["copy"]),
            bool(stored.get("tell", False)),
        )


@dataclass(frozen=True, slots=True)
class Survey:
    """What the homeserver holds of a person now. All but ``servers`` are counts; ``media_bytes`` is bytes.

    The room in which they speak with the bot is left out everywhere.
    """

    messages: int  # events that hold content, not state: redacted with ``redact``
    state: int  # state events from which what is not essential is redacted
    state_kept: int  # state events that keep a room working: they stay
    shared_rooms: int  # with others in them, now or ever
    left_rooms: int  # of those: that the person is no longer in
    sole_rooms: int  # that only the person was ever in: deleted
    direct_rooms: int  # direct messages that everybody else has left: deleted with ``direct``
    media: int
    media_bytes: int
    media_private: int  # of those: that no shared room is known to use, deleted without ``media``
    devices: int
    addresses: int  # e-mail addresses and telephone numbers
    account_data: int  # entries, of the account and of rooms
    sso_links: int
    servers: tuple[str, ...]  # other servers that were in shared rooms, sorted: they keep their copies

    def to_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {**asdict(self), "servers": list(self.servers)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Survey":
        """Return it as it was stored."""
        return cls(**{**stored, "servers": tuple(stored["servers"])})


@dataclass(frozen=True, slots=True)
class ErasureRoom:
    """A room in which an erasure has work to do."""

    room_id: RoomId
    membership: str
    fate: Fate
    events: int  # of the person, holding content when it began
    state: str = "new"  # new, done, failed
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left of a category after the erasure; ``reason`` is a stable code of ``templates/parts/reasons``."""

    category: str
    count: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return it as it is stored and signed."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Residual":
        """Return it as it was stored."""
        return cls(str(stored["category"]), int(stored["count"]), str(stored["reason"]))
