"""Somebody who leaves: what they ask, what the bot shows, and the codes that stand in it."""

import re
from collections.abc import Sequence

from dpobot.model.ids import RoomId, UserId
from tests.flow.conftest import ANNA
from tests.flow.stage import Stage, reference

_PLAN = re.compile(r"write this code: `([A-HJ-NP-Z2-9]{6})`")
_RECEIPT = re.compile(r"code of (?:your|its) receipt: `((?:[A-HJ-NP-Z2-9]{4}-){4}[A-HJ-NP-Z2-9]{4})`")


def plan_code(said: Sequence[str]) -> str:
    """Return the newest code under a plan."""
    return _newest(_PLAN, said)


def receipt_code(said: Sequence[str]) -> str:
    """Return the code of the receipt."""
    return _newest(_RECEIPT, said)


async def at_home(stage: Stage, person: UserId = ANNA) -> RoomId:
    """Let a person have written to the bot two days ago, so that their device is known."""
    room_id = await stage.meet(person)
    await stage.ask(room_id, person, "rights")
    await stage.pass_time(days=2)
    return room_id


async def shown(stage: Stage, room_id: RoomId, words: str = "erase without copy", person: UserId = ANNA) -> str:
    """Let a person ask for an erasure; return the case whose plan the bot then shows."""
    said = await stage.ask(room_id, person, words)
    assert "I have counted" in said[-1], said
    return reference(said)


async def confirmed(stage: Stage, room_id: RoomId, words: str = "erase without copy", person: UserId = ANNA) -> str:
    """Let a person ask for an erasure and type the code under its plan; return its reference."""
    case = await shown(stage, room_id, words, person)
    said = await stage.ask(room_id, person, plan_code(stage.said(room_id)))
    assert "You have confirmed the erasure" in said[-1], said
    return case


def _newest(wanted: re.Pattern[str], said: Sequence[str]) -> str:
    found = wanted.findall("\n".join(said))
    assert found, said
    return str(found[-1])
