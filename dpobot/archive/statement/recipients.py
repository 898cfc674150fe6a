"""Recipients by name, from what was found out about who was in the rooms (Art. 15(1)(c) GDPR, C-154/21)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dpobot.archive.messages import safe
from dpobot.archive.spool import Spool
from dpobot.clock import from_millis

_TOP = 20  # that the page names; recipients.html has them all
_NAME = 255  # characters: the most that a user ID or the name of a server may have (spec, Appendices, 4.1 and 4.2)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Named:
    """Who received something. The lists are whole; ``incomplete``: rooms that could not be looked into, by reason."""

    servers: Sequence[Row]
    services: Sequence[Row]
    push: Sequence[Row]
    identity: Sequence[Row]
    incomplete: Mapping[str, int]

    @property
    def top(self) -> Sequence[Row]:
        """The servers that the page names, without the person's own."""
        return [row for row in self.servers if not row["own"]][:_TOP]

    @property
    def elsewhere(self) -> int:
        """How many servers there are beside the person's own."""
        return sum(not row["own"] for row in self.servers)

    def listed(self) -> dict[str, Any]:
        """Return who it is, without counts: those are in recipients.json."""
        return {
            "servers": [row["server"] for row in self.servers if not row["own"]],
            "services": [{name: row[name] for name in ("user_id", "kind", "network")} for row in self.services],
            "push": [{name: row[name] for name in ("host", "app")} for row in self.push],
            "identity": [row["host"] for row in self.identity],
            "incomplete": dict(self.incomplete),
        }


def named(spool: Spool) -> Named | None:
    """Return the recipients, None if nobody has looked."""
    kept = spool.kept("recipients")
    if kept is None:
        return None
    servers, services, push, identity = (
        _clean(kept.get(name, [])) for name in ("servers", "services", "push", "identity")
    )
    return Named(servers, services, push, identity, _codes(kept))


def _codes(kept: Row) -> dict[str, int]:
    return {safe(code): int(count) for code, count in dict(kept.get("incomplete", {})).items()}


def _clean(rows: Sequence[Row]) -> list[Row]:
    """Return rows whose texts hold nothing that can't be seen, since others chose them; with their times as moments."""
    return [
        {name: safe(value, _NAME) if isinstance(value, str) else value for name, value in row.items()}
        | {f"{name}_at": from_millis(row[name]) for name in ("first", "last") if isinstance(row.get(name), int)}
        for row in rows
    ]
