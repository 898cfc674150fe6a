"""What homeservers' bots tell each other of an erasure (docs/notices.md): states, contacts, the notice, its answer.

What comes in from others is parsed strictly: whatever is not exactly as it should be is no notice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from ipaddress import IPv6Address
from typing import Any

from dpobot.model.ids import UserId

NOTICE = "org.dpobot.erasure_notice"  # in the content of an m.room.message, beside the words for people
ANSWER = "org.dpobot.erasure_answer"
VERSION = 1
LANGUAGE = "en"  # of the words beside it: nobody knows which one those speak who read them
_MOST_SERVER = 230  # characters of a server name (spec, Appendices, "Server Name"), its port included
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,255})(?::(?P<port>[0-9]{1,5}))?")
# the localparts of new accounts; historical ones may hold all of printable ASCII (spec, "User Identifiers")
_USER = re.compile(r"@[!-9;-~]{1,254}:(?P<server>[0-9A-Za-z.:\[\]-]{1,255})")
_REFERENCE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


class NoticeState(StrEnum):
    """Where the notice to one server stands; the moves between them: `MOVES`."""

    FOUND = "found"  # it has copies; staff have not decided
    APPROVED = "approved"  # it is to be told
    NO_CONTACT = "no_contact"  # it names nobody whom a bot can write to
    EMAIL = "email"  # it names an e-mail address: staff write
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"  # it has opened a case
    REFUSED = "refused"
    DONE = "done"  # it says that it has erased its copies
    FAILED = "failed"  # it could not be told


_N = NoticeState
MOVES: Mapping[NoticeState, frozenset[NoticeState]] = {
    _N.FOUND: frozenset({_N.APPROVED}),
    _N.APPROVED: frozenset({_N.NO_CONTACT, _N.EMAIL, _N.SENT, _N.FAILED}),
    _N.NO_CONTACT: frozenset({_N.APPROVED}),
    _N.EMAIL: frozenset({_N.APPROVED}),
    _N.SENT: frozenset({_N.ACKNOWLEDGED, _N.REFUSED, _N.DONE, _N.FAILED}),  # failed: it has too many, and says so
    _N.ACKNOWLEDGED: frozenset({_N.REFUSED, _N.DONE}),
    _N.REFUSED: frozenset(),
    _N.DONE: frozenset(),
    _N.FAILED: frozenset({_N.APPROVED}),
}
ANSWERS = frozenset({_N.ACKNOWLEDGED, _N.REFUSED, _N.DONE})  # what the other server can say
TO_BE_TOLD = frozenset(state for state, to in MOVES.items() if _N.APPROVED in to)


class Requested(StrEnum):
    """What the other server is asked to do with its copies."""

    FORGET = "forget"  # hide them from whoever joins later
    REDACT = "redact"  # apply, and keep applied, what was taken back
    MEDIA = "media"  # delete copies of files


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who answers for a homeserver, as its support file says (spec, "Server Support Discovery")."""

    role: str
    user_id: UserId | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class SupportContacts:
    """Whom a homeserver names, those who answer for data protection first."""

    contacts: tuple[Contact, ...]

    def best(self) -> Contact | None:
        """Return whom to write to: an account there before an e-mail address, a DPO before an administrator."""
        there = [contact for contact in self.contacts if contact.user_id is not None]
        return next(iter(there or self.contacts), None)

    def names(self, user_id: UserId) -> bool:
        """Say whether an account is one of the contacts."""
        return any(contact.user_id == user_id for contact in self.contacts)


@dataclass(frozen=True, slots=True)
class ErasureNotice:
    """One server tells another that a person's account was erased. ``reference``: of the case of who tells."""

    reference: str
    user_id: UserId
    erased_at: date
    requested: tuple[Requested, ...]

    def to_content(self) -> dict[str, Any]:
        """Return the member `NOTICE` of the message's content."""
        return {
            "version": VERSION,
            "reference": self.reference,
            "user_id": self.user_id,
            "erased_at": self.erased_at.isoformat(),
            "requested": [each.value for each in self.requested],
        }

    @classmethod
    def from_content(cls, said: object) -> "ErasureNotice | None":
        """Return the notice, None if it is none: members that are not known are passed over, so it can grow."""
        if not isinstance(said, Mapping) or not _is_version(said.get("version")):
            return None
        user_id, erased_at = user_id_of(said.get("user_id")), _day(said.get("erased_at"))
        reference, requested = _reference(said.get("reference")), _requested(said.get("requested"))
        if user_id is None or erased_at is None or reference is None or requested is None:
            return None
        return cls(reference, user_id, erased_at, requested)


@dataclass(frozen=True, slots=True)
class ErasureAnswer:
    """What became of a notice. ``reference``: of the notice; ``case``: of who answers; ``state``: one of `ANSWERS`.

    ``reason``: a code, where it is refused without a case.
    """

    reference: str
    state: NoticeState
    case: str | None = None
    reason: str | None = None

    def to_content(self) -> dict[str, Any]:
        """Return the member `ANSWER` of the message's content."""
        said = {"version": VERSION, "reference": self.reference, "state": self.state.value}
        return said | {name: value for name in ("case", "reason") if (value := getattr(self, name)) is not None}

    @classmethod
    def from_content(cls, said: object) -> "ErasureAnswer | None":
        """Return the answer, None if it is none."""
        if not isinstance(said, Mapping) or not _is_version(said.get("version")):
            return None
        reference, state, case = _reference(said.get("reference")), said.get("state"), _reference(said.get("case"))
        if reference is None or not isinstance(state, str) or state not in ANSWERS:
            return None
        if case is None and said.get("case") is not None:
            return None
        return cls(reference, NoticeState(state), case, _reference(said.get("reason")))


def user_id_of(said: object) -> UserId | None:
    """Return the user ID that somebody else's JSON holds, None if it is none.

    Nothing beyond printable ASCII: what looks like another account's ID is not taken (spec, "User Identifiers").
    """
    if not isinstance(said, str) or len(said) > 255:
        return None
    match = _USER.fullmatch(said)
    return UserId(said) if match is not None and is_server_name(match["server"]) else None


def is_server_name(text: str) -> bool:
    """Say whether a text is a server name (spec, Appendices, "Server Name")."""
    match = _SERVER.fullmatch(text) if len(text) <= _MOST_SERVER else None
    return match is not None and int(match["port"] or 1) in range(1, 65536) and _is_host(match["host"])


def _is_host(text: str) -> bool:
    if not text.startswith("["):
        return True
    try:
        IPv6Address(text[1:-1])
    except ValueError:
        return False
    return True


def host_of(server: str) -> str:
    """Return a server name without its port."""
    match = _SERVER.fullmatch(server)
    return match["host"] if match is not None else server


def _is_version(said: object) -> bool:
    return type(said) is int and said == VERSION


def _reference(said: object) -> str | None:
    return said if isinstance(said, str) and _REFERENCE.fullmatch(said) is not None else None


def _day(said: object) -> date | None:
    if not isinstance(said, str) or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", said, re.ASCII) is None:
        return None
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def _requested(said: object) -> tuple[Requested, ...] | None:
    """Return what is asked for; what is not known is passed over, but something must be."""
    if not isinstance(said, (list, tuple)) or len(said) > 16 or not all(isinstance(each, str) for each in said):
        return None
    return tuple(each for each in Requested if each.value in said) or None
