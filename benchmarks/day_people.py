"""What people do on the day, and whether each of their messages was answered: once, and with nothing repeated."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from benchmarks.day_world import BOT, World
from dpobot.delivery.messages import key
from dpobot.matrix.api import Received
from dpobot.model.ids import EventId, RoomId, UserId

_QUESTIONS = ("help", "status", "cases", "rights", "privacy", "help export", "language en")
_REQUESTS = ("export messages", "complaint somebody reads my letters", "security a door stands open")
_EXPORTS = 0.12  # so many of the people want a copy of their messages
_REQUESTERS = 0.10  # so many others open a case that staff would look at
_PARTS = 4  # the answer, the greeting before it, and what belongs to it


@dataclass(frozen=True, slots=True)
class Asked:
    """A message of a person to the bot."""

    event_id: EventId
    room_id: RoomId
    at: datetime


@dataclass
class People:
    """Everybody who writes on this day. ``dice`` decides who writes what and when."""

    world: World
    dice: random.Random
    asked: list[Asked] = field(default_factory=list)
    rooms: dict[UserId, RoomId] = field(default_factory=dict)

    def plan(self, commands: int, seconds: float) -> list[tuple[float, UserId, str]]:
        """Return who writes what and when: seconds from now, sorted. Each person opens at most one case."""
        people, plan = self.world.people, []
        exporters = set(people[: int(len(people) * _EXPORTS)])
        requesters = set(people[len(exporters) : int(len(people) * (_EXPORTS + _REQUESTERS))])
        first = dict.fromkeys(exporters, _REQUESTS[0])
        first |= {person: _REQUESTS[1 + number % 2] for number, person in enumerate(sorted(requesters))}
        for number in range(commands):
            person = people[number % len(people)]
            words = first.pop(person, None) if number >= len(people) else None
            plan.append((self.dice.uniform(0, seconds), person, words or self.dice.choice(_QUESTIONS)))
        return sorted(plan)

    async def live(self, plan: list[tuple[float, UserId, str]]) -> None:
        """Write everything at its time."""
        began = asyncio.get_running_loop().time()
        for at, person, words in plan:
            await asyncio.sleep(max(0.0, began + at - asyncio.get_running_loop().time()))
            self.write(person, words)

    def write(self, person: UserId, words: str) -> None:
        """Let a person write, in the room that they open for it the first time."""
        server = self.world.server
        if person not in self.rooms:
            self.rooms[person] = server.room(person, BOT)
        room_id = self.rooms[person]
        self.asked.append(Asked(server.text(room_id, person, words), room_id, self.world.clock.now()))

    def tally(self) -> "Tally":
        """Count."""
        return Tally.of(self)


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of everything that was asked. ``seconds``: of the wall, from question to answer, sorted."""

    sent: int
    answered_once: int
    lost: int
    doubled: int
    archives: int
    seconds: list[float]

    @classmethod
    def of(cls, people: People) -> "Tally":
        """Compare questions with what the bot said."""
        said = _said(people)
        answers = {people.world.matrix.transactions[event.event_id]: event for event in said}
        first = [answers.get(key(each.event_id, 0)) for each in people.asked]
        speed = people.world.clock.speed
        waits = [
            (event.sent_at - each.at).total_seconds() / speed
            for each, event in zip(people.asked, first, strict=True)
            if event is not None
        ]
        expected = {key(each.event_id, number) for each in people.asked for number in range(_PARTS)}
        files = sum(event.content.get("msgtype") == "m.file" for event in said)
        doubled = _repeated(said, {event.event_id for txn, event in answers.items() if txn in expected})
        return cls(len(first), len(waits), len(first) - len(waits), doubled, files, sorted(waits))


def _said(people: People) -> list[Received]:
    mine = set(people.rooms.values())
    return [
        event
        for event in people.world.server.timeline
        if event.sender == BOT and event.room_id in mine and event.type == "m.room.message"
    ]


def _repeated(said: list[Received], answers: set[EventId]) -> int:
    """Return how many messages repeat another one in their room: an archive, its announcement, a word about a case.

    Left out are answers to questions, which may be asked again: those are told apart by their keys. Edits are none.
    """
    unasked = [event for event in said if event.event_id not in answers and "m.new_content" not in event.content]
    bodies = Counter((event.room_id, str(event.content.get("body", ""))) for event in unasked)
    return sum(count - 1 for count in bodies.values())
