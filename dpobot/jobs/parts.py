"""What jobs are given by the composition root."""

from dataclasses import dataclass
from pathlib import Path

from dpobot.clock import Clock
from dpobot.config import Config
from dpobot.homeserver.api import Homeserver
from dpobot.homeserver.changes import Changes
from dpobot.homeserver.federation import support
from dpobot.homeserver.federation.support import Contacts
from dpobot.homeserver.leftovers import Leftovers
from dpobot.matrix.api import Courier
from dpobot.receipt.key import SigningKey
from dpobot.store.database import Database
from dpobot.text.render import Renderer


@dataclass(frozen=True, slots=True)
class Parts:
    """The stages that jobs bring together. ``spool`` is the folder of archives in the making, on this machine."""

    database: Database
    homeserver: Homeserver
    matrix: Courier
    renderer: Renderer
    clock: Clock
    config: Config
    spool: Path
    notice_version: str
    changes: Changes
    leftovers: Leftovers
    receipt_key: SigningKey

    def spool_of(self, job_id: int) -> Path:
        """Return where a job's archive is in the making."""
        return self.spool / str(job_id)

    @property
    def contacts(self) -> Contacts:
        """Return what asks another homeserver whom it names for its people."""
        return support.of(self.config.notices).contacts

    @property
    def downloads(self) -> Path:
        """Return where archives lie, encrypted, that are fetched with a link."""
        return self.spool.with_name("downloads")
