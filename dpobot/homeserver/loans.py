"""Keys to people's accounts that are kept for the next question: borrowing one for each page would triple the requests.

A key is given back as soon as anything goes wrong, when it was not used for a while, and when the line is closed.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dpobot.homeserver.http import Http
from dpobot.homeserver.puppet import Lender
from dpobot.model.ids import UserId

_IDLE_SECONDS = 20.0
_OLDEST = timedelta(minutes=10)  # a lent key expires by itself after fifteen: it must outlast one more question


@dataclass
class _Loan:
    """A key in use: ``held`` gives it back, ``users`` counts who asks with it now, ``timer`` ends it when idle."""

    token: str | None
    since: datetime
    held: contextlib.AsyncExitStack
    users: int = 0
    over: bool = False
    timer: asyncio.TimerHandle | None = None


@dataclass
class Loans:
    """Lends as ``lender`` does, and keeps each key for ``idle_seconds`` after its last use. Itself a `Lender`."""

    lender: Lender
    idle_seconds: float = _IDLE_SECONDS
    _loans: dict[UserId, _Loan] = field(default_factory=dict)
    _locks: dict[UserId, asyncio.Lock] = field(default_factory=dict)
    _ending: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def transactions(self) -> bool:
        """Whether what is sent with such a key may have a transaction ID."""
        return self.lender.transactions

    @contextlib.asynccontextmanager
    async def lend(self, http: Http, user: UserId) -> AsyncIterator[str | None]:
        """Lend a token that acts as ``user`` while the context lasts; None stands for our own account.

        Raises `Rejected` as the lender does. After any error, a cancellation too, the key ends at once.
        """
        loan = await self._taken(http, user)
        loan.users += 1
        try:
            yield loan.token
        except BaseException:
            loan.over = True
            raise
        finally:
            loan.users -= 1
            if loan.over:
                await asyncio.shield(self._end(user, loan))
            elif not loan.users:
                self._wait(user, loan)

    async def close(self) -> None:
        """Give every key back."""
        for user, loan in list(self._loans.items()):
            await self._end(user, loan)
        await asyncio.gather(*self._ending)

    async def _taken(self, http: Http, user: UserId) -> _Loan:
        async with self._locks.setdefault(user, asyncio.Lock()):
            loan, now = self._loans.get(user), http.clock.now()
            if loan is not None and not loan.over and now - loan.since < _OLDEST:
                self._stay(loan)
                return loan
            if loan is not None:
                await self._end(user, loan)
            held = contextlib.AsyncExitStack()
            token = await held.enter_async_context(self.lender.lend(http, user))
            self._loans[user] = _Loan(token, now, held)
            return self._loans[user]

    def _wait(self, user: UserId, loan: _Loan) -> None:
        self._stay(loan)
        loan.timer = asyncio.get_running_loop().call_later(self.idle_seconds, self._end_soon, user, loan)

    @staticmethod
    def _stay(loan: _Loan) -> None:
        if loan.timer is not None:
            loan.timer.cancel()
            loan.timer = None

    def _end_soon(self, user: UserId, loan: _Loan) -> None:
        task = asyncio.get_running_loop().create_task(self._end(user, loan))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, user: UserId, loan: _Loan) -> None:
        """Give a key back, unless somebody still asks with it: the last one then does."""
        loan.over = True
        self._stay(loan)
        if self._loans.get(user) is loan:
            del self._loans[user]
        if not loan.users:
            await loan.held.aclose()  # harmless if it was closed already
