"""The statement (Art. 15(1) and (2) GDPR): what is really held of this person, why, how long, who received it."""

from collections.abc import Iterable

from dpobot.archive.telling import Telling
from dpobot.archive.volume import Packed


def chapter(telling: Telling) -> Iterable[Packed]:
    """Return ``statement.html``, ``statement.json`` and ``statement.pdf``."""
    return ()
