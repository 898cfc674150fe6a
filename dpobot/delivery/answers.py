"""Answers to other homeservers' notices: words for people, and what their program reads beside them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dpobot.model.ids import RoomId, UserId
from dpobot.model.notices import ANSWER, LANGUAGE, ErasureAnswer
from dpobot.model.records import Reply
from dpobot.store import outbox
from dpobot.store.database import Tx
from dpobot.store.outbox import OutboxItem
from dpobot.text.render import Renderer


async def post_answer(
    tx: Tx,
    renderer: Renderer,
    now: datetime,
    sender: UserId,
    room_id: RoomId,
    reason: str | None,
    answer: ErasureAnswer | None,
    message_key: str,
) -> None:
    """Answer a notice in the room where it came; ``reason``: why it is not taken. The same key is sent once.

    It is an ``m.notice``: no program answers one (spec 11.2.1.3), so that two of them can't talk without end.
    """
    values: Mapping[str, Any] = {
        "reason": reason,
        "reference": answer.reference if answer else None,
        "case": answer.case if answer else None,
        "state": answer.state.value if answer else None,
    }
    content = renderer.message(Reply("federation/answer", values, notice=True), LANGUAGE)
    said = {} if answer is None else {ANSWER: answer.to_content()}
    item = OutboxItem(key=message_key, user_id=sender, room_id=room_id, content={**content, **said}, created_at=now)
    await outbox.put(tx, item)
