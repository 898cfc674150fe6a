"""Where a bot's jobs run on another machine: what they ask of its account goes by post, the rest is the bot itself."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

from dpobot.clock import SystemClock
from dpobot.delivery.courier import PostalCourier, lend_token
from dpobot.delivery.postman import Postman
from dpobot.demo.synapse import Synapse
from dpobot.matrix.api import Courier, Matrix
from dpobot.matrix.desk import Desk
from dpobot.matrix.http import Http
from dpobot.matrix.session import Session
from dpobot.store.database import Database
from tests.contracts.matrix_stage import Account, InMemory, Real

BOT = "bot"  # the account whose jobs run elsewhere
TOKEN = "token"  # the homeserver in memory asks for none
PACE = 0.02  # seconds between two looks: nobody waits for a person here
_POSTED = frozenset(name for name in vars(Courier) if not name.startswith("_"))


class Posted:
    """A `Matrix` of two halves. ``session``: the bot's, beside which its postman works; ``courier``: of the jobs."""

    def __init__(self, session: Matrix, courier: PostalCourier) -> None:
        self.session = session
        self.courier = courier

    def __getattr__(self, name: str) -> Any:
        return getattr(self.courier if name in _POSTED else self.session, name)


def halves(account: Account) -> tuple[Matrix, PostalCourier]:
    """Return the bot itself, and what its jobs have."""
    posted = cast(Posted, account.matrix)
    return posted.session, posted.courier


class PostedInMemory(InMemory):
    """The stage in memory."""

    def __init__(self, database: Database, stack: AsyncExitStack) -> None:
        super().__init__()
        self._database = database
        self._stack = stack

    async def account(self, name: str) -> Account:
        account = await super().account(name)
        if name == BOT:
            http = Http("http://homeserver.invalid")
            desk = cast(Desk, account.matrix)
            courier = PostalCourier(http, desk, self._database, SystemClock(), 60.0, PACE)
            await lend_token(self._database, TOKEN)
            _post(account, courier, self._database, self._stack)
        return account


class PostedReal(Real):
    """The stage on a real Synapse."""

    def __init__(self, synapse: Synapse, folder: Path, database: Database, stack: AsyncExitStack) -> None:
        super().__init__(synapse, folder, stack)
        self._database = database
        self._opened = stack

    async def account(self, name: str) -> Account:
        account = await super().account(name)
        if name == BOT:
            courier = await PostalCourier.open(
                self.synapse.url, account.user_id, self._database, SystemClock(), look_again=PACE
            )
            self._opened.push_async_callback(courier.close)
            await lend_token(self._database, cast(Session, account.matrix).access_token)
            _post(account, courier, self._database, self._opened)
        return account


def _post(account: Account, courier: PostalCourier, database: Database, stack: AsyncExitStack) -> None:
    task = asyncio.create_task(Postman(database, account.matrix, SystemClock()).run())

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
    account.matrix = cast(Matrix, Posted(account.matrix, courier))
