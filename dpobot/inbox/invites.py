"""Invitations: direct messages are accepted, encryption is switched on where that is missing, groups are left again."""

from dataclasses import replace

from dpobot import log
from dpobot.clock import Clock
from dpobot.delivery.messages import Address, key, post
from dpobot.delivery.rooms import is_safe
from dpobot.errors import Rejected
from dpobot.inbox.choices import offer
from dpobot.inbox.once import say_once
from dpobot.matrix.api import Matrix, RoomFacts
from dpobot.model.ids import server_of
from dpobot.model.records import Reply
from dpobot.store import inbox, people, staff_rooms
from dpobot.store.database import Database, Tx
from dpobot.store.inbox import InboxRow
from dpobot.text.render import Renderer

_logger = log.get(__name__)


class Invites:
    """Answers invitations."""

    def __init__(self, database: Database, matrix: Matrix, renderer: Renderer, clock: Clock, greeting: Reply) -> None:
        self._database = database
        self._matrix = matrix
        self._renderer = renderer
        self._clock = clock
        self._greeting = greeting

    async def answer(self, row: InboxRow) -> None:
        """Join the room of an invitation and say what is right there; every step is harmless to repeat."""
        try:
            await self._matrix.join(row.room_id)
            of_staff = row.room_id in await self._database.read(staff_rooms.ever)
            facts = await self._encrypted(await self._matrix.room(row.room_id))
        except Rejected as refusal:  # withdrawn, banned, or a room that can't be joined: nobody waits for us there
            _logger.info("invite.not_joined", code=refusal.code, inbox_id=row.id)
            await self._database.write(lambda tx: inbox.done(tx, row.id, self._clock.now()))
            return
        reply = self._reply(row, facts, of_staff=of_staff)
        if server_of(row.sender) != server_of(self._matrix.user_id):  # perhaps another bot, which must not answer it
            reply = replace(reply, notice=True)
        await self._database.write(lambda tx: self._finish(tx, row, reply))

    async def _encrypted(self, facts: RoomFacts) -> RoomFacts:
        """Switch encryption on in a direct message that lacks it, where we have the power to."""
        if facts.encrypted or len(facts.joined | facts.invited) != 2:  # two people make a direct message
            return facts
        try:
            await self._matrix.enable_encryption(facts.room_id)
        except Rejected:
            return facts
        return await self._matrix.room(facts.room_id)

    def _reply(self, row: InboxRow, facts: RoomFacts, *, of_staff: bool) -> Reply:
        if not facts.encrypted:
            return Reply("unencrypted_room")
        if of_staff or not is_safe(facts, row.sender, self._matrix.user_id):
            return Reply("not_direct", {"of_staff": of_staff})
        return self._greeting

    async def _finish(self, tx: Tx, row: InboxRow, reply: Reply) -> None:
        now = self._clock.now()
        person = await people.ensure(tx, row.sender, now)
        if reply.template != self._greeting.template:
            await say_once(tx, self._renderer, now, row, reply, cleartext=True)
        else:
            await people.set_room(tx, row.sender, row.room_id)
            if person.greeted_at is None:
                await people.mark_greeted(tx, row.sender, now)
                message_key = key(row.event_id, "greeting")
                await post(tx, self._renderer, now, Address(row.sender, row.room_id), reply, message_key)
                await offer(tx, now, row.sender, row.room_id, message_key, reply.choices)
        await inbox.done(tx, row.id, now)
