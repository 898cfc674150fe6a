"""A new version of the privacy notice is told to everybody who has talked with the bot, some people at a time."""

from datetime import datetime

from dpobot import log
from dpobot.delivery.messages import Address, key, post
from dpobot.jobs.parts import Parts
from dpobot.jobs.staff_line import StaffLine
from dpobot.model.ids import UserId
from dpobot.model.records import Reply
from dpobot.store import bot_state, people
from dpobot.store.database import Tx

_PAGE = 50  # people in one transaction
_PAGES = 4  # at a time
_logger = log.get(__name__)


class Announcing:
    """Goes on where `bot_state.ANNOUNCING` says; its cursor moves in the transaction that writes the messages."""

    def __init__(self, parts: Parts, line: StaffLine) -> None:
        self._parts = parts
        self._line = line

    async def once(self, now: datetime) -> int:
        """Tell the next pages of people; return how many those are."""
        if await self._parts.database.read(lambda tx: bot_state.get(tx, bot_state.ANNOUNCING)) is None:
            return 0
        total = 0
        for _ in range(_PAGES):
            count = await self._parts.database.write(lambda tx: self._page(tx, now))
            total += count
            if count < _PAGE:
                break
        _logger.info("notice.announced", person_count=total)
        return total

    async def _page(self, tx: Tx, now: datetime) -> int:
        standing = await bot_state.get(tx, bot_state.ANNOUNCING, lock=True)
        if standing is None:
            return 0
        version, _, last = standing.partition(" ")
        page = await people.greeted_after(tx, last, _PAGE)
        for person in page:
            reply = Reply("update_notice", {"version": version})
            await post(tx, self._parts.renderer, now, Address(person), reply, key("notice", version, person))
        if len(page) == _PAGE:
            await bot_state.set(tx, bot_state.ANNOUNCING, f"{version} {page[-1]}")
        else:
            await self._finish(tx, now, version, page[-1] if page else UserId(last))
        return len(page)

    async def _finish(self, tx: Tx, now: datetime, version: str, last: UserId) -> None:
        await bot_state.drop(tx, bot_state.ANNOUNCING)
        room_id = await self._line.room(tx)
        if room_id is not None:
            values = {"version": version, "count": await people.count_greeted(tx, last)}
            await self._line.say(tx, now, room_id, Reply("staff/remind_announced", values), version, now)
