"""Who received what the person sent (Art. 15(1)(c) GDPR), by name: table, CSV and picture."""

from collections.abc import Iterable

from dpobot.archive.telling import Telling
from dpobot.archive.volume import Packed


def chapter(telling: Telling) -> Iterable[Packed]:
    """Return ``recipients.html``, ``recipients.json`` and ``recipients.csv``."""
    return ()
