"""One thing to move: what is foreseen for it, how it is carried over, what it then changes."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from dpobot.errors import DpobotError, Unavailable
from dpobot.moving.line import Line
from dpobot.moving.present import Present

# Each section with its rule: what happens where the new account has something of its own
SECTIONS = {
    "profile": "set where the account has none; its own name, picture and fields stay",
    "ignored": "added to the account's own list; nobody is taken off it",
    "rooms": "joined where the room's rule lets one in, knocked at where it takes knocks; no room is left",
    "direct": "marked as direct where the account is in the room; the account's own marks stay",
    "push_rules": "own rules are added, changed standard rules are set where the account's is still the standard",
    "settings": "members that the account's settings lack are added; its own values stay",
    "tags": "added to the rooms that the account is in; its own tags stay",
    "room_settings": "members that the account's settings of a room lack are added; its own values stay",
}


class Verdict(Enum):
    """How it stands with an item."""

    WILL = "planned"  # foreseen only
    DONE = "done"
    THERE = "was there"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """An item's verdict, with what is to be done or the reason why not; ``open``: a later run looks at it again."""

    verdict: Verdict
    why: str = ""
    open: bool = False


def will(what: str) -> Standing:
    """It is to be carried over."""
    return Standing(Verdict.WILL, what)


def there(why: str = "") -> Standing:
    """The account has it."""
    return Standing(Verdict.THERE, why)


def skipped(why: str) -> Standing:
    """It is not carried over, and that is no fault."""
    return Standing(Verdict.SKIPPED, why)


@dataclass(frozen=True, slots=True)
class Acting:
    """What carrying over needs. ``picture``: a file of the archive; ``begun``: the last note of an earlier run, if any.

    ``note`` puts such a note into the state file, where a cut could leave something that is half done: with a note, an
    item is carried over again whatever `Item.foresee` says of the half.
    """

    line: Line
    present: Present
    picture: Callable[[str], bytes | None]
    begun: str | None
    note: Callable[[str], None]


class Item(Protocol):
    """One thing to move."""

    @property
    def section(self) -> str:
        """One of `SECTIONS`."""
        ...

    @property
    def key(self) -> str:
        """Its name in the state file, unique in a parcel."""
        ...

    @property
    def label(self) -> str:
        """What the person reads, safe for a terminal."""
        ...

    def foresee(self, present: Present) -> Standing:
        """Return what is to be done for an account that has ``present``. Pure."""
        ...

    def assume(self, present: Present) -> None:
        """Change ``present`` as carrying it over does: what comes later builds on it."""
        ...

    async def carry(self, acting: Acting) -> Standing:
        """Carry it over, and keep ``acting.present`` true; only called where `foresee` plans it.

        Raises `Rejected`, `Unavailable`, `ImportStopped`.
        """
        ...


_SENTENCES = {
    "M_FORBIDDEN": "the homeserver does not allow it",
    "M_NOT_FOUND": "the homeserver does not know it",
    "M_UNRECOGNIZED": "the homeserver does not offer this",
    "M_TOO_LARGE": "it is too large for the homeserver",
    "M_LIMIT_EXCEEDED": "the homeserver asks for more time than --patience allows; run the same command later",
    "rate_limited": "the homeserver asks for more time than --patience allows; run the same command later",
    "M_RESOURCE_LIMIT_EXCEEDED": "the homeserver has reached its limits",
    "M_UNSUPPORTED_ROOM_VERSION": "the homeserver does not know this version of rooms",
    "M_INCOMPATIBLE_ROOM_VERSION": "the homeserver does not know this version of rooms",
}


def because(error: DpobotError) -> str:
    """Return why an item failed, as a sentence with the server's code."""
    code = error.code if isinstance(error, Unavailable) else getattr(error, "code", "unknown")
    otherwise = "the homeserver has a fault" if isinstance(error, Unavailable) else "the homeserver refuses it"
    return f"{_SENTENCES.get(str(code), otherwise)} ({code})"
