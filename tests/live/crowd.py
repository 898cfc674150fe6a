"""Many people who write to the bot at the same time, and the time that the server saw between question and answer."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dpobot.demo.synapse import Synapse
from dpobot.matrix.api import Received
from tests.live.bot import RunningBot
from tests.live.guest import Guest

COMMANDS = {"help": "You can write any of these", "rights": "Data protection law gives you eight rights"}
_PATIENCE_MS = 10_000


@dataclass
class Asker:
    """One of the crowd. ``asked``: the commands so far, in order."""

    guest: Guest
    asked: list[str]

    def questions(self) -> list[Received]:
        """Return what this person said, in order."""
        own = self.guest.client.session.user_id
        said = {event.event_id: event for event in self.guest.client.heard if event.sender == own}
        return [event for event in said.values() if event.type == "m.room.message"]

    def answers(self) -> list[Received]:
        """Return what the bot answered, in order, without its greeting."""
        return [event for event in self.guest.messages() if not str(event.content["body"]).startswith("Hello!")]

    def wrong(self) -> list[str]:
        """Return the commands whose answer is not theirs; empty if each was answered once and in order."""
        answers = [str(event.content["body"]) for event in self.answers()]
        if len(answers) != len(self.asked):
            return [f"{len(answers)} answers to {len(self.asked)} commands"]
        pairs = zip(self.asked, answers, strict=True)
        return [command for command, answer in pairs if not answer.startswith(COMMANDS[command])]

    def seconds(self, since: int = 0) -> list[float]:
        """Return the time from each question to its answer, both as the server received them."""
        pairs = list(zip(self.questions(), self.answers(), strict=True))[since:]
        return [(answer.sent_at - question.sent_at).total_seconds() for question, answer in pairs]


@dataclass
class Crowd:
    """Everybody."""

    people: list[Asker]

    @classmethod
    async def gather(cls, synapse: Synapse, bot: RunningBot, folder: Path, size: int, prefix: str) -> Self:
        """Let ``size`` people open their direct messages."""
        people = []
        for number in range(size):
            account = await synapse.register(f"{prefix}-{number}")
            people.append(Asker(await Guest.arrive(synapse, account, bot.user_id, folder / f"{prefix}-{number}"), []))
        return cls(people)

    async def ask(self, times: int) -> None:
        """Let all send so many commands, all people at once."""
        await asyncio.gather(*(self._ask(asker, times) for asker in self.people))

    async def _ask(self, asker: Asker, times: int) -> None:
        for _ in range(times):
            command = list(COMMANDS)[len(asker.asked) % len(COMMANDS)]
            await asker.guest.say(command)
            asker.asked.append(command)

    async def hear(self, seconds: float) -> None:
        """Listen until everybody has as many answers as they asked, or the time is over; then for what is too much.

        They wait as clients do, with long requests: asking all the time would be the load that is measured.
        """

        async def one(asker: Asker) -> None:
            while len(asker.answers()) < len(asker.asked):
                await asker.guest.listen(_PATIENCE_MS)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(one(asker) for asker in self.people))
        await asyncio.gather(*(asker.guest.listen(1000) for asker in self.people))

    def wrong(self) -> list[str]:
        """Return everything that was not answered once and in order."""
        return [fault for asker in self.people for fault in asker.wrong()]

    def seconds(self, since: int = 0) -> list[float]:
        """Return all times, of each person's commands from number ``since`` on, sorted."""
        return sorted(each for asker in self.people for each in asker.seconds(since))

    async def leave(self) -> None:
        """Log everybody off."""
        for asker in self.people:
            await asker.guest.leave()
