"""Receivers: which servers, bridges, bots, push gateways and identity servers got what the person sent, by name."""

from dpobot.archive.spool import Spool
from dpobot.engine.api import Steps
from dpobot.homeserver.api import Homeserver
from dpobot.jobs.progress import Tally
from dpobot.model.ids import UserId


class Receivers:
    """Finds out, room by room, who received what is in the spool; notes it there (`archive.recipients` tells it)."""

    def __init__(self, homeserver: Homeserver, spool: Spool, steps: Steps, person: UserId) -> None:
        self._homeserver = homeserver
        self._spool = spool
        self._steps = steps
        self._person = person
        self._generation = spool.generation()

    async def all(self, tally: Tally) -> None:
        """Ask for each room; finished steps are not done again."""
