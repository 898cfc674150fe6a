"""The portable bundle (Art. 20 GDPR): what `dpobot import` brings to an account on another server."""

from collections.abc import Iterable

from dpobot.archive.telling import Telling
from dpobot.archive.volume import Packed


def chapter(telling: Telling) -> Iterable[Packed]:
    """Return ``portable.json``."""
    return ()
