"""Files that only the person themselves could get at: they go with every erasure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dpobot.engine.api import StepResult, Steps
from dpobot.homeserver.api import Homeserver
from dpobot.model.ids import Mxc, UserId


@dataclass(frozen=True, slots=True)
class Named:
    """Media that events of the person name: in rooms that others can see, and in rooms that will be deleted.

    ``certain``: no encrypted event in a shared room can name more.
    """

    shared: frozenset[Mxc] = frozenset()
    deleted: frozenset[Mxc] = frozenset()
    certain: bool = True

    def noted(self) -> dict[str, Any]:
        """Return it as a step's result holds it."""
        return {"shared": sorted(self.shared), "deleted": sorted(self.deleted), "certain": self.certain}

    @classmethod
    def of(cls, noted: Mapping[str, Any]) -> "Named":
        """Return it as it was noted."""
        return cls(frozenset(noted["shared"]), frozenset(noted["deleted"]), noted["certain"])

    @classmethod
    def together(cls, parts: Iterable["Named"]) -> "Named":
        """Return what is named in several rooms."""
        known = list(parts)
        return cls(
            frozenset().union(*(part.shared for part in known)),
            frozenset().union(*(part.deleted for part in known)),
            all(part.certain for part in known),
        )

    def private(self, media: Collection[Mxc]) -> list[Mxc]:
        """Return which of these uploads nobody else could get at.

        Where an encrypted event may name any of them, only those that a deleted room names in clear are sure.
        """
        return [url for url in media if url not in self.shared and (self.certain or url in self.deleted)]


@dataclass(frozen=True, slots=True)
class Uploads:
    """A person's uploads. ``size``: bytes; ``private``: those that nobody else could get at."""

    count: int
    size: int
    private: tuple[Mxc, ...]


async def look_through(homeserver: Homeserver, steps: Steps, person: UserId, named: Named) -> Uploads:
    """Look through a person's uploads, a page a step."""
    count = size = 0
    private: list[Mxc] = []
    start: int | None = 0
    while start is not None:
        page = await steps.step(f"media:{start}", lambda start=start: _page(homeserver, person, start, named))  # type: ignore[misc] # bound per turn
        count, size = count + page["count"], size + page["size"]
        private += page["private"]
        start = page["next"]
    return Uploads(count, size, tuple(private))


async def _page(homeserver: Homeserver, person: UserId, start: int, named: Named) -> StepResult:
    page = await homeserver.media(person, start)
    return {
        "count": len(page.items),
        "size": sum(item.size for item in page.items),
        "private": named.private([item.url for item in page.items]),
        "next": page.next,
    }
