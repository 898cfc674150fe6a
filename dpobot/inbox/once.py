"""Sentences about a room or a device: said once, not again and again to whoever goes on writing."""

from datetime import datetime

from dpobot.delivery.messages import Address, key, post
from dpobot.model.records import Reply
from dpobot.store.database import Tx
from dpobot.store.inbox import InboxRow
from dpobot.text.render import Renderer

_SAY_AGAIN = 600  # seconds until such a sentence is repeated


async def say_once(
    tx: Tx, renderer: Renderer, now: datetime, row: InboxRow, reply: Reply, *, cleartext: bool = False
) -> None:
    """Answer a row, unless its sender has just been told the same there, be it at the invitation or after a message."""
    message_key = key(reply.template, row.sender, row.room_id, int(now.timestamp()) // _SAY_AGAIN)
    await post(tx, renderer, now, Address(row.sender, row.room_id, cleartext), reply, message_key)
