"""The staff room: adopted or made, and left alone unless it is encrypted and closed to strangers.

`bot_state.STAFF_ROOM` names the room as long as staff can work in it: whoever has something to say there reads it.
"""

import asyncio

from dpobot import log
from dpobot.cases import transitions
from dpobot.clock import Clock
from dpobot.config import Config
from dpobot.delivery.messages import StaffPlace, key, post_staff
from dpobot.delivery.rooms import look
from dpobot.errors import Rejected, Unavailable
from dpobot.matrix.api import Matrix, RoomFacts
from dpobot.model.ids import RoomId, UserId
from dpobot.model.records import Reply
from dpobot.store import bot_state, outbox, staff_board, staff_rooms
from dpobot.store.database import Database, Tx
from dpobot.store.outbox import OutboxItem
from dpobot.text.render import Renderer

_LOOK_AGAIN = 60.0  # seconds
_logger = log.get(__name__)


class StaffRoom:
    """Knows which room it is, whether it may be used, and who is staff there."""

    def __init__(self, database: Database, matrix: Matrix, renderer: Renderer, clock: Clock, config: Config) -> None:
        self._database = database
        self._matrix = matrix
        self._renderer = renderer
        self._clock = clock
        self._config = config.staff
        self._refused: frozenset[UserId] = frozenset()  # who could not be invited: tried again at the next start

    async def run(self) -> None:
        """Look until cancelled whether the room is as it must be; a homeserver that is away is asked again."""
        while self._config.wanted:
            try:
                await self.ready()
            except Unavailable as trouble:
                _logger.warning("staff_room.unavailable", code=trouble.code)
            await asyncio.sleep(_LOOK_AGAIN)
        await self._use(None)
        await asyncio.Event().wait()  # a part of the bot that ends would end the bot

    async def ready(self) -> RoomId | None:
        """Adopt or make the room, and return it; None as long as there is none in which staff can work.

        Raises `Unavailable`.
        """
        if self._config.room_id is not None:
            await self._note(RoomId(self._config.room_id))
        room_id = await self._usable() if self._config.wanted else None
        await self._use(room_id)
        if room_id is not None and self._config.room_id is None:
            await self._let_in(room_id)
        return room_id

    async def current(self) -> RoomId | None:
        """Return the room in which staff work, None if there is none now."""
        return _room(await self._database.read(lambda tx: bot_state.get(tx, bot_state.STAFF_ROOM)))

    async def is_meant(self, room_id: RoomId) -> bool:
        """Say whether a room is the one that is to be the staff room, whether or not staff can work there now."""
        if self._config.room_id is not None:
            return room_id == self._config.room_id
        return self._config.wanted and room_id == await self._database.read(staff_rooms.made)

    async def staff(self) -> frozenset[UserId]:
        """Ask now who is staff; nobody as long as there is no room. Raises `Unavailable`."""
        room_id = await self.current()
        return frozenset() if room_id is None else await self.staffing(room_id)

    async def staffing(self, room_id: RoomId) -> frozenset[UserId]:
        """Ask now who is staff: joined, with the configured power level, not the bot; full user IDs.

        Nobody is staff in a room that is not encrypted, or closed to us. Raises `Unavailable`.
        """
        facts = await look(self._matrix, room_id)
        if facts is None or not facts.encrypted:
            return frozenset()
        powers = await self._matrix.powers(room_id)
        level = self._config.power_level
        return frozenset(user for user in facts.joined if powers.reach(user, level)) - {self._matrix.user_id}

    def place(self, room_id: RoomId) -> StaffPlace:
        """Return the room's main time line as a place to write to."""
        return StaffPlace(room_id, self._config.language)

    async def _usable(self) -> RoomId | None:
        try:
            facts = await self._found()
            if facts is None:
                return None
            problem = await self._problem(facts)
        except Rejected as refusal:
            _logger.warning("staff_room.rejected", code=refusal.code)
            return None
        if problem is None:
            return facts.room_id
        _logger.warning("staff_room.not_used", code=problem)
        await self._database.write(lambda tx: self._warn(tx, facts, problem))
        return None

    async def _found(self) -> RoomFacts | None:
        configured = self._config.room_id
        return await self._made() if configured is None else await self._entered(RoomId(configured))

    async def _entered(self, room_id: RoomId) -> RoomFacts | None:
        """Return what is known of a room, joined if we are invited; None if it is closed to us."""
        facts = await look(self._matrix, room_id)
        if facts is not None:
            return facts
        try:
            await self._matrix.join(room_id)
        except Rejected as refusal:
            _logger.warning("staff_room.not_joined", code=refusal.code)
            return None
        return await look(self._matrix, room_id)

    async def _made(self) -> RoomFacts | None:
        """Return the room that the bot made, made now if there is none.

        A crash between the making and the note makes a second room at the next start, never none.
        """
        known = await self._database.read(staff_rooms.made)
        facts = await self._entered(known) if known is not None else None
        if facts is not None:
            return facts
        name = str(self._renderer.message(Reply("staff/room_name"), self._config.language)["body"])
        members = {UserId(member): self._config.power_level for member in self._config.members}
        room_id = await self._matrix.create_private(name, members)
        await self._database.write(lambda tx: staff_rooms.note_made(tx, room_id, members))
        _logger.info("staff_room.made", room_id=room_id)
        return await self._matrix.room(room_id)

    async def _let_in(self, room_id: RoomId) -> None:
        """Invite members that were named since, and give them the level; once, whatever they do then.

        Somebody who has left, or was removed, is not asked again until the configuration has named them anew.
        """
        named = frozenset(UserId(member) for member in self._config.members)
        known = await self._database.read(staff_rooms.let_in)
        let_in = known & named
        for member in sorted(named - known - self._refused):
            try:
                await self._matrix.invite(room_id, member, self._config.power_level)
            except Rejected as refusal:  # banned, or an account that never was
                _logger.warning("staff_room.not_invited", code=refusal.code)
                self._refused |= {member}
            else:
                let_in |= {member}
        if let_in != known:
            await self._database.write(lambda tx: staff_rooms.note_let_in(tx, let_in))

    async def _note(self, room_id: RoomId) -> None:
        if room_id not in await self._database.read(staff_rooms.ever):
            await self._database.write(lambda tx: staff_rooms.note(tx, room_id))

    async def _problem(self, facts: RoomFacts) -> str | None:
        if not facts.encrypted:  # it is somebody's room: encryption, which can't be undone, is theirs to switch on
            return "unencrypted"
        return None if await self._matrix.is_private(facts.room_id) else "not_private"

    async def _warn(self, tx: Tx, facts: RoomFacts, problem: str) -> None:
        """Say in the room, once a day, what keeps us from working there: no personal data is in it."""
        now = self._clock.now()
        reply = Reply(f"staff/room_{problem}")
        item = OutboxItem(
            key=key("staff_room", problem, facts.room_id, now.date()),
            user_id=UserId(facts.room_id),
            room_id=facts.room_id,
            content=self._renderer.message(reply, self._config.language),
            cleartext=not facts.encrypted,
            created_at=now,
        )
        await outbox.put(tx, item)

    async def _use(self, room_id: RoomId | None) -> None:
        if room_id != await self.current():
            await self._database.write(lambda tx: self._move_in(tx, room_id))

    async def _move_in(self, tx: Tx, room_id: RoomId | None) -> None:
        """Remember the room, greet those who are in it, and have the cards of all open cases made there."""
        if room_id is None:
            await bot_state.drop(tx, bot_state.STAFF_ROOM)
            return
        await bot_state.set(tx, bot_state.STAFF_ROOM, room_id)
        greeting = key("staff_room", "welcome", room_id)
        await post_staff(
            tx, self._renderer, self._clock.now(), self.place(room_id), Reply("staff/room_welcome"), greeting
        )
        await staff_board.touch_elsewhere(tx, room_id, transitions.OPEN)


def _room(value: str | None) -> RoomId | None:
    return None if value is None else RoomId(value)
