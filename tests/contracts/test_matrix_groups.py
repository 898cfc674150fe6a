"""What every `Matrix` keeps to where staff work: closed rooms, power levels, threads, edits, reactions."""

import secrets
from collections.abc import Mapping
from typing import Any

import pytest

from dpobot.errors import Rejected
from dpobot.matrix.api import Received
from dpobot.matrix.http import path
from dpobot.matrix.rooms import Rooms
from dpobot.model.ids import EventId, RoomId, UserId
from tests.contracts.matrix_stage import NOWHERE, Account, Stage, call, text
from tests.contracts.matrix_stage import stack as stack
from tests.contracts.matrix_stage import stage as stage
from tests.live.conftest import register as register
from tests.live.conftest import synapse as synapse

STRANGER = UserId("@stranger:dpobot.test")


async def test_a_room_of_our_own_is_closed_and_encrypted(stage: Stage) -> None:
    """Everybody is invited with their level, nobody else has any, and the bot is above all."""
    bot, anna, ben = [await stage.account(name) for name in ("bot", "anna", "ben")]
    room_id = await bot.matrix.create_private("Requests", {anna.user_id: 50, ben.user_id: 60})
    facts = await bot.matrix.room(room_id)
    assert facts.encrypted
    assert [facts.joined, facts.invited] == [frozenset({bot.user_id}), frozenset({anna.user_id, ben.user_id})]
    assert await bot.matrix.is_private(room_id)
    powers = await bot.matrix.powers(room_id)
    people = (bot.user_id, anna.user_id, ben.user_id, STRANGER)
    assert [powers.reach(person, 50) for person in people] == [True, True, True, False]
    assert [powers.reach(person, 60) for person in people] == [True, False, True, False]
    assert [powers.reach(person, 100) for person in people] == [True, False, False, False]
    assert await bot.matrix.direct_rooms(anna.user_id) == []
    await anna.matrix.join(room_id)
    await bot.say(room_id, "welcome")
    assert await anna.hears("welcome") == ["welcome"]


@pytest.mark.parametrize(
    ("join_rule", "history", "private"),
    [
        ("invite", "shared", True),
        ("invite", "joined", True),
        ("knock", "invited", True),
        ("restricted", "shared", False),
        ("public", "joined", False),
        ("invite", "world_readable", False),
    ],
)
async def test_a_room_is_private_or_not(stage: Stage, join_rule: str, history: str, private: bool) -> None:
    """Whoever could come in, or read, without an invitation makes it public."""
    owner = await stage.account("owner")
    room_id = await stage.group(owner, {}, join_rule=join_rule, history=history)
    assert await owner.matrix.is_private(room_id) == private


async def test_powers_are_those_of_this_moment(stage: Stage) -> None:
    """Given and taken while we are there; a level that nobody has been given is nobody's."""
    bot, owner, anna = [await stage.account(name) for name in ("bot", "owner", "anna")]
    room_id = await stage.group(owner, {bot.user_id: 0, anna.user_id: 49})
    await bot.matrix.join(room_id)

    async def staff() -> list[bool]:
        powers = await bot.matrix.powers(room_id)
        return [powers.reach(person, 50) for person in (owner.user_id, anna.user_id, bot.user_id, STRANGER)]

    before = await staff()
    await stage.level(owner, room_id, anna.user_id, 50)
    given = await staff()
    await stage.level(owner, room_id, anna.user_id, 0)
    assert [before, given, await staff()] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, False, False, False],
    ]


async def test_somebody_is_let_in_later(stage: Stage) -> None:
    """Invited with a level; again it changes nothing, and who sits there already gets the level alone."""
    bot, anna, owner = [await stage.account(name) for name in ("bot", "anna", "owner")]
    room_id = await bot.matrix.create_private("Requests", {owner.user_id: 50})
    for _ in range(2):
        await bot.matrix.invite(room_id, anna.user_id, 50)
    assert (await bot.matrix.room(room_id)).invited == {anna.user_id, owner.user_id}
    assert (await bot.matrix.powers(room_id)).users.items() >= {anna.user_id: 50, owner.user_id: 50}.items()
    await anna.matrix.join(room_id)
    await bot.matrix.invite(room_id, anna.user_id, 60)
    await bot.matrix.invite(room_id, anna.user_id, 40)
    assert (await bot.matrix.room(room_id)).joined == {anna.user_id, bot.user_id}
    assert (await bot.matrix.powers(room_id)).users[anna.user_id] == 60


async def test_without_the_power_nobody_is_let_in(stage: Stage) -> None:
    """The server refuses."""
    bot, owner, anna = [await stage.account(name) for name in ("bot", "owner", "anna")]
    room_id = await stage.group(owner, {bot.user_id: 0})
    await bot.matrix.join(room_id)
    with pytest.raises(Rejected):
        await bot.matrix.invite(room_id, anna.user_id, 50)


async def test_what_is_closed_to_us_is_not_told(stage: Stage) -> None:
    """Neither powers nor privacy of a room that never was, or into which we are only invited."""
    bot, owner = await stage.account("bot"), await stage.account("owner")
    room_id = await stage.group(owner, {bot.user_id: 50})
    for closed in (room_id, NOWHERE):
        with pytest.raises(Rejected):
            await bot.matrix.powers(closed)
        with pytest.raises(Rejected):
            await bot.matrix.is_private(closed)


def _named(heard: list[Received], event_id: EventId) -> Received:
    return next(event for event in heard if event.event_id == event_id)


async def test_threads_and_edits_arrive_as_they_were_sent(stage: Stage) -> None:
    """The relation of an encrypted event is known to whoever reads it."""
    bot, anna = await stage.account("bot"), await stage.account("anna")
    room_id = await bot.matrix.create_private("Requests", {anna.user_id: 50})
    await anna.matrix.join(room_id)
    card = await bot.say(room_id, "card")
    thread = {"rel_type": "m.thread", "event_id": card}
    edit = {"rel_type": "m.replace", "event_id": card}
    note = await _say(anna, room_id, {**text("note"), "m.relates_to": thread})
    await anna.hears("card")
    edited = await _say(bot, room_id, {**text("* new"), "m.new_content": text("new"), "m.relates_to": edit})
    await bot.hears("note")
    await anna.hears("* new")
    assert _named(bot.heard, note).content["m.relates_to"] == thread
    assert _named(bot.heard, note).encrypted
    content = _named(anna.heard, edited).content
    assert (content["m.relates_to"], content["m.new_content"]) == (edit, text("new"))


async def _say(account: Account, room_id: RoomId, content: Mapping[str, Any]) -> EventId:
    return await account.matrix.send(room_id, content, txn_id=secrets.token_hex(8))


async def test_a_reaction_is_heard(stage: Stage) -> None:
    """In clear, with what it is about and its sign, also in a room that is encrypted."""
    bot, anna = await stage.account("bot"), await stage.account("anna")
    room_id = await bot.matrix.create_private("Requests", {anna.user_id: 50})
    await anna.matrix.join(room_id)
    card = await bot.say(room_id, "card")
    reaction = await stage.react(anna, room_id, card, "✋️")
    await _say(anna, room_id, text("end"))
    await bot.hears("end")
    event = _named(bot.heard, reaction)
    relation = {"rel_type": "m.annotation", "event_id": card, "key": "✋️"}
    assert (event.type, event.sender, event.encrypted) == ("m.reaction", anna.user_id, False)
    assert event.content["m.relates_to"] == relation


@pytest.mark.parametrize("stage", [pytest.param("synapse", marks=pytest.mark.live)], indirect=True)
@pytest.mark.parametrize("version", ["9", "10", "11", "12"])
async def test_whoever_made_a_room_has_the_power(stage: Stage, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every room version; whom the bot has given a level can't open the room to others, or raise themselves."""

    async def new_version(self: Rooms) -> str:
        return version

    monkeypatch.setattr(Rooms, "_new_version", new_version)
    bot, anna = await stage.account("bot"), await stage.account("anna")
    room_id = await bot.matrix.create_private("Requests", {anna.user_id: 50})
    await anna.matrix.join(room_id)
    powers = await anna.matrix.powers(room_id)
    assert [powers.reach(person, 100) for person in (bot.user_id, anna.user_id)] == [True, False]
    assert powers.reach(anna.user_id, 50)
    opened = {"m.room.join_rules": {"join_rule": "public"}, "m.room.power_levels": {"users": {anna.user_id: 100}}}
    for type_, content in opened.items():
        with pytest.raises(Rejected) as refused:
            await call(anna, "PUT", path("rooms", room_id, "state", type_, ""), content)
        assert refused.value.code == "M_FORBIDDEN"
