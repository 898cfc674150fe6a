"""The hands: take rows from the inbox, several people at a time, one message of a person at a time."""

from collections.abc import Sequence

from dpobot.clock import Clock
from dpobot.engine.turns import Turns
from dpobot.inbox.dispatch import Dispatcher
from dpobot.model.ids import UserId
from dpobot.store import inbox
from dpobot.store.database import Database
from dpobot.store.inbox import InboxRow


class Workers(Turns[InboxRow]):
    """Runs the dispatcher over what is due."""

    name = "inbox"

    def __init__(self, database: Database, dispatcher: Dispatcher, clock: Clock, at_once: int) -> None:
        super().__init__(at_once)
        self._database = database
        self._dispatcher = dispatcher
        self._clock = clock

    async def _due(self, limit: int, busy: frozenset[UserId]) -> Sequence[InboxRow]:
        now = self._clock.now()
        return await self._database.read(lambda tx: inbox.due(tx, now, limit, busy))

    def _person(self, row: InboxRow) -> UserId:
        return row.sender

    async def _work(self, row: InboxRow) -> None:
        await self._dispatcher.handle(row)
