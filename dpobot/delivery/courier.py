"""The account as a job on another machine has it: it asks the homeserver itself, and what it says goes as a letter.

Such a machine has the account's access token and no keys of its device. Only the bot encrypts (`delivery.postman`).
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, Self, TypeVar

from dpobot.clock import Clock
from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.matrix.api import Courier, RoomFacts
from dpobot.matrix.desk import Desk
from dpobot.matrix.http import Http
from dpobot.model.ids import EventId, Mxc, RoomId, UserId
from dpobot.model.records import EncryptedFile
from dpobot.store import bot_state, letters
from dpobot.store.database import Database
from dpobot.store.letters import Answer, Letter, LetterState

BOT_AWAY = "bot_away"  # nobody sends for us now, or nobody has ever left us a token
TOKEN_REFUSED = "token_refused"  # noqa: S105 - a code: the bot has to log in again before we can go on
_PATIENCE = 60.0  # seconds that a letter is waited for
_LOOK_AGAIN, _SLOWEST_LOOK = 0.3, 2.0  # seconds
T = TypeVar("T")


async def lend_token(database: Database, token: str | None) -> None:
    """Let other machines act for the account with a token, stored encrypted at rest; None takes it back."""
    if token is None:
        await database.write(lambda tx: bot_state.drop(tx, bot_state.MATRIX_TOKEN))
    else:
        await database.write(lambda tx: bot_state.set_sealed(tx, bot_state.MATRIX_TOKEN, token))


class PostalCourier:
    """Keeps `matrix.api.Courier` without the keys of a device; besides raises Unavailable(BOT_AWAY, TOKEN_REFUSED).

    ``patience``, ``look_again``: seconds that a letter is waited for, and between two looks at it.
    """

    def __init__(
        self, http: Http, desk: Desk, database: Database, clock: Clock, patience: float, look_again: float
    ) -> None:
        self._http = http
        self._desk = desk
        self._database = database
        self._clock = clock
        self._patience = patience
        self._look_again = look_again

    @classmethod
    async def open(
        cls,
        homeserver_url: str,
        user_id: UserId,
        database: Database,
        clock: Clock,
        *,
        patience: float = _PATIENCE,
        look_again: float = _LOOK_AGAIN,
    ) -> Self:
        """Return what acts for the bot's account; whether the bot has left a token shows when something is asked."""
        http = Http(homeserver_url)
        return cls(http, Desk(http, user_id, hears=False), database, clock, patience, look_again)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    @property
    def user_id(self) -> UserId:
        """The bot's own full user ID."""
        return self._desk.user_id

    async def send(
        self,
        room_id: RoomId,
        content: Mapping[str, Any],
        *,
        txn_id: str,
        type_: str = "m.room.message",
        only: frozenset[UserId] | None = None,
    ) -> EventId:
        """See `Courier.send`; waits until the bot has sent it, and takes it back if that takes too long."""
        letter = Letter(txn_id, room_id, type_, content, only)
        now = self._clock.now()
        try:
            sent = await self._database.write(lambda tx: letters.put(tx, letter, now))
            return sent if sent is not None else await self._answered(txn_id)
        except asyncio.CancelledError:  # the job was broken off: what it meant to say is not said later
            with contextlib.suppress(Unavailable):
                await self._hold(txn_id)
            raise

    async def _answered(self, key: str) -> EventId:
        until, pause = time.monotonic() + self._patience, self._look_again
        while True:
            event_id = _event(await self._database.read(lambda tx: letters.find(tx, key)))
            if event_id is not None:
                return event_id
            if time.monotonic() < until:
                await asyncio.sleep(pause)
                pause = min(pause * 1.2, _SLOWEST_LOOK)  # where many wait, looking must not be what the database does
            elif await self._hold(key):
                raise Unavailable(BOT_AWAY)

    async def _hold(self, key: str) -> bool:
        now = self._clock.now()
        return await self._database.write(lambda tx: letters.hold(tx, key, now))

    async def redact(self, room_id: RoomId, event_id: EventId, *, txn_id: str) -> None:
        """See `Courier.redact`."""
        await self._ask(lambda: self._desk.redact(room_id, event_id, txn_id=txn_id))

    async def own_relations(self, room_id: RoomId, event_id: EventId) -> Sequence[EventId]:
        """See `Courier.own_relations`."""
        return await self._ask(lambda: self._desk.own_relations(room_id, event_id))

    async def leave(self, room_id: RoomId) -> None:
        """See `Courier.leave`."""
        await self._ask(lambda: self._desk.leave(room_id))

    async def room(self, room_id: RoomId) -> RoomFacts:
        """See `Courier.room`."""
        return await self._ask(lambda: self._desk.room(room_id))

    async def create_direct(self, user_id: UserId) -> RoomId:
        """See `Courier.create_direct`."""
        return await self._ask(lambda: self._desk.create_direct(user_id))

    async def direct_rooms(self, user_id: UserId) -> Sequence[RoomId]:
        """See `Courier.direct_rooms`; in rooms that are known already a change of the last minutes may be missed."""
        return await self._ask(lambda: self._desk.direct_rooms(user_id))

    async def upload_encrypted(self, path: Path, media_type: str) -> EncryptedFile:
        """See `Courier.upload_encrypted`."""
        return await self._ask(lambda: self._desk.upload_encrypted(path, media_type))

    async def upload_limit(self) -> int:
        """See `Courier.upload_limit`."""
        return await self._ask(self._desk.upload_limit)

    async def download_encrypted(self, file: EncryptedFile, target: Path, *, most: int | None = None) -> None:
        """See `Courier.download_encrypted`."""
        await self._ask(lambda: self._desk.download_encrypted(file, target, most=most))

    async def media_exists(self, url: Mxc) -> bool:
        """See `Courier.media_exists`."""
        return await self._ask(lambda: self._desk.media_exists(url))

    async def _ask(self, request: Callable[[], Awaitable[T]]) -> T:
        """Make a request, and make it again with the token that the bot has now if ours is refused."""
        token = await self._token(None)
        while True:
            try:
                return await request()
            except Rejected as refusal:
                if refusal.status != 401:
                    raise
            token = await self._token(token)

    async def _token(self, refused: str | None) -> str:
        """Use the token of the bot, and read it again if the one in use has been refused."""
        if self._http.token in (None, refused):
            found = await self._database.read(lambda tx: bot_state.get_sealed(tx, bot_state.MATRIX_TOKEN))
            if found is None:
                raise Unavailable(BOT_AWAY)
            if found == refused:
                raise Unavailable(TOKEN_REFUSED)
            self._http.token = found
        return self._http.token or ""


def _event(answer: Answer | None) -> EventId | None:
    """Return the event of a letter, None if it is still to be sent. Raises `Rejected`, `Unavailable`."""
    if answer is None or answer.state is LetterState.HELD:  # another run of the same job has given it up
        raise Unavailable(BOT_AWAY)
    if answer.state is LetterState.REFUSED:
        _refuse(answer.error or "refused", answer.status)
    return answer.event_id


def _refuse(code: str, status: int | None) -> NoReturn:
    raise Gone(code, status) if status == 404 else Rejected(code, status)


def _keeps_the_contract(courier: PostalCourier) -> Courier:
    return courier  # mypy checks here that it is one
