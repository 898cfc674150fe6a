"""What the stand-in for MAS keeps: users, addresses, links, sessions, each an object with an ID and attributes."""

import itertools
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_COUNT = itertools.count()

SESSIONS = ("user-sessions", "oauth2-sessions", "compat-sessions", "personal-sessions")
COLLECTIONS = ("users", "user-emails", "upstream-oauth-links", *SESSIONS)

Json = dict[str, Any]


def ulid() -> str:
    """Return a new ID (ULID specification); IDs sort in the order in which they were made."""
    number = int(time.time() * 1000) << 80 | next(_COUNT) << 40 | secrets.randbits(40)
    digits = [_LETTERS[number >> shift & 31] for shift in range(125, -1, -5)]
    return "".join(digits)


def now() -> str:
    """Return the moment as MAS writes it."""
    return datetime.now(UTC).isoformat()


@dataclass
class Thing:
    """An object of MAS. ``kept`` is what MAS knows of it and tells nobody."""

    collection: str
    attributes: Json
    kept: Json = field(default_factory=dict)
    id: str = field(default_factory=ulid)

    def is_of(self, user: str) -> bool:
        """Tell whether it is about a user."""
        names = ("user_id", "actor_user_id", "owner_user_id")
        return any(self.attributes.get(name) == user for name in names)

    @property
    def ended(self) -> bool:
        """Whether a session is over, or a user deactivated."""
        return any(self.attributes.get(name) for name in ("finished_at", "revoked_at", "deactivated_at"))

    def shown(self, *, cursor: bool = False) -> Json:
        """Return it as the admin API answers it."""
        link = f"/api/admin/v1/{self.collection}/{self.id}"
        data: Json = {
            "type": self.collection.removesuffix("s"),
            "id": self.id,
            "attributes": dict(self.attributes),
            "links": {"self": link},
        }
        return {**data, "meta": {"page": {"cursor": self.id}}} if cursor else data


@dataclass(frozen=True)
class Token:
    """An access token: of a session, or of a client without any (``session`` None); ``until`` in seconds of `time`."""

    session: str | None
    until: float
    scope: str
    device: str | None = None

    @property
    def valid(self) -> bool:
        """Whether it has not run out."""
        return time.time() < self.until
