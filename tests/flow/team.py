"""The staff room on the stage: its members, the cases' cards and threads, and what is said there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dpobot.matrix.api import Received
from dpobot.model.ids import EventId, RoomId, UserId
from tests.flow.stage import BOT, Stage, reference

DORA = UserId("@dora:dpobot.test")
EMIL = UserId("@emil:dpobot.test")
STAFF = {"members": [DORA, EMIL], "reply_delay_seconds": 10}


@dataclass
class Team:
    """What Dora and Emil of the DPO team see and do."""

    stage: Stage
    room: RoomId

    @classmethod
    async def gather(cls, stage: Stage) -> "Team":
        """Let the members accept the bot's invitation into the room that it has made."""
        await stage.settle()
        (room_id,) = (room_id for room_id, room in stage.server.rooms.items() if DORA in room.levels)
        for member in (DORA, EMIL):
            stage.server.join(room_id, member)
        await stage.settle()
        return cls(stage, room_id)

    def cards(self) -> dict[str, EventId]:
        """Return the cards in the room by their reference; each case has one."""
        found: dict[str, EventId] = {}
        for event in self.stage.server.heard(self.room, BOT):
            body = str(event.content.get("body", ""))
            if event.type == "m.room.message" and "m.relates_to" not in event.content and body.startswith("DPO-"):
                name = reference([body])
                assert name not in found, "a case has two cards"
                found[name] = event.event_id
        return found

    def card(self, name: str) -> str:
        """Return the newest text of a case's card."""
        return self.stage.server.shown(self.cards()[name])

    def thread(self, name: str) -> list[str]:
        """Return what the bot has said in a case's thread."""
        return [_body(event) for event in self.stage.server.thread(self.cards()[name]) if event.sender == BOT]

    def main(self) -> list[str]:
        """Return what the bot has said in the main time line, the cards left out."""
        return [
            _body(event)
            for event in self.stage.server.heard(self.room, BOT)
            if event.type == "m.room.message"
            and "m.relates_to" not in event.content
            and event.event_id not in self.cards().values()
        ]

    async def says(self, member: UserId, text: str, name: str | None = None) -> list[str]:
        """Let somebody write, in a case's thread if one is named, and return what the bot answers there."""
        before = len(self._said(name))
        if name is None:
            self.stage.server.text(self.room, member, text)
        else:
            self.stage.server.in_thread(self.room, member, self.cards()[name], text)
        await self.stage.settle()
        return self._said(name)[before:]

    async def decides(self, member: UserId, text: str, name: str) -> list[str]:
        """Let somebody begin a command and type the code that the bot then shows."""
        plan = await self.says(member, text, name)
        return await self.says(member, code(plan), name)

    async def reacts(self, member: UserId, key: str, name: str) -> list[str]:
        """Let somebody react to a case's card, and return what the bot says in its thread."""
        before = len(self.thread(name))
        self.stage.server.react(self.room, member, self.cards()[name], key)
        await self.stage.settle()
        return self.thread(name)[before:]

    def _said(self, name: str | None) -> list[str]:
        return self.main() if name is None else self.thread(name)


def code(said: Sequence[str]) -> str:
    """Return the code that stands in what the bot said."""
    found = re.search(r"`([A-HJ-NP-Z2-9]{6})`", "\n".join(said))
    assert found is not None, said
    return found[1]


def _body(event: Received) -> str:
    return str(event.content.get("body", ""))
