"""The staff room on the stage: its members, the cases' cards and threads, and what is said there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dpobot.matrix.api import Received
from dpobot.model.ids import EventId, RoomId, UserId
from tests.flow.stage import BOT, Stage, reference

DORA = UserId("@dora:dpobot.test")
EMIL = UserId("@emil:dpobot.test")
_CARD = re.compile(r"DPO-\d{4}-\d{4} · [^·\n]+\n")  # reference and kind; what `show` says has the state there, too
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
            if event.type == "m.room.message" and "m.relates_to" not in event.content and _CARD.match(body):
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

    def mentioned(self, sign: str) -> list[list[str]]:
        """Return whom each of the bot's messages in the room mentions that holds ``sign``."""
        said = self.stage.server.heard(self.room, BOT)
        found = [event.content for event in said if sign in _body(event) and "m.new_content" not in event.content]
        return [content["m.mentions"].get("user_ids", []) for content in found]

    def main(self) -> list[str]:
        """Return what the bot has said in the main time line, the cards left out."""
        cards = set(self.cards().values())
        said = [event for event in self.stage.server.heard(self.room, BOT) if event.event_id not in cards]
        return [_body(event) for event in said if "m.relates_to" not in event.content]

    async def says(self, member: UserId, text: str, name: str | None = None) -> list[str]:
        """Let somebody write, in a case's thread if one is named, and return what the bot answers there."""
        before = len(self._said(name))
        if name is None:
            self.stage.server.text(self.room, member, text)
        else:
            self.stage.server.in_thread(self.room, member, self.cards()[name], text)
        await self.stage.settle()
        return self._said(name)[before:]

    async def together(self, name: str, *said: tuple[UserId, str]) -> list[str]:
        """Let several people write into a case's thread before the bot hears any of it; return its answers there."""
        before = len(self.thread(name))
        for member, text in said:
            self.stage.server.in_thread(self.room, member, self.cards()[name], text)
        await self.stage.settle()
        return self.thread(name)[before:]

    async def sends(self, member: UserId, data: bytes, file_name: str, name: str, media_type: str = "text/csv") -> None:
        """Let somebody put a file into a case's thread."""
        root = self.cards()[name]
        self.stage.server.attach(self.room, member, data, file_name, media_type=media_type, root=root)
        await self.stage.settle()

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
    found = re.search(r"`[a-z -]+ ([A-HJ-NP-Z2-9]{6})`", "\n".join(said))
    assert found is not None, said
    return found[1]


def head(digest: str) -> str:
    """Return the head of the audit trail that stands in a digest."""
    found = re.search(r"Its head: `([0-9a-f]{64})`", digest)
    assert found is not None, digest
    return found[1]


def _body(event: Received) -> str:
    return str(event.content.get("body", ""))
