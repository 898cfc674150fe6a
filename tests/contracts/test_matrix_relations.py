"""What every `Matrix` keeps to where the account asks what it has said about an event, to take it back."""

import secrets

import pytest

from dpobot.errors import Gone, Rejected
from dpobot.matrix import relations
from dpobot.model.ids import EventId, RoomId
from tests.contracts.matrix_stage import NOWHERE, Account, Stage, text
from tests.contracts.matrix_stage import stack as stack
from tests.contracts.matrix_stage import stage as stage
from tests.live.conftest import register as register
from tests.live.conftest import synapse as synapse

NEVER = EventId("$never")


async def _about(account: Account, room_id: RoomId, event_id: EventId, rel_type: str) -> EventId:
    relation = {"rel_type": rel_type, "event_id": event_id}
    new = {"m.new_content": text("new")} if rel_type == "m.replace" else {}
    content = {**text("about it"), **new, "m.relates_to": relation}
    return await account.matrix.send(room_id, content, txn_id=secrets.token_hex(8))


async def test_what_we_said_about_an_event_is_found_and_goes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thread and edits, over many pages; nobody else's, nothing about others, and nothing that is redacted."""
    monkeypatch.setattr(relations, "_PAGE", "2")
    bot, anna = await stage.account("bot"), await stage.account("anna")
    room_id = await bot.matrix.create_private("Requests", {anna.user_id: 50})
    await anna.matrix.join(room_id)
    card, other = await bot.say(room_id, "card"), await bot.say(room_id, "other")
    await _about(anna, room_id, card, "m.thread")
    await stage.react(anna, room_id, card, "👀")
    await _about(bot, room_id, other, "m.thread")
    said = [await _about(bot, room_id, card, kind) for kind in ("m.thread", "m.replace", "m.thread", "m.replace") * 2]
    await _about(anna, room_id, card, "m.thread")
    found = await bot.matrix.own_relations(room_id, card)
    assert sorted(found) == sorted(said)
    for event_id in said[:5]:
        await bot.matrix.redact(room_id, event_id, txn_id=secrets.token_hex(8))
    left = await bot.matrix.own_relations(room_id, card)
    assert sorted(left) == sorted(said[5:])
    for event_id in [*left, card]:
        await bot.matrix.redact(room_id, event_id, txn_id=secrets.token_hex(8))
    assert await bot.matrix.own_relations(room_id, card) == []
    assert len(await bot.matrix.own_relations(room_id, other)) == 1


async def test_what_is_not_there_is_gone(stage: Stage) -> None:
    """An event that never was, a room that never was, and one that is none of ours."""
    bot, stranger = await stage.account("bot"), await stage.account("stranger")
    room_id = await bot.matrix.create_private("Requests", {})
    card = await bot.say(room_id, "card")
    with pytest.raises(Gone):
        await bot.matrix.own_relations(room_id, NEVER)
    for asked, where in ((bot, NOWHERE), (stranger, room_id)):
        with pytest.raises(Rejected):
            await asked.matrix.own_relations(where, card)
